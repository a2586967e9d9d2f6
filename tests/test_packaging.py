"""``setup.cfg`` lists by hand what is shipped; here it is compared with what is there.

A package or data file left out would work in every checkout and be missing from the wheel.
"""

from configparser import RawConfigParser
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("actors", "benchmarks", "engine", "gateway", "hosting", "persistence", "protocol")

CONFIG = RawConfigParser()
CONFIG.read(ROOT / "setup.cfg", encoding="utf-8")


def name_of(directory: Path) -> str:
    return ".".join(["palaver", *directory.relative_to(ROOT).parts])


def shipped_data() -> set[Path]:
    found: set[Path] = set()
    for package, patterns in CONFIG.items("options.package_data"):
        directory = ROOT.joinpath(*package.split(".")[1:])
        for pattern in patterns.replace(",", " ").split():
            found.update(path for path in directory.glob(pattern) if path.is_file())
    return found


def test_every_package_is_listed() -> None:
    listed = CONFIG.get("options", "packages").split()
    there = {name_of(path.parent) for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    assert sorted(there | {"palaver"}) == sorted(listed)


def test_every_data_file_is_shipped() -> None:
    data = {
        path
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    }
    assert data | {ROOT / "py.typed"} == shipped_data()


def test_every_package_has_an_init_file() -> None:
    for package in CONFIG.get("options", "packages").split():
        directory = ROOT.joinpath(*package.split(".")[1:])
        assert (directory / "__init__.py").is_file(), package
