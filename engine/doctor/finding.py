"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` is found and means, and `advice` on what to do about it. "problem": it does not work,
    or does not keep the promise; "warning": it works, and somebody should know. Never a secret."""

    level: Level
    about: str
    what: str
    advice: str = ""


def ok(about: str, what: str) -> Finding:
    return Finding("ok", about, what)


def warning(about: str, what: str, advice: str) -> Finding:
    return Finding("warning", about, what, advice)


def problem(about: str, what: str, advice: str) -> Finding:
    return Finding("problem", about, what, advice)
