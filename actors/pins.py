"""The pinned messages of a conversation, as they are now."""

from __future__ import annotations

from typing import Any, ClassVar

from ..protocol.features.pins import ListPins, check_pins, pins_of
from ..protocol.machine import visible
from ..protocol.message import Message
from ..protocol.paging import page_size
from ..protocol.policy import Policy
from ..protocol.roles import require_member
from .by_id import ById, quotes
from .outbox import Push
from .ports import Conversations
from .resident import Resident


class PinsRead:
    """`pin.list`. Of messages that one may not see nothing is listed; deleted ones are listed where
    history has them."""

    of_shown: ClassVar[bool] = False

    def __init__(self, query: ListPins, user: str, policy: Policy) -> None:
        self._before = query.before
        self._limit = page_size(query.limit, policy.messages_page, policy.max_messages_page)
        self._user = user
        self._policy = policy
        self._id = ""
        self._pinned = ById()
        self._quoted = ById()

    def missing(self, resident: Resident) -> bool:
        require_member(resident.state, self._user)
        check_pins(self._policy)
        self._id = resident.state.id
        if self._pinned.missing(resident, pins_of(resident.state, self._user)):
            return True
        return self._quoted.missing(resident, quotes(self._page(resident)[0]))

    async def fetch(self, store: Conversations) -> None:
        await self._pinned.fetch(store, self._id)
        await self._quoted.fetch(store, self._id)

    def _there(self, resident: Resident) -> dict[str, Message]:
        found = {id: self._pinned.given(resident, id) for id in pins_of(resident.state, self._user)}
        return {id: message for id, message in found.items() if message is not None}

    def _page(self, resident: Resident) -> tuple[list[Message], bool]:
        """The page, and whether there are older ones."""
        there = self._there(resident)
        before, limit = self._before, self._limit
        pinned = [
            message
            for message in visible(resident.state, self._user, there).values()
            if message.is_listed(self._policy.show_tombstones)
            and (before is None or message.seq < before)
        ]
        pinned.sort(key=lambda message: message.seq)
        return pinned[-limit:], len(pinned) > limit

    def answer(self, resident: Resident) -> tuple[list[Push], dict[str, Any]]:
        page, more = self._page(resident)
        outreaches = resident.state.outreaches
        there = self._there(resident).values()
        limited = any(outreaches(self._user, message.at) for message in there)
        return [], {
            "messages": [
                message.wire(self._quoted.quoted(resident, self._user, message), self._user)
                for message in page
            ],
            "more": more,
            "seq": resident.state.seq,
            **({"limited": True} if limited else {}),
        }
