"""Python and the libraries: at least as new as this program was made for."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Callable, Iterable, Iterator

from .finding import Finding, ok, problem

_NEEDED = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*>=\s*([0-9.]+)")


def check_python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Iterator[Finding]:
    text = ".".join(map(str, version))
    if version < (3, 11):
        yield problem("Python", f"it is {text}", "Run palaver with Python 3.11 or newer.")
    else:
        yield ok("Python", f"it is {text}")


def check_libraries(
    requirements: Iterable[str] | None = None,
    installed: Callable[[str], str] = importlib.metadata.version,
) -> Iterator[Finding]:
    """`requirements` as packages name them («trio>=0.27»); those of extras are left out."""
    if requirements is None:
        requirements = importlib.metadata.requires("palaver") or ()
    wrong, count = False, 0
    for requirement in requirements:
        match = _NEEDED.match(requirement)
        if match is None or "extra ==" in requirement:
            continue
        count += 1
        name, needed = match[1], match[2]
        try:
            there = installed(name)
        except importlib.metadata.PackageNotFoundError:
            there = "none"
        if _parts(there) < _parts(needed):
            wrong = True
            yield problem(
                "libraries",
                f"{name} {needed} is needed, {there} is installed",
                f"pip install --upgrade '{name}>={needed}'",
            )
    if not wrong:
        yield ok("libraries", f"all {count} are at their lower bounds or above")


def _parts(version: str) -> tuple[int, ...]:
    """The release: what stands before the first part that is no number."""
    numbers = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, numbers[0].split("."))) if numbers else ()
