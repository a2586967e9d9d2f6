"""Who looks at a conversation is told of the presence of its members, if there are not too many."""

from __future__ import annotations

from ..protocol.commands import Subscribe
from ..protocol.state import ConversationState
from .environment import Environment
from .fanout import FanOut
from .outbox import Outbox


class Looking:
    """The subscribers of one conversation, and the presence that they are told of (RCPT-16)."""

    def __init__(self, id: str, env: Environment, fanout: FanOut) -> None:
        self._id = id
        self._env = env
        self._fanout = fanout

    def subscribe(self, box: Outbox, change: Subscribe, state: ConversationState) -> None:
        before = bool(self._fanout.subscribers)
        self._fanout.subscribe(box, change)
        if bool(self._fanout.subscribers) != before:
            self._watch(state)

    def members_changed(self, state: ConversationState) -> None:
        if self._fanout.subscribers:
            self._watch(state)

    def _watch(self, state: ConversationState) -> None:
        few = state.member_count <= self._env.policy.max_presence_members
        wanted = self._fanout.subscribers and few
        self._env.hub.watch(self._id, state.current_members() if wanted else ())
