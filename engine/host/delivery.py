"""The delivery port: the host is told of messages for users who are away, to push them (SEND-13).

`Delivery` is what a host implements: an embedding application in Python, or over HTTP what
`HttpDelivery` asks. There is no third adapter: what tokens say cannot be told anything.
"""

from __future__ import annotations

from functools import partial

from ...actors.host import Delivery, Notice
from .callback import Callback
from .patience import Patience
from .tools import Tools


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
    """What the actors see of it (`actors/host.py`)."""

    def __init__(self, host: Delivery, patience: Patience) -> None:
        self._host = host
        self._patience = patience

    async def deliver(self, notice: Notice) -> None:
        await self._patience.tell(partial(self._host.deliver, notice))


def open_delivery(tools: Tools, given: Delivery | None) -> PatientDelivery | None:
    """The port as the settings say, or to what the embedding application has `given`; None if
    nobody is told."""
    if given is None and tools.settings.delivery == "none":
        return None
    host = HttpDelivery(tools.callback) if given is None else given
    return PatientDelivery(host, Patience(tools.asking("delivery"), tools.settings.max_requests))
