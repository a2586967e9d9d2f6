"""A terminal with somebody in front of it: the line being typed stays at the bottom, with the keys
that one is used to, while all else is printed above it.

prompt_toolkit wants an asyncio loop. It gets one in a thread of its own, from `held` on; what is
entered comes back from there, and what is shown goes there.
"""

from __future__ import annotations

import asyncio
import math
import os
import signal
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import trio
from prompt_toolkit import PromptSession
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.formatted_text import ANSI, FormattedText, merge_formatted_text
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from rich.cells import cell_len
from rich.text import Text

from .screen import Screen, Words

PROMPT = "> "


class Terminal(Screen):
    """As `Screen`. A paste of several lines is one entry. `options` are those of a
    `PromptSession`."""

    interactive = True

    def __init__(self, **options: Any) -> None:
        super().__init__()
        # Nothing here needs to know where the cursor is, so no terminal has to answer that.
        os.environ.setdefault("PROMPT_TOOLKIT_NO_CPR", "1")
        self._session: PromptSession[str] = PromptSession(
            self._bottom, key_bindings=self._keys(), erase_when_done=True, **options
        )
        # Without a bound, since nobody's Enter key is faster than what takes the lines.
        self._entered, self._lines = trio.open_memory_channel[str](math.inf)
        self._passing: list[Text] = []
        self._unprinted: deque[Text] = deque()
        self._printing = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        """There while the bottom line is: whatever is printed has to go through it."""
        self._door = threading.Lock()
        """To look at `_loop`, and use it before it ends."""

    def show(self, *words: Words, margin: Words = "", passing: bool = False) -> None:
        lines = self._laid_out(words, margin)
        self._passing = lines if passing else []
        self._unprinted.extend([] if passing else lines)
        self._refresh()

    def clear_passing(self) -> None:
        self._passing = []
        self._refresh()

    def typed(self) -> str:
        return self._session.default_buffer.text

    async def lines(self) -> AsyncIterator[str]:
        async for line in self._lines:
            yield line

    @contextmanager
    def held(self) -> Iterator[None]:
        up = threading.Event()
        self._trio_token = trio.lowlevel.current_trio_token()
        thread = threading.Thread(target=self._run, args=(up,), daemon=True)
        thread.start()
        up.wait()
        try:
            yield
        finally:
            with self._door:
                if self._loop is not None:
                    self._loop.call_soon_threadsafe(self._leave)
            thread.join()

    def _run(self, up: threading.Event) -> None:
        def begin() -> None:
            self._loop = asyncio.get_running_loop()
            up.set()

        interrupted = False
        try:
            self._session.prompt(pre_run=begin, handle_sigint=False)
        except (EOFError, OSError):  # the latter if the terminal is gone
            pass
        except KeyboardInterrupt:
            interrupted = True
        finally:
            with self._door:
                self._loop = None
            up.set()
            self._print()
        if interrupted:
            os.kill(os.getpid(), signal.SIGINT)  # as if the terminal had not been ours
        else:
            self._trio_token.run_sync_soon(self._entered.close)

    def _leave(self) -> None:
        if not self._session.app.is_done:
            self._session.app.exit(exception=EOFError())

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("enter", filter=has_focus(DEFAULT_BUFFER))
        def _(event: KeyPressEvent) -> None:
            line = event.current_buffer.text
            event.current_buffer.reset(append_to_history=True)
            self._trio_token.run_sync_soon(self._entered.send_nowait, line)

        return keys

    def _broken(self, line: Text, margin: int) -> list[Text]:
        """At words; what is too long for a line, as an address, is left in one piece."""
        room = self._console.width - margin
        if max(map(cell_len, line.plain.split(" "))) > room:
            return [line]
        lines = line.wrap(self._console, room)
        for each in lines:
            each.rstrip()
        return [*lines]

    def _bottom(self) -> Any:
        """The prompt, below what is passing."""
        passing = [ANSI(self._rendered(line)) for line in self._passing]
        return merge_formatted_text([*passing, FormattedText([("", PROMPT)])])

    def _rendered(self, line: Text) -> str:
        with self._console.capture() as captured:
            self._console.print(line)
        return captured.get()

    def _refresh(self) -> None:
        with self._door:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._redraw)
                return
        self._print()

    def _redraw(self) -> None:
        if self._unprinted:
            # Not by run_in_terminal: meanwhile the terminal would echo what is typed.
            self._session.app.renderer.erase()
            self._print()
        self._session.app.invalidate()

    def _print(self) -> None:
        with self._printing:
            while self._unprinted:
                self._console.print(self._unprinted.popleft())
