"""`--profile`: a flame graph by either way, or words."""

import cProfile
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from palaver.benchmarks import profiler
from palaver.benchmarks.profiled import write
from palaver.benchmarks.profiler import NotProfiled, flame_graph, under_cprofile

SVG = "{http://www.w3.org/2000/svg}"


def leaf(count: int) -> int:
    return sum(range(count))


def little() -> int:
    return leaf(200_000)


def much() -> int:
    return leaf(200_000) + leaf(200_000) + leaf(200_000)


def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def work() -> None:
    little()
    much()
    fibonacci(12)


def boxes(path: Path) -> Iterator[tuple[str, float, float, float]]:
    """Function, left and right edge, and how deep it lies."""
    for group in ElementTree.parse(path).iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        assert rect is not None
        x, width, y = (float(rect.get(name, "nan")) for name in ("x", "width", "y"))
        yield group.findtext(f"{SVG}title", "").split(" ")[0], x, x + width, y


def test_what_cprofile_counted_becomes_a_flame_graph(tmp_path):
    profile = cProfile.Profile()
    profile.runcall(work)
    write(profile, str(tmp_path / "engine"))
    assert (tmp_path / "engine.pstats").stat().st_size
    assert "fibonacci" in (tmp_path / "engine.txt").read_text()

    found = list(boxes(tmp_path / "engine.svg"))
    below = {(name, y): (left, right) for name, left, right, y in found}
    whole = below["work", 0.0]
    assert whole[0] == 0.0
    assert whole[1] <= 1200.0
    for name in ("little", "much", "fibonacci"):
        left, right = next(edges for (each, _), edges in below.items() if each == name)
        assert -0.1 <= left < right <= whole[1] + 0.1
    leaves = [edges for name, *edges in found if name == "leaf"]
    assert len(leaves) == 2, "one under each of its callers"


def test_the_engine_is_started_by_the_same_words(tmp_path):
    command = under_cprofile(["/bin/palaver", "config", "--help"], tmp_path / "engine")
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert "Print every setting" in done.stdout
    assert done.returncode == 0, done.stderr
    ElementTree.parse(tmp_path / "engine.svg")


@pytest.fixture
def busy() -> Iterator[subprocess.Popen[str]]:
    code = "def spin():\n while True: sum(range(1000))\nprint('go', flush=True); spin()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout is not None
        it.stdout.readline()
        yield it
        it.kill()


def fake_py_spy(directory: Path, script: str) -> str:
    program = directory / "py-spy"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_py_spy_is_asked_for_the_engine_and_told_when_to_stop(tmp_path, monkeypatch, busy):
    # Whether the real one may look into a process is the machine's business.
    script = f"""trap 'echo "$@" >{tmp_path}/flame.svg; exit 0' INT
echo ready >{tmp_path}/ready; while :; do sleep 0.05; done"""
    program = fake_py_spy(tmp_path, script)
    monkeypatch.setattr(profiler, "py_spy", lambda: program)
    subprocess.run(["mkfifo", tmp_path / "ready"], check=True)
    with flame_graph(busy.pid, tmp_path / "flame.svg"):
        assert (tmp_path / "ready").read_text() == "ready\n"
    said = (tmp_path / "flame.svg").read_text().split()
    assert said[:3] == ["record", "--pid", str(busy.pid)]
    assert said[said.index("--output") + 1] == str(tmp_path / "flame.svg")


def test_what_py_spy_complains_of_is_told(tmp_path, monkeypatch, busy):
    said = tmp_path / "said"
    subprocess.run(["mkfifo", said], check=True)
    program = fake_py_spy(tmp_path, f"echo 'Permission Denied: Try sudo' >&2; echo >{said}; exit 1")
    monkeypatch.setattr(profiler, "py_spy", lambda: program)
    with (
        pytest.raises(NotProfiled, match="Permission Denied"),
        flame_graph(busy.pid, tmp_path / "x"),
    ):
        said.read_text()


def test_without_py_spy_there_is_a_word_on_where_to_get_it(tmp_path, monkeypatch, busy):
    monkeypatch.setattr(profiler, "py_spy", lambda: None)
    with (
        pytest.raises(NotProfiled, match=r"palaver\[bench\]"),
        flame_graph(busy.pid, tmp_path / "x"),
    ):
        pass
