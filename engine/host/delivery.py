"""The delivery port: the host is told of messages for users who are away, to push them (SEND-13).

`Delivery` is what a host implements: an embedding application in Python, or over HTTP what
`HttpDelivery` asks. There is no third adapter: what tokens say cannot be told anything.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import trio

from ...actors.host import Delivery, Notice
from ...protocol.errors import Rejected
from .asking import Asking, NotAsked
from .callback import Callback
from .tools import Tools

TURN_S: Final = 10.0
"""For one's turn to come: shorter than a job may take."""


class HttpDelivery:
    """`Delivery` of a host that is told by HTTP (docs/embedding.md)."""

    def __init__(self, callback: Callback) -> None:
        self._callback = callback

    async def deliver(self, notice: Notice) -> None:
        said = {
            "user": notice.user,
            "conversation": notice.conversation,
            "message": notice.message,
        }
        await self._callback.ask("delivery", said, id=notice.id)


class PatientDelivery:
    """What the actors see of it (`actors/host.py`). Jobs can wait for their turn, so only the time
    that the host takes counts against its deadline. What is not even tried, since the host is away
    or there are too many before it, is OVERLOADED, which is no try."""

    def __init__(self, host: Delivery, asking: Asking, turns: int) -> None:
        self._host = host
        self._asking = asking
        self._turns = trio.CapacityLimiter(turns)

    async def deliver(self, notice: Notice) -> None:
        with trio.move_on_after(TURN_S) as patience:
            await self._turns.acquire()
        if patience.cancelled_caught:
            raise Rejected("OVERLOADED")
        try:
            await self._asking.ask(partial(self._host.deliver, notice))
        except NotAsked as no:
            raise Rejected("OVERLOADED", retry_after=no.retry_after) from None
        finally:
            self._turns.release()


def open_delivery(tools: Tools, given: Delivery | None) -> PatientDelivery | None:
    """The port as the settings say, or to what the embedding application has `given`; None if
    nobody is told."""
    if given is None and tools.settings.delivery == "none":
        return None
    host = HttpDelivery(tools.callback) if given is None else given
    return PatientDelivery(host, tools.asking("delivery"), tools.settings.max_requests)
