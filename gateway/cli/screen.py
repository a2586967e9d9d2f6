"""Where `palaver chat` shows what comes, and takes what is entered.

`Screen` is plain lines, so that a script can hold a conversation; `Terminal` is for people.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain

import trio
from rich.console import Console
from rich.text import Text

Words = str | tuple[str, str]
"""With a style, if it is a pair."""

MAX_LINE = 4 * 2**20

_DIRECTION = set(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))


def harmless(text: str) -> str:
    """`text` without what would command the terminal rather than be shown."""
    text = text.replace("\r\n", "\n").replace("\t", "    ")
    return "".join(
        "�" if (unicodedata.category(char) == "Cc" and char != "\n") or char in _DIRECTION else char
        for char in text
    )


def open_screen() -> Screen:
    """What suits where input comes from and output goes to."""
    if sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        from .terminal import Terminal

        return Terminal()
    return Screen()


class Screen:
    interactive = False

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)

    def show(self, *words: Words, margin: Words = "", passing: bool = False) -> None:
        """Print `words`, of which each line is as far to the right as the `margin` before the first
        is wide. What is `passing` disappears when the next line comes, and is left out where that
        cannot be done."""
        if not passing:
            for line in self._laid_out(words, margin):
                self._console.print(line)

    def clear_passing(self) -> None:
        """Let what is `passing` disappear now."""

    def typed(self) -> str:
        """The line as far as it is typed; empty if this is no terminal."""
        return ""

    async def lines(self) -> AsyncIterator[str]:
        """What is entered, line by line, until the end of the input."""
        async for given in piped():
            yield given

    @contextmanager
    def held(self) -> Iterator[None]:
        """What is entered and shown is, inside of this; the terminal is left as it was found."""
        yield

    def _laid_out(self, words: tuple[Words, ...], margin: Words) -> list[Text]:
        first, text = Text.assemble(margin), Text.assemble(*words)
        broken = partial(self._broken, margin=first.cell_len)
        lines = [*chain.from_iterable(map(broken, text.split("\n", allow_blank=True)))]
        margins = [first, *[Text(" " * first.cell_len)] * len(lines)]
        return [Text.assemble(*pair) for pair in zip(margins, lines, strict=False)]

    def _broken(self, line: Text, margin: int) -> list[Text]:
        """As long as may be, beside the margin; here there is no bound."""
        return [line]


async def piped() -> AsyncIterator[str]:
    """Lines of a pipe or file, whoever ended them how. What is not UTF-8 in them becomes U+FFFD; of
    one that is longer than any message, as much is kept as is too much.

    Reads the descriptor itself: a thread that is left behind in `sys.stdin` would hold its lock
    when the interpreter ends.
    """
    line = bytearray()
    while chunk := await trio.to_thread.run_sync(os.read, 0, 65536, abandon_on_cancel=True):
        *ends, begun = chunk.split(b"\n")
        for end in ends:
            yield _text(line + end)
            line.clear()
        if len(line) < MAX_LINE:
            line += begun
    if line:
        yield _text(line)


def _text(line: bytearray) -> str:
    return line.removesuffix(b"\r").decode(errors="replace")
