"""The shape of the tree: which package may import which, and how long a file may grow.

Reads sources only; nothing is imported.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Who may import whom, besides itself. Everything else among these is an error.
ARROWS = {
    "protocol": set(),
    "actors": {"protocol"},
    "persistence": {"protocol"},
    "engine": {"actors", "persistence", "protocol"},
    "gateway": {"engine", "actors", "protocol"},
    "hosting": {"gateway", "engine", "protocol"},
    "benchmarks": {"gateway", "engine", "persistence", "protocol"},
}

# What a package must not import from outside (asyncio and asyncpg: see CONFINED).
FORBIDDEN = {
    "protocol": {"trio", "time", "random", "secrets", "os", "socket", "sqlite3"},
    "actors": {"socket", "websockets"},
}

# Where alone these may be imported, by the beginning of the path. The peers that palaver is
# measured against are programs of their own, built the way such servers usually are.
CONFINED = {
    "asyncio": (
        "persistence/asyncio_thread.py",
        "hosting/asyncio",
        "gateway/cli/terminal.py",
        "benchmarks/peers",
    ),
    "asyncpg": ("persistence/", "benchmarks/peers"),
}

MAX_LINES = 400
LONGER: dict[str, str] = {}  # "engine/example.py": "the reason why it is in one piece"

SOURCES = sorted(
    path.relative_to(ROOT).as_posix() for room in ARROWS for path in (ROOT / room).rglob("*.py")
)


def imported(path: str, source: str) -> Iterator[tuple[int, str]]:
    """Every import as (line, absolute dotted name); relative ones begin with ``palaver``.

    ``from a import b`` gives ``a.b``: whether b is a module does not matter here.
    """
    package = ["palaver", *Path(path).parent.parts]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = [*base, *(node.module or "").split(".")] if node.module else base
            yield from ((node.lineno, ".".join([*base, name.name])) for name in node.names)


def violations(path: str, source: str) -> list[str]:
    room = path.split("/")[0]
    found = []
    for line, name in imported(path, source):
        top, _, rest = name.partition(".")
        target = rest.split(".")[0]
        if top == "palaver":
            if target in ARROWS:
                wrong = target != room and target not in ARROWS[room]
            else:  # the façade reaches everything, so inside only its version is free to all
                wrong = target != "__version__" and room != "benchmarks"
        elif top in ARROWS:
            wrong = True  # `import protocol` works in nobody's site-packages
        else:
            wrong = top in FORBIDDEN.get(room, ()) or not path.startswith(CONFINED.get(top, ""))
        if wrong:
            found.append(f"{path}:{line}: {room} must not import {name}")
    return found


@pytest.mark.parametrize("path", SOURCES)
def test_imports_follow_the_arrows(path: str) -> None:
    assert violations(path, (ROOT / path).read_text("utf-8")) == []


def test_files_stay_short() -> None:
    lengths = {path: len((ROOT / path).read_text("utf-8").splitlines()) for path in SOURCES}
    long = {path: lines for path, lines in lengths.items() if lines > MAX_LINES}
    assert {path: lines for path, lines in long.items() if path not in LONGER} == {}
    assert LONGER.keys() <= long.keys(), "no longer an exception; take it off the list"


@pytest.mark.parametrize(
    ("path", "source", "allowed"),
    [
        ("gateway/socket.py", "from ..engine import Engine", True),
        ("gateway/socket.py", "from ..persistence.pool import Pool", False),
        ("engine/engine.py", "from .. import actors, persistence", True),
        ("engine/engine.py", "from .. import Engine", False),
        ("engine/engine.py", "from .. import __version__", True),
        ("engine/testing/kit.py", "from ...gateway.client import Client", False),
        ("engine/testing/kit.py", "from ..settings import Settings", True),
        ("actors/guards/rate.py", "from ...protocol.roles import Role", True),
        ("actors/guards/rate.py", "from ...persistence import journal", False),
        ("actors/guards/rate.py", "def f():\n    import palaver.engine", False),
        ("actors/guards/rate.py", "import protocol.roles", False),
        ("actors/outbox.py", "import asyncpg", False),
        ("actors/outbox.py", "import socket", False),
        ("protocol/ids.py", "import os.path", False),
        ("protocol/ids.py", "from time import monotonic", False),
        ("protocol/ids.py", "import asyncio", False),
        ("protocol/ids.py", "import hashlib", True),
        ("persistence/pool.py", "import asyncpg", True),
        ("persistence/pool.py", "import asyncio", False),
        ("persistence/asyncio_thread.py", "import asyncio", True),
        ("engine/cluster.py", "from asyncpg import Connection", False),
        ("benchmarks/load.py", "import asyncio", False),
        ("benchmarks/load.py", "from palaver import Client", True),
        ("benchmarks/load.py", "from palaver.actors import hub", False),
    ],
)
def test_the_rules_tell_right_from_wrong(path: str, source: str, allowed: bool) -> None:
    assert (violations(path, source) == []) is allowed
