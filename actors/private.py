"""What members keep to themselves, brought into the state of a conversation that is in memory.

It is stored by the member's session and not by the conversation, which learns of it afterwards, or
when it is loaded the next time.
"""

from __future__ import annotations

from collections.abc import Collection

import structlog

from ..protocol.errors import Rejected
from ..protocol.features.hides import MessageHidden
from ..protocol.personal import Place, PreferenceChanged, UserEventData
from ..protocol.records import Messages
from ..protocol.roles import require_member
from ..protocol.state import Hidden
from .logs import stack
from .ports import UserLogs
from .resident import Resident

_log = structlog.get_logger("palaver.conversation")


def place(resident: Resident, user: str, about: str | None, read: Messages | None = None) -> Place:
    """Where `user`, a member, does something of their own; with the message `about` which it is, if
    it is recent or among the `read` ones, and they may see it."""
    state, ring = resident.state, resident.ring
    require_member(state, user)
    message = None if about is None else ring.message(about)
    if message is None and read is not None:
        ring.overlay(read.messages, read.as_of)
        message = next(iter(read.messages), None)
    if message is not None and not state.may_see(user, message):
        raise Rejected("MESSAGE_NOT_FOUND", details={"message_id": about})
    return Place(state.id, state.seq, state.number, message, state.request_to(user))


def hide_in(resident: Resident, user: str, data: UserEventData, as_of: int) -> bool:
    """Take in what `data` of `user` hides, decided when the head was `as_of`. False if it cannot be
    told any more what has been deleted since."""
    state, ring = resident.state, resident.ring
    hidden = state.hidden.get(user) or Hidden()
    if isinstance(data, MessageHidden):
        if as_of + 1 < ring.first:
            return False
        since = (push.event for push in ring.after(as_of))
        gone = False
        for event in since:
            if event is not None and data.message_seq in (event.data.uncounts, event.data.recounts):
                gone = event.data.erases
        hidden.messages[data.message_seq] = data.counted and not gone
    elif isinstance(data, PreferenceChanged) and data.hidden_seq > hidden.seq:
        if data.hidden_seq + 1 < ring.first:
            return False
        position = ring.position(data.hidden_seq, user)
        hidden.seq, hidden.number = data.hidden_seq, data.hidden_number
        hidden.excluded = 0 if position is None else position.excluded
        hidden.messages = {s: counts for s, counts in hidden.messages.items() if s > hidden.seq}
    if hidden.seq or hidden.messages:
        state.hidden[user] = hidden
    return True


async def learn_reticence(resident: Resident, users: Collection[str], logs: UserLogs) -> None:
    """Find out which of `users`, who have just joined, are reticent. Until that is known all of
    them are: rather a receipt too few than one too many."""
    resident.state.reticent.update(users)
    try:
        reticent = await logs.reticent(users)
    except Rejected:
        return
    except Exception as error:
        _log.error("reading settings failed", stack=stack(error))
        return
    resident.state.reticent.difference_update(set(users) - reticent)
