"""`palaver tail`: messages as they come, as lines, for scripts."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .access import Access, As, Ca, Token, Url, access, at_first
from .options import Config, Data
from .words import Problem, complain, in_words, ungrouped

if TYPE_CHECKING:
    from ..client import Client

PAGE = 100
_MESSAGES = ("message.sent", "message.posted")


@in_words
def tail(
    conversation: Annotated[str | None, typer.Option(help="Of this one, by its id.")] = None,
    to: Annotated[str | None, typer.Option("--with", help="Of the one with this user.")] = None,
    after: Annotated[
        int | None,
        typer.Option(min=0, metavar="SEQ", help="Begin behind this position; 0: at the beginning."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    user: As = None,
    url: Url = None,
    token: Token = None,
    ca: Ca = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Print the messages of a conversation, or of all one is in, until Ctrl-C.

    It begins with the next one, unless --after says where. After an outage it goes on where it was:
    none is left out, none comes twice.
    """
    import trio

    if conversation is not None and to is not None:
        raise Problem("choose one of --with and --conversation.")
    if after is not None and conversation is None and to is None:
        raise Problem("--after is a position in one conversation; say which.")
    way = access(user, token, url, ca, config, data)
    with ungrouped():
        trio.run(_run, way, conversation, to, after, as_json)


async def _run(
    way: Access, conversation: str | None, to: str | None, after: int | None, as_json: bool
) -> None:
    from ..client import exponential

    with way.in_words():
        async with way.client(backoff=at_first(exponential)) as client:
            if to is not None:
                conversation = await client.create_direct(to)
            await Tail(client, conversation, as_json).run(after)


class Tail:
    """`seen` is up to where each conversation has been printed."""

    def __init__(self, client: Client, conversation: str | None, as_json: bool) -> None:
        self._client = client
        self._conversation = conversation
        self._json = as_json
        self._seen: dict[str, int] = {}

    async def run(self, after: int | None) -> None:
        """Until the client ends; raises what it ends with, or the first call's `Rejected`."""
        from ..client import Event, Reload, StateChange

        await self._begin(after)
        away = False
        async for push in self._client:
            match push:
                case Event(kind, c) if self._wanted(c):
                    await self._event(kind, c, push.seq, push.at, push.data)
                case Reload(c, reason) if self._wanted(c):
                    await self._reload(c, reason, push.keep)
                case StateChange("disconnected", str(reason)) if not away:
                    away = True
                    complain(f"{reason}; it goes on when there is a connection again")
                case StateChange("connected"):
                    away = False

    async def _begin(self, after: int | None) -> None:
        """Take note of where everything stands: so that whatever comes later is not missed."""
        await self._client.connected()
        if (c := self._conversation) is not None:
            self._seen[c] = (await self._client.get(c))["seq"]
            if after is not None:
                self._seen[c] = after
                await self._catch_up(c)
            return
        for kept in (None, "archived"):
            cursor = None
            while True:
                page = await self._client.conversations(PAGE, cursor, filter=kept)
                self._seen.update((row["c"], row["seq"]) for row in page["conversations"])
                if (cursor := page.get("next")) is None:
                    break

    def _wanted(self, c: str) -> bool:
        return self._conversation in (None, c)

    async def _event(self, kind: str, c: str, seq: int, at: int, data: dict[str, Any]) -> None:
        if kind == "void":
            complain(f"{c} {seq} was not stored after all")
        elif seq > self._seen.get(c, 0):
            self._seen[c] = seq
            if kind in _MESSAGES:
                await self._print({"c": c, "seq": seq, "ts": at, "kind": kind, **data})

    async def _reload(self, c: str, reason: str, keep: int) -> None:
        """What is in history but was not told."""
        from ..client import Rejected

        if reason == "diverged":
            self._seen[c] = min(self._seen.get(c, 0), keep)
        try:
            await self._catch_up(c)
        except Rejected:
            if self._conversation is not None:
                raise
            self._seen.pop(c, None)  # it is no longer one's own

    async def _catch_up(self, c: str) -> None:
        from ..client import NoAnswer, Rejected

        while True:
            try:
                page = await self._client.history(c, after=self._seen.get(c, 0), limit=PAGE)
            except NoAnswer:
                continue  # the next call waits for a connection
            except Rejected as rejection:
                if not rejection.retryable:
                    raise
                continue  # the call has waited as it was told to
            for message in page["messages"]:
                self._seen[c] = message["seq"]
                await self._print({"c": c, **message})
            if not page["more"] or not page["messages"]:
                self._seen[c] = max(self._seen.get(c, 0), page["seq"])
                return

    async def _print(self, message: dict[str, Any]) -> None:
        import trio

        line = json.dumps(message, ensure_ascii=False) if self._json else self._line(message)
        # In a thread: whoever reads it may be slow, and the connection wants to be kept alive.
        await trio.to_thread.run_sync(partial(print, line, flush=True), abandon_on_cancel=True)

    def _line(self, message: dict[str, Any]) -> str:
        from .room import said
        from .screen import harmless

        where = f"{message['c']}  " if self._conversation is None else ""
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(message["ts"] / 1000))
        words = "deleted" if message.get("text") is None else said(message)
        text = harmless(f"{message.get('by', '')}: {words}").replace("\n", " ")
        return f"{where}{message['seq']:>4}  {at}  {text}"
