"""Which messages a page is made of."""

from __future__ import annotations

from ..protocol.immutable import immutable
from ..protocol.message import Message
from ..protocol.references import Reference, refers
from ..protocol.state import ConversationState


@immutable
class Wanted:
    """`limit` of those that `user` may see, next to one cursor or next to none; deleted ones among
    them with `tombstones`, the events that are shown like messages with `system`. `before` and
    `after` are seqs, exclusive, `before_time` is in milliseconds; they
    refer to `about`, if that is given."""

    user: str
    limit: int
    tombstones: bool
    system: bool = False
    before: int | None = None
    after: int | None = None
    before_time: int | None = None
    about: Reference | None = None

    def has(self, message: Message, state: ConversationState) -> bool:
        """Whether `message` is one of them, as both are now."""
        return (
            state.may_see(self.user, message)
            and message.is_listed(self.tombstones)
            and (self.before is None or message.seq < self.before)
            and (self.after is None or message.seq > self.after)
            and (self.before_time is None or message.at < self.before_time)
            and (self.about is None or refers(message.current("context"), self.about))
        )
