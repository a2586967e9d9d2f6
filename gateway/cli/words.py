"""Everything that can go wrong on the command line, as a sentence on standard error.

A `Problem` is for the person at the terminal: it says what is wrong and what to do. Nothing here
ever shows a traceback for it; the exit status is 2.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import typer

P = ParamSpec("P")
T = TypeVar("T")

STATUS = 2


class Problem(Exception):
    """Why the command cannot be carried out."""


def in_words(command: Callable[P, T]) -> Callable[P, T]:
    """Of a command: its `Problem` becomes a sentence and an exit status."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except Problem as problem:
            complain(str(problem))
            raise typer.Exit(STATUS) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None

    return wrapped


def complain(sentence: str) -> None:
    """On standard error. What a server says in it cannot command the terminal."""
    from .screen import harmless

    sentence = harmless(sentence)
    end = "" if sentence.endswith((".", "?", "!")) else "."
    typer.echo(f"palaver: {sentence}{end}", err=True)


@contextmanager
def ungrouped() -> Iterator[None]:
    """Out of nurseries, errors come in groups; one that is alone comes out of here as itself."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        raise error from None
