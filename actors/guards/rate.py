"""How much a user may send: the check after membership and before all others (SEND-22)."""

from __future__ import annotations

from typing import Any

import trio

from ...protocol.errors import Rejected
from ...protocol.features.messages import SendMessage
from ..hub import Hub
from ..request import Request
from ..resident import Resident


def check_rate(request: Request[Any], resident: Resident, hub: Hub) -> None:
    """Raise RATE_LIMITED, with `retry_after`, if the user sends too many messages (SEC-03, SEC-05).

    A repetition counts, too, but while its first is at hand it gets that one's answer whatever the
    rate: to be told «not now» of what is stored would help nobody.
    """
    command = request.command
    if not isinstance(command, SendMessage) or not request.asker.limited:
        return
    session = hub.sessions.get(request.user)
    if session is None:
        return
    state = resident.state
    if state.members[request.user].role is None if state.exists else command.to is None:
        return  # not a member any more, or no such conversation: the earlier reason to refuse it
    wait = session.messages.take(trio.current_time())
    if not wait:
        return
    if not command.client_id or resident.ring.led_to(request.user, command.client_id) is None:
        raise Rejected("RATE_LIMITED", retry_after=wait)
