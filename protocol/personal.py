"""What is a user's own: how they keep their conversations, and what others may know of them.

Nobody else may see that any of it happened, so it takes no conversation's seq: it goes to the
user's own numbered log, which all their devices follow (docs/protocol.md).

Every user event says all that holds from now on of its `subject`, so to take one twice is harmless,
a repeated command changes nothing, and the log keeps of each subject the last event only: it is
bounded by what there is to say, and whoever reads it from the start knows everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from .events import Payload
from .immutable import immutable
from .message import Message
from .people import Barred, Level, RequestStatus
from .policy import Policy

FOREVER = 253_402_300_799_999
"""A time in milliseconds that does not come: the end of the year 9999."""


@immutable
class UserEventData(Payload):
    """What one kind of private change says."""

    remembered: ClassVar[bool] = True
    """It is part of `Personal`. The others are rows of a store, and there may be many."""

    @property
    def subject(self) -> str:
        """What it is about: a later event of the same subject replaces it."""
        raise NotImplementedError

    @property
    def affects(self) -> str | None:
        """The conversation that looks different to this user from now on, if one does."""
        return None

    def apply(self, personal: Personal) -> None:
        """Change what is remembered: the same when it happens and when it is read from the log."""


@immutable
class PreferenceChanged(UserEventData):
    """How one member keeps one conversation from now on (CONV-11). Times in ms, 0 for never.

    `hidden_seq` and `hidden_number` are where the conversation stood when it was deleted from the
    inbox: nothing up to there is shown, and it comes back with the next message (CONV-13).
    """

    name: ClassVar[str] = "preference.changed"

    conversation: str
    muted_until: int = 0
    pinned_at: int = 0
    archived: bool = False
    unread: bool = False
    hidden_seq: int = 0
    hidden_number: int = 0

    @property
    def subject(self) -> str:
        return f"preference {self.conversation}"

    @property
    def affects(self) -> str:
        return self.conversation

    def apply(self, personal: Personal) -> None:
        personal.preferences[self.conversation] = self
        personal.look(self.conversation)

    def muted(self, now: int) -> bool:
        """Muting ends by itself."""
        return now < self.muted_until

    def shown(self, now: int) -> dict[str, Any]:
        """What differs from how conversations are kept by default."""
        shown = {name: value for name, value in self.fields().items() if value}
        del shown["conversation"]
        if not self.muted(now):
            shown.pop("muted_until", None)
        return shown


Visibility = Literal["everyone", "nobody"]


@immutable
class SettingsChanged(UserEventData):
    """What others may know of the user. `read_receipts` off: nobody is told what they have read or
    received (RCPT-08). `presence` nobody: for others they are never online, nor seen (REQ-12).
    `messages_from`: who may write to them (REQ-01)."""

    name: ClassVar[str] = "settings.changed"

    read_receipts: bool = True
    presence: Visibility = "everyone"
    messages_from: Level = "everyone"

    @property
    def subject(self) -> str:
        return "settings"

    def apply(self, personal: Personal) -> None:
        personal.settings = self


@dataclass(slots=True)
class Personal:
    """Bounded by the user's conversations. `preferences` holds those that were ever changed.

    `barred` are those whom the user keeps out, and how; `barred_in` the direct conversations with
    them. `waiting` are the conversations in which something waits for the user to turn to them: a
    draft, or a mark as unread.
    """

    preferences: dict[str, PreferenceChanged] = field(default_factory=dict)
    drafts: set[str] = field(default_factory=set)
    settings: SettingsChanged = field(default_factory=SettingsChanged)
    waiting: set[str] = field(default_factory=set)
    barred: dict[str, Barred] = field(default_factory=dict)
    barred_in: set[str] = field(default_factory=set)

    def preference(self, conversation: str) -> PreferenceChanged:
        return self.preferences.get(conversation) or PreferenceChanged(conversation=conversation)

    def look(self, conversation: str) -> None:
        """Note whether something waits in `conversation`."""
        if conversation in self.drafts or self.preference(conversation).unread:
            self.waiting.add(conversation)
        else:
            self.waiting.discard(conversation)


@immutable
class Place:
    """A conversation in which the caller is a member, as it stands; and the message of it that a
    command speaks of, which is there and visible to the caller. `request` says whether it is, or
    was, a request to the caller."""

    conversation: str
    seq: int
    number: int
    message: Message | None = None
    request: RequestStatus | None = None


@dataclass(slots=True)
class UserContext:
    """What the decision of a `UserCommand` may know besides `Personal`. Times are in ms; `seen` is
    when the others may know the caller to have been online last, if they may know."""

    user: str
    now: int
    policy: Policy
    at: Place | None = None
    seen: int | None = None

    @property
    def place(self) -> Place:
        assert self.at is not None, "the command says that it needs one"
        return self.at

    @property
    def message(self) -> Message:
        assert self.place.message is not None, "the command names one"
        return self.place.message
