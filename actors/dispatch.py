"""From an inbound item to whoever carries it out: parsed once, here, and never again inside."""

from __future__ import annotations

from functools import partial

from ..protocol.commands import (
    Command,
    ConversationCommand,
    SessionCommand,
    parse_command,
)
from ..protocol.errors import Rejected, invalid
from ..protocol.features import COMMANDS
from ..protocol.features.conversation import CreateConversation
from ..protocol.features.marks import Acknowledge
from ..protocol.features.messages import SendMessage
from ..protocol.features.references import tells_apart
from ..protocol.frames import Item
from ..protocol.ids import direct_conversation_id, group_conversation_id
from .environment import Environment
from .outbox import Outbox
from .registry import Registry
from .request import Request
from .session import Sessions


class Dispatch:
    def __init__(self, env: Environment, registry: Registry, sessions: Sessions) -> None:
        self._env = env
        self._sessions = sessions
        self._registry = registry
        self._rated = env.limits.requests_per_min > 0

    def submit(self, asker: Outbox, item: Item) -> None:
        """Carry out one item. Never blocks or raises: every answer goes through `asker`."""
        gate = self._env.gate
        if gate is None:
            self._submit(asker, item)
        else:
            gate.enter(asker, item.id, item.conversation, partial(self._submit, asker, item))

    def carry_out(
        self, asker: Outbox, command: Command, id: int | str | None, conversation: str | None
    ) -> None:
        """The same for a command that is parsed already."""
        gate, go = self._env.gate, partial(self._carry_out, asker, command, id, conversation)
        if gate is None:
            go()
        else:
            gate.enter(asker, id, conversation, go)

    def _submit(self, asker: Outbox, item: Item) -> None:
        kind = COMMANDS.get(item.kind)
        try:
            if self._rated and asker.limited and not asker.counted:
                self._count(asker.user, kind)
            if kind is None:
                raise Rejected("UNSUPPORTED_COMMAND", details={"t": item.kind})
            payload = item.payload
            if kind is Acknowledge:
                payload = {"seq": item.seq}
            command = parse_command(kind, payload)
        except Rejected as no:
            Request(asker, Command(), item.id, item.conversation).refuse(no)
            return
        self._carry_out(asker, command, item.id, item.conversation)

    def _count(self, user: str, kind: type[Command] | None) -> None:
        if kind is None or kind.limited:
            wait = self._sessions.of(user).take_request()
            if wait:
                raise Rejected("RATE_LIMITED", retry_after=wait)

    def _carry_out(
        self, asker: Outbox, command: Command, id: int | str | None, conversation: str | None
    ) -> None:
        if isinstance(command, SessionCommand):
            session = self._sessions.of(asker.user)
            session.submit(Request(asker, command, id, conversation))
            return
        assert isinstance(command, ConversationCommand)
        request = Request(asker, command, id, conversation)
        try:
            request.conversation = self._conversation(asker.user, command, conversation)
        except Rejected as no:
            request.refuse(no)
            return
        self._registry.tell(request.conversation, request)

    def _conversation(self, user: str, command: ConversationCommand, named: str | None) -> str:
        """The conversation that `command` is for: the named one, or the one that it opens."""
        policy = self._env.policy
        profile = policy.profile
        if isinstance(command, CreateConversation):
            if named is not None:
                raise invalid("c", "a new conversation gets its id from the engine")
            if command.kind == "direct" and policy.direct_key != "none":
                others = [member for member in dict.fromkeys(command.members) if member != user]
                if not others:
                    raise Rejected("SELF_MESSAGE")
                about = tells_apart(command.context, policy)
                return direct_conversation_id(profile, user, others[0], context=about)
            key = command.client_id or self._env.new_id()
            return group_conversation_id(profile, user, key)
        if isinstance(command, SendMessage) and command.to is not None:
            if named is not None:
                raise invalid("to", "give c or to, not both")
            if command.to == user:
                raise Rejected("SELF_MESSAGE")
            if policy.direct_key == "none":
                raise invalid("to", "there may be many conversations with one user: name one in c")
            about = tells_apart(command.context, policy)
            return direct_conversation_id(profile, user, command.to, context=about)
        if named is None:
            raise invalid("c", "the conversation is missing")
        return named
