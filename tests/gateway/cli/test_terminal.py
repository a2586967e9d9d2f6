"""`palaver chat` before a terminal: what is typed stays below what comes."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio
from prompt_toolkit.input import DummyInput, create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from palaver.gateway.cli.screen import Screen, harmless
from palaver.gateway.cli.terminal import Terminal


def shown(text: str, margin: str) -> list[str]:
    """In 30 columns."""
    terminal = Terminal(input=DummyInput(), output=DummyOutput())
    terminal._console = Console(width=30, soft_wrap=True)
    return [line.plain for line in terminal._laid_out((text,), margin)]


def test_long_lines_are_broken_at_words_beside_their_margin() -> None:
    assert shown("ann: the usual place at one?\nor two", "   2  11:40 ") == [
        "   2  11:40 ann: the usual",
        "            place at one?",
        "            or two",
    ]
    wide = shown("日本語 テキスト 👍👍 日本語", "   2  11:40 ")
    assert wide == ["   2  11:40 日本語 テキスト", "            👍👍 日本語"]


def test_an_address_is_left_in_one_piece() -> None:
    address = "https://example.org/" + "a" * 40
    assert shown(f"see {address}", "   2  ") == [f"   2  see {address}"]


def test_a_plain_screen_breaks_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().show("word " * 40, "\nend", margin="   1  ")
    assert capsys.readouterr().out == f"   1  {'word ' * 40}\n      end\n"


def test_tabs_and_line_ends_of_others_are_shown_as_such() -> None:
    assert harmless("a\tb\r\nc\rd") == "a    b\nc�d"


async def test_what_is_entered_comes_line_by_line_and_a_paste_as_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with create_pipe_input() as keys:
        terminal = Terminal(input=keys, output=DummyOutput())
        with trio.fail_after(20), terminal.held():
            keys.send_text("one\r\x1b[200~two\r\nthree\x1b[201~!\rhalf\x04")
            keys.send_text("\x15\x04")  # clear the line; the end
            assert [line async for line in terminal.lines()] == ["one", "two\nthree!"]
            terminal.show("after the end")
        assert capsys.readouterr().out.splitlines() == ["after the end"]


async def test_all_that_is_shown_is_printed_once_and_in_order(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with create_pipe_input() as keys:
        terminal = Terminal(input=keys, output=DummyOutput())
        with terminal.held():
            for n in range(100):
                terminal.show(f"line {n}")
                terminal.show("passing", passing=True)
            terminal.clear_passing()
        terminal.show("line 100")
    assert capsys.readouterr().out.split() == [w for n in range(101) for w in ("line", f"{n}")]


CODE = """
import sys
from palaver.gateway.cli import main
sys.argv = ["palaver", "chat", "--as", "ann", "--token", "x", "--url", "ws://127.0.0.1:1"]
main()
"""


@contextmanager
def sitting() -> Iterator[tuple[int, int]]:
    """A chat without a server; its process, and the terminal before which it is."""
    process, terminal = pty.fork()
    if process == 0:
        os.execve(sys.executable, [sys.executable, "-c", CODE], {**os.environ, "TERM": "xterm"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    try:
        yield process, terminal
    finally:
        os.close(terminal)


def until(terminal: int, words: bytes) -> None:
    said = b""
    while words not in said:
        assert select.select([terminal], [], [], 30)[0], said
        said += os.read(terminal, 65536)


@pytest.mark.parametrize("end", [b"\x03", signal.SIGINT])
def test_ctrl_c_ends_it_and_leaves_the_terminal_as_it_was(end: bytes | int) -> None:
    with sitting() as (process, terminal):
        before = termios.tcgetattr(terminal)
        until(terminal, b"no connection to ws://127.0.0.1:1: connection refused")
        os.write(terminal, end) if isinstance(end, bytes) else os.kill(process, end)
        _, status = os.waitpid(process, 0)
        assert os.waitstatus_to_exitcode(status) == 130
        assert termios.tcgetattr(terminal) == before
