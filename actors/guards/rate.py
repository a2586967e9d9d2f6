"""How much a user may send: the check after membership and before all others (SEND-22)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from ...protocol.errors import Rejected
from ...protocol.features.conversation import CreateConversation
from ...protocol.features.messages import SendMessage
from ...protocol.state import ConversationState
from ..hub import Hub
from ..request import Request
from ..resident import Resident

if TYPE_CHECKING:
    from ..session import Session


def check_rate(request: Request[Any], resident: Resident, hub: Hub) -> None:
    """Raise RATE_LIMITED, with `retry_after`, if the user sends too many messages, or too many to
    strangers, or opens too many conversations (SEC-03, 04, 05).

    A repetition counts, too, but while its first is at hand it gets that one's answer whatever the
    rate: to be told «not now» of what is stored would help nobody.
    """
    command = request.command
    sends = isinstance(command, SendMessage)
    if not request.asker.limited or not (sends or isinstance(command, CreateConversation)):
        return
    session = hub.sessions.get(request.user)
    if session is None:  # without a device here (REST); the bucket has to last until it is full
        session = hub.session_of(request.user)
        session.linger()
    state = resident.state
    if not sends:
        wait = 0.0 if state.exists else session.openings.take(trio.current_time())
        if wait:
            raise Rejected("RATE_LIMITED", retry_after=wait)
        return
    if state.members[request.user].role is None if state.exists else command.to is None:
        return  # not a member any more, or no such conversation: the earlier reason to refuse it
    wait = _wait(session, state, trio.current_time())
    if not wait:
        return
    if not command.client_id or resident.ring.led_to(request.user, command.client_id) is None:
        raise Rejected("RATE_LIMITED", retry_after=wait)


def _wait(session: Session, state: ConversationState, now: float) -> float:
    """Until the next message may be sent here. It is to a stranger as long as that one has not
    accepted; before there is a conversation nobody knows better yet."""
    wait = session.messages.take(now)
    if not wait and not state.exists:
        wait = session.openings.take(now)
    if not wait and (not state.exists or state.asks(session.user)):
        wait = session.to_strangers.take(now)
    return wait
