"""Polls: a message of type `poll` asks, members vote (MSG-21). The question is its text, the
options are its metadata (`media.Poll`), so it is sent, replied to, forwarded and deleted like any
other message."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from ..commands import Context, DurableCommand, Effect, Needs
from ..errors import invalid
from ..events import Event, MessageChange
from ..ids import MessageId
from ..immutable import immutable
from ..message import Message
from ..state import ConversationState


@immutable
class PollVoted(MessageChange):
    """`by` votes for the option of this index, or has taken the vote back: then there is no
    `option`. `tally` is how many votes each option has now: said rather than counted by whoever
    reads it, so that taking the event twice does no harm."""

    name: ClassVar[str] = "poll.voted"

    tally: list[int]
    option: int | None = None

    def change(self, message: Message, event: Event) -> None:
        assert event.sender is not None
        # Made anew, not in place: a row on its way to the store shares what is inside.
        votes = {**_votes(message), event.sender: self.option}
        message.overlay.data["votes"] = {by: to for by, to in votes.items() if to is not None}
        message.overlay.data["tally"] = self.tally


class VotePoll(DurableCommand):
    """One vote per user: the next one replaces it, None takes it back. Who votes for what is open.
    The same again changes nothing."""

    name: ClassVar[str] = "poll.vote"

    message_id: MessageId
    option: int | None = Field(ge=0)

    def needs(self, state: ConversationState) -> Needs:
        return Needs(messages=(self.message_id,))

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        message = context.message(self.message_id)
        if message.sent.get("type") != "poll":
            raise invalid("message_id", "must be that of a poll")
        options = len(message.current("metadata")["options"])
        if self.option is not None and self.option >= options:
            raise invalid("option", f"must be below {options}")
        votes = _votes(message)
        before = votes.get(context.user)
        if self.option == before:
            return
        tally = [0] * options
        for option in {**votes, context.user: self.option}.values():
            if option is not None:
                tally[option] += 1
        yield PollVoted(message.id, message.seq, tally, self.option)


def _votes(message: Message) -> dict[str, int | None]:
    votes: dict[str, int | None] = message.overlay.data.get("votes", {})
    return votes
