"""Reacting to a message with an emoji (MSG-14, 15, 16; C-41)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from emoji import demojize, emojize, is_emoji
from pydantic import Field

from ..commands import Context, DurableCommand, Effect, Needs
from ..errors import Rejected, invalid
from ..events import Event, MessageChange
from ..ids import MessageId
from ..immutable import immutable
from ..message import Message
from ..policy import Policy
from ..state import ConversationState

_CUSTOM = re.compile(r":[a-z0-9_+-]{1,32}:")


@immutable
class ReactionChanged(MessageChange):
    """`by` has put `emoji` on the message, or taken it off; so many have it there now.

    `count` is said rather than counted by whoever reads it, so that taking the event twice does no
    harm.
    """

    name: ClassVar[str] = "reaction.changed"

    emoji: str
    on: bool
    count: int

    def change(self, message: Message, event: Event) -> None:
        # Made anew, not in place: a row on its way to the store shares what is inside.
        assert event.sender is not None
        reactions = {**message.reactions}
        users = [user for user in reactions.get(self.emoji, ()) if user != event.sender]
        reactions[self.emoji] = [*users, event.sender] if self.on else users
        message.overlay.data["reactions"] = {
            emoji: users for emoji, users in reactions.items() if users
        }


class SetReaction(DurableCommand):
    """One per user, emoji and message; setting what is so already changes nothing (MSG-14).

    A message remembers who has put what on it, at most `max_reactions` different emoji of at most
    `max_reactors` users each. Beyond that a reaction is refused, so that counts are always exact.
    """

    name: ClassVar[str] = "reaction.set"

    message_id: MessageId
    emoji: str = Field(min_length=1, max_length=64)
    on: bool = True

    def needs(self, state: ConversationState) -> Needs:
        return Needs(messages=(self.message_id,))

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        policy = context.policy
        if policy.reactions == "off":
            raise Rejected("FEATURE_DISABLED")
        message = context.message(self.message_id)
        emoji = spelled(self.emoji)
        users = message.reactions.get(emoji, [])
        if self.on == (context.user in users):
            return
        if self.on:
            if not is_allowed(emoji, policy):
                raise invalid("emoji", "not a reaction that can be given here")
            if not users and len(message.reactions) >= policy.max_reactions:
                raise invalid("emoji", f"at most {policy.max_reactions} different ones")
            if len(users) >= policy.max_reactors:
                raise invalid("emoji", f"at most {policy.max_reactors} users")
        yield ReactionChanged(
            message_id=message.id,
            message_seq=message.seq,
            emoji=emoji,
            on=self.on,
            count=len(users) + (1 if self.on else -1),
        )


def spelled(emoji: str) -> str:
    """The one spelling (fully qualified) of an emoji that may be sent with or without variation
    selectors, and looks the same; anything else as it is."""
    return emojize(demojize(emoji)) if is_emoji(emoji) else emoji


def is_allowed(emoji: str, policy: Policy) -> bool:
    """Whether the product's vocabulary has it (MSG-15)."""
    if policy.reactions == "listed" and emoji in map(spelled, policy.listed_reactions):
        return True
    if policy.reactions == "any" or policy.custom_reactions:
        return is_emoji(emoji) or (policy.custom_reactions and _CUSTOM.fullmatch(emoji) is not None)
    return False
