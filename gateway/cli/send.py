"""`palaver send`: lines in, ids of durable messages out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from .access import Access, As, Ca, Token, Url, access, at_first
from .options import Config, Data
from .words import Problem, complain, in_words, ungrouped

if TYPE_CHECKING:
    from ..client import Client


@in_words
def send(
    text: Annotated[
        str | None, typer.Argument(help="What to say; without it, each line of the input.")
    ] = None,
    to: Annotated[str | None, typer.Option(help="To this user.")] = None,
    conversation: Annotated[str | None, typer.Option(help="Into this one, by its id.")] = None,
    client_id: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Repeated under the same one, nothing is said twice."),
    ] = None,
    user: As = None,
    url: Url = None,
    token: Token = None,
    ca: Ca = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Send TEXT, or each line of the input, and print the ids.

    An id is printed when its message is durable, however long that takes while there is a server;
    without one it gives up after a minute. Exit status: 0 if all are durable, 1 if some were
    refused, which are named by their lines, 2 if it could not go on.
    """
    import trio

    if (to is None) == (conversation is None):
        raise Problem("to whom? Say either --to USER or --conversation ID.")
    way = access(user, token, url, ca, config, data)
    letters = Letters(to, conversation, client_id)
    with ungrouped():
        refused = trio.run(_run, way, letters, text)
    if refused:
        raise typer.Exit(1)


async def _run(way: Access, letters: Letters, text: str | None) -> int:
    from .screen import piped

    with way.in_words():
        async with way.client(pushes=False, backoff=at_first(letters.patience)) as client:
            await client.connected()
            if text is None:
                return await letters.send_lines(client, piped())
            text = text.encode(errors="surrogateescape").decode(errors="replace")
            return 0 if await letters.send(client, text, letters.client_id) else 1


PATIENCE = 60.0
"""Seconds that a message may wait for a connection. Without one that waits there is no hurry."""


@dataclass(slots=True)
class Letters:
    to: str | None
    conversation: str | None
    client_id: str | None
    _since: float | None = None
    """When the present one began to wait, by trio's clock."""

    def patience(self) -> Iterator[float]:
        """The `Backoff` after a connection broke."""
        import trio

        from ..client import exponential

        for bound in exponential(cap=5.0):
            if self._since is not None and trio.current_time() - self._since > PATIENCE:
                return
            yield bound

    async def send_lines(self, client: Client, lines: AsyncIterator[str]) -> int:
        """One after another; empty ones are passed over. How many were refused."""
        from ..client import ClientEnded

        number = refused = 0
        async for line in lines:
            number += 1
            if line.strip():
                id = self.client_id and f"{self.client_id}.{number}"
                try:
                    refused += not await self.send(client, line, id, f"line {number}: ")
                except ClientEnded:
                    complain(f"line {number}: no answer; what comes after it was not sent")
                    raise
        return refused

    async def send(self, client: Client, text: str, id: str | None, where: str = "") -> bool:
        """Until it is durable, however often the server asks to wait; whether it is."""
        import trio

        from ..client import Expired, Rejected
        from ..client.calling import given

        payload = given(text=text, to=self.to, client_id=id)
        self._since = trio.current_time()
        try:
            outgoing = await client.enqueue_call("message.send", payload, self.conversation)
            result = await outgoing.answer()
        except (Rejected, Expired) as error:
            reason = error.message if isinstance(error, Rejected) else str(error)
            complain(where + reason)
            return False
        finally:
            self._since = None
        # Whoever reads it may be slow, or do so no more.
        show = partial(print, result["id"], flush=True)
        await trio.to_thread.run_sync(show, abandon_on_cancel=True)
        return True
