"""`palaver send` and `palaver tail` before an engine in memory: what they print, how they end."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from palaver.gateway.cli.access import Access, at_first
from palaver.gateway.cli.screen import MAX_LINE, piped
from palaver.gateway.cli.send import Letters
from palaver.gateway.cli.tail import Tail
from palaver.gateway.cli.words import Problem
from palaver.gateway.client import Client, ConnectionLost, ReconnectFailed, Rejected, linear
from palaver.gateway.client.results import Messages
from palaver.tests.gateway.client.house import House, house


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> MockClock:
    """Nothing happens in threads, for which it would not wait."""

    async def inline(act: Callable[[], Any], **options: Any) -> Any:
        await trio.lowlevel.checkpoint()
        return act()

    monkeypatch.setattr("trio.to_thread.run_sync", inline)
    return MockClock(autojump_threshold=0)


async def lines(*given: str) -> AsyncIterator[str]:
    for line in given:
        yield line


@asynccontextmanager
async def tailing(
    home: House, c: str | None, after: int | None = None, *, as_json: bool = False
) -> AsyncIterator[Tail]:
    """Runs until the block is left; begins once it knows where it stands."""
    async with home.client("ann") as client, trio.open_nursery() as nursery:
        tail = Tail(client, c, as_json)
        nursery.start_soon(tail.run, after)
        await client.connected()
        await client.get(c) if c is not None else await client.conversations()
        yield tail
        nursery.cancel_scope.cancel()


async def printed(capsys: pytest.CaptureFixture[str], count: int) -> list[str]:
    out = ""
    with trio.fail_after(20):
        while out.count("\n") < count:
            out += capsys.readouterr().out
            await trio.sleep(0.001)
    return out.splitlines()


def texts(printed: list[str]) -> list[str]:
    return [line.rpartition(": ")[2] for line in printed]


async def test_lines_go_in_and_ids_come_out(capsys: pytest.CaptureFixture[str]) -> None:
    async with house() as home, home.client("ann", pushes=False) as ann:
        refused = await Letters("bob", None, None).send_lines(ann, lines("one", "", "two"))
        assert refused == 0
        ids = capsys.readouterr().out.split()
        host = home.gateway.engine.as_user("ann")
        said = await host.history(await host.create_direct("bob"))
        assert [(m["text"], m["id"]) for m in said] == list(zip(["one", "two"], ids, strict=True))


async def test_SEND_06_sent_again_under_the_same_name_it_is_said_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with house() as home:
        c = await home.gateway.engine.as_user("ann").create_group("Team", ["bob"])
        answers = []
        for given in (("one", "two"), ("one", "two", "three")):
            async with home.client("ann", pushes=False) as ann:
                await Letters(None, c, "log").send_lines(ann, lines(*given))
            answers.append(capsys.readouterr().out.split())
        assert answers[1][:2] == answers[0]
        assert len(await home.gateway.engine.as_user("bob").history(c)) == 3


async def test_a_refused_line_is_named_and_the_others_go(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with house() as home, home.client("ann", pushes=False) as ann:
        c = await home.gateway.engine.as_user("ann").create_group("Team", ["bob"])
        letters = Letters(None, c, None)
        assert await letters.send_lines(ann, lines("one", "x" * 5000, "two")) == 1
        shown = capsys.readouterr()
        assert len(shown.out.split()) == 2
        assert "line 2: The text is longer than allowed." in shown.err
        assert not await Letters(None, "nowhere", None).send(ann, "hello", None)


async def piping(monkeypatch: pytest.MonkeyPatch, *chunks: bytes) -> list[str]:
    given = iter([*chunks, b""])
    monkeypatch.setattr("os.read", lambda descriptor, size: next(given))
    return [line async for line in piped()]


async def test_lines_end_as_they_do_anywhere_and_hold_whatever_they_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    got = await piping(monkeypatch, b"o", b"ne\ntwo\r\n\n\xc3", b"\xbc\n\xff?\nno", b" end")
    assert got == ["one", "two", "", "ü", "\ufffd?", "no end"]


async def test_a_line_without_end_takes_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    long, next = await piping(monkeypatch, *[b"x" * 65536] * 200, b"\nnext\n")
    assert MAX_LINE <= len(long) < MAX_LINE + 65536
    assert next == "next"


async def test_a_pipe_waits_for_the_server_only_while_a_line_does(
    capsys: pytest.CaptureFixture[str], clock: MockClock
) -> None:
    letters = Letters("bob", None, None)
    async with house() as home:
        given, lines = trio.open_memory_channel[str](0)

        async def send() -> None:
            options = {"pushes": False, "backoff": letters.patience, "random": lambda: 1.0}
            async with home.client("ann", **options) as ann:
                with pytest.raises(ReconnectFailed):
                    await letters.send_lines(ann, lines)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            await given.send("one")
            await wait_all_tasks_blocked()
            home.down = True
            await home.cut()
            await trio.sleep(10_000)
            home.down = False
            await given.send("two")
            await wait_all_tasks_blocked()
            await trio.sleep(10)
            assert len(capsys.readouterr().out.split()) == 2
            home.down = True
            await home.cut()
            await given.send("three")
        assert "line 3: no answer; what comes after it was not sent." in capsys.readouterr().err


async def test_an_outage_is_told_once(capsys: pytest.CaptureFixture[str], clock: MockClock) -> None:
    async with (
        house() as home,
        home.client("ann", random=lambda: 1.0) as client,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(Tail(client, None, False).run, None)
        await wait_all_tasks_blocked()
        for _ in range(2):
            home.down = True
            await home.cut()
            await trio.sleep(100)
            home.down = False
            await trio.sleep(100)
        nursery.cancel_scope.cancel()
    assert capsys.readouterr().err.count("it goes on when there is a connection again") == 2


async def test_CLI_05_a_tail_goes_on_where_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    async with house() as home:
        host = home.gateway.engine.as_user("bob")
        c = await host.create_group("Team", ["ann"])
        elsewhere = await host.create_group("Other", ["ann"])
        for n in range(3):
            await host.send(c, f"{n}")
        async with tailing(home, c, 2):
            assert texts(await printed(capsys, 2)) == ["1", "2"], "behind the position"
            await host.send(elsewhere, "not this")
            await host.send(c, "live")
            assert texts(await printed(capsys, 1)) == ["live"]
            await home.cut()
            for n in range(150):
                await host.send(c, f"meanwhile {n}")
            assert texts(await printed(capsys, 150)) == [f"meanwhile {n}" for n in range(150)]


async def test_an_outage_while_a_tail_catches_up_does_not_end_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    troubles = [ConnectionLost("message.history", {}, None, sent=True), Rejected("UNAVAILABLE")]
    history = Client.history

    async def troubled(client: Client, c: str, **page: Any) -> Messages:
        answer = await history(client, c, **page)
        if troubles:
            raise troubles.pop()
        return answer

    monkeypatch.setattr(Client, "history", troubled)
    async with house() as home:
        host = home.gateway.engine.as_user("bob")
        c = await host.create_group("Team", ["ann"])
        await host.send(c, "hello")
        async with tailing(home, c, 0):
            assert texts(await printed(capsys, 1)) == ["hello"]
        assert not troubles


async def test_a_tail_of_all_names_conversations_and_writes_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with house() as home:
        host = home.gateway.engine.as_user("bob")
        c = await host.create_group("Team", ["ann"])
        await host.send(c, "before")
        async with tailing(home, None, as_json=True):
            sent = await host.send(c, "two\nlines")
            new = await host.send_to("ann", "hello")
            told = [json.loads(line) for line in await printed(capsys, 2)]
        assert [(each["c"], each["text"]) for each in told] == [
            (c, "two\nlines"),
            (new.conversation, "hello"),
        ]
        assert (told[0]["id"], told[0]["seq"], told[0]["by"]) == (sent.id, sent.seq, "bob")
        async with tailing(home, None):
            await host.send(c, "two\nlines \x1b[2J")
            (line,) = await printed(capsys, 1)
            assert re.fullmatch(rf"{c} +\d+  [\d: -]+  bob: two lines �\[2J", line)


async def test_what_goes_wrong_is_said_in_words() -> None:
    async with house() as home:

        async def attempt(token: Any, **options: Any) -> str:
            way = Access("ws://palaver:80", token, None)
            client = partial(way.client, backoff=at_first(linear), connector=home.connect)
            with pytest.raises(Problem) as problem, way.in_words():
                async with client(**options) as ann:
                    await Tail(ann, "nowhere", False).run(None)
            return str(problem.value)

        assert "The token is not valid" in await attempt("nonsense")
        home.down = True
        away = await attempt("nonsense")
        assert away == "no connection to ws://palaver:80: connection refused."
