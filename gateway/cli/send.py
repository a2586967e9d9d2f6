"""`palaver send`: lines in, ids of durable messages out."""

from __future__ import annotations

from collections.abc import AsyncIterator
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

    An id is printed when its message is durable. Exit status: 0 if all are, 1 if some were refused,
    2 if it could not go on.
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
    from ..client import linear
    from .screen import piped

    with way.in_words():
        async with way.client(pushes=False, backoff=at_first(linear)) as client:
            await client.connected()
            if text is None:
                return await letters.send_lines(client, piped())
            return 0 if await letters.send(client, text, letters.client_id) else 1


@dataclass(frozen=True, slots=True)
class Letters:
    to: str | None
    conversation: str | None
    client_id: str | None

    async def send_lines(self, client: Client, lines: AsyncIterator[str]) -> int:
        """One after another; empty ones are passed over. How many were refused."""
        number = refused = 0
        async for line in lines:
            number += 1
            if line.strip():
                id = self.client_id and f"{self.client_id}.{number}"
                refused += not await self.send(client, line, id, f"line {number}: ")
        return refused

    async def send(self, client: Client, text: str, id: str | None, where: str = "") -> bool:
        """Until it is durable, however often the server asks to wait; whether it is."""
        import trio

        from ..client import Expired, Rejected
        from ..client.calling import given

        payload = given(text=text, to=self.to, client_id=id)
        try:
            outgoing = await client.enqueue_call("message.send", payload, self.conversation)
            result = await outgoing.answer()
        except (Rejected, Expired) as error:
            reason = error.message if isinstance(error, Rejected) else str(error)
            complain(where + reason)
            return False
        await trio.to_thread.run_sync(partial(print, result["id"], flush=True))
        return True
