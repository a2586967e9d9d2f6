"""The terminal of `palaver chat`: lines in, lines out, and both at the same time.

On a terminal the line being typed stays at the bottom, with the keys of readline, while messages
are printed above it. Anywhere else it is plain lines, so that a script can hold a conversation.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import trio
from rich.console import Console
from rich.text import Text

PROMPT = "> "
_CLEAR_LINE = "\r\x1b[K"
_LINE_UP = "\x1b[A"
_DIRECTION = set(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))


def harmless(text: str) -> str:
    """`text` without what would command the terminal rather than be shown."""
    return "".join(
        "�" if (unicodedata.category(char) == "Cc" and char != "\n") or char in _DIRECTION else char
        for char in text
    )


class Screen:
    def __init__(self) -> None:
        self.interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._console = Console(highlight=False, soft_wrap=True)
        self._passing = False
        self._prompting = False
        if self.interactive:
            import readline  # from now on `input` uses it

            self._typed = readline.get_line_buffer

    def show(self, *parts: str | tuple[str, str], passing: bool = False) -> None:
        """Print a line of parts, each with a style if it is a pair. A `passing` one disappears when
        the next line comes, and is left out where that cannot be done."""
        if not self.interactive and passing:
            return
        self._retract()
        self._console.print(Text.assemble(*parts))
        self._passing = passing
        self._redraw()

    def clear_passing(self) -> None:
        """Let a `passing` line disappear now."""
        if self._passing:
            self._retract()
            self._passing = False
            self._redraw()

    def typed(self) -> str:
        """The line as far as it is typed; empty if this is no terminal."""
        return self._typed() if self._prompting else ""

    async def lines(self) -> AsyncIterator[str]:
        """What is entered, line by line, until the end of the input."""
        if not self.interactive:
            async for given in piped():
                yield given
            return
        while True:
            self._prompting = True
            line: str | None = await trio.to_thread.run_sync(_ask, abandon_on_cancel=True)
            self._prompting = False
            if line is None:
                return
            # What was typed comes back as a message; twice would be once too many.
            sys.stdout.write(_LINE_UP + _CLEAR_LINE)
            sys.stdout.flush()
            yield line

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Leave the terminal as it was found: readline may be interrupted in the middle."""
        if not self.interactive:
            yield
            return
        import termios

        before = termios.tcgetattr(sys.stdin)
        try:
            yield
        finally:
            self._retract()
            sys.stdout.flush()
            termios.tcsetattr(sys.stdin, termios.TCSANOW, before)

    def _retract(self) -> None:
        if self.interactive:
            sys.stdout.write(_CLEAR_LINE + (_LINE_UP + _CLEAR_LINE if self._passing else ""))

    def _redraw(self) -> None:
        if self._prompting:
            sys.stdout.write(PROMPT + self.typed())
        sys.stdout.flush()


def _ask() -> str | None:
    try:
        return input(PROMPT)
    except EOFError:
        return None


async def piped() -> AsyncIterator[str]:
    """Lines of a pipe or file. Reads the descriptor itself: a thread that is left behind in
    `sys.stdin` would hold its lock when the interpreter ends."""
    rest = b""
    while chunk := await trio.to_thread.run_sync(os.read, 0, 65536, abandon_on_cancel=True):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")
