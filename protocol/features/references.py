"""What a conversation and its messages are about, and that such a thing is gone (CONV-05)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from ..commands import NOTHING, Context, DurableCommand, Effect, Needs, SessionCommand
from ..events import Event, EventData
from ..ids import MessageId
from ..immutable import immutable
from ..message import Message
from ..policy import Policy
from ..references import OneReference, check_references, refers, the_one
from ..state import ConversationState, Slice

CONTEXT: Slice[dict[str, str | None]] = Slice("context", dict, public=True)
"""Of the conversation, as it was created, less what is gone. Made anew by every change: rows on
their way to the store share it."""


def message_context(
    given: Mapping[str, str] | None, state: ConversationState, policy: Policy, *, direct: bool
) -> dict[str, str] | None:
    """What a message refers to: the same as its conversation, as far as messages may, and over that
    what it was `given`. If it names its conversation as a `direct` one, that may be told apart by
    `given`, too."""
    types = policy.message_context
    apart = policy.conversation_context if direct and policy.direct_key == "pair_context" else ()
    given = given or {}
    check_references(given, dict.fromkeys((*types, *apart)))
    own = {type: id for type, id in CONTEXT.of(state).items() if id is not None and type in types}
    own.update((type, id) for type, id in given.items() if type in types)
    return own or None


def tells_apart(context: Mapping[str, str | None] | None, policy: Policy) -> dict[str, str] | None:
    """That of `context` by which one direct conversation differs from others of the same two users
    (CONV-03, C-13); None if nothing does."""
    if not context or policy.direct_key != "pair_context":
        return None
    types = policy.conversation_context
    return {type: id for type, id in context.items() if id is not None and type in types} or None


@immutable
class ReferenceDropped(EventData):
    """The thing in `context` is gone: the message is about it no more, or, without a message, the
    conversation. What remains is that there was one: None."""

    name: ClassVar[str] = "reference.dropped"

    context: dict[str, str]
    message_id: str | None = None
    message_seq: int | None = None

    @property
    def target(self) -> tuple[str, int] | None:
        if self.message_id is None or self.message_seq is None:
            return None
        return self.message_id, self.message_seq

    @property
    def references(self) -> Mapping[str, str]:
        return self.context

    def apply(self, state: ConversationState, event: Event) -> None:
        if self.message_id is None:
            state.slices[CONTEXT.name] = CONTEXT.of(state) | dict.fromkeys(self.context)

    def change(self, message: Message, event: Event) -> None:
        context = message.current("context") or {}
        message.overlay.data["context"] = context | dict.fromkeys(self.context)


class DropReference(SessionCommand):
    """The host says that a thing is gone: no conversation and no message refers to it any more.
    They stay. May be repeated, and goes on where it was."""

    name: ClassVar[str] = "reference.drop"
    host_only: ClassVar[bool] = True

    context: OneReference


class DropHere(DurableCommand):
    """The same of one conversation and those of its messages."""

    name: ClassVar[str] = "reference.drop_here"
    host_only: ClassVar[bool] = True
    while_locked: ClassVar[bool] = True

    context: OneReference
    messages: tuple[MessageId, ...]

    def needs(self, state: ConversationState) -> Needs:
        return Needs(messages=self.messages) if self.messages else NOTHING

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        gone = the_one(self.context)
        if refers(CONTEXT.of(state), gone):
            yield ReferenceDropped(self.context)
        for id in self.messages:
            message = context.messages.get(id)  # be it deleted
            if message is not None and refers(message.current("context"), gone):
                yield ReferenceDropped(self.context, message.id, message.seq)
