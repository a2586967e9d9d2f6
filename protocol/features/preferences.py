"""How a member keeps a conversation, which nobody else can see (CONV-10…14)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from pydantic import Field, model_validator

from ..commands import UserCommand
from ..errors import Rejected
from ..personal import FOREVER, Personal, PreferenceChanged, UserContext, UserEventData
from .drafts import DraftCleared


class SetPreference(UserCommand):
    """Change what is given, and leave the rest. `muted` is for good, `muted_until` (ms) ends by
    itself; `unread` marks it as unread by hand, until the caller reads or sends there."""

    name: ClassVar[str] = "preference.set"

    muted: bool | None = None
    muted_until: int | None = Field(default=None, ge=0, le=FOREVER)
    pinned: bool | None = None
    archived: bool | None = None
    unread: bool | None = None

    @model_validator(mode="after")
    def _one_way_to_mute(self) -> SetPreference:
        if self.muted is not None and self.muted_until is not None:
            raise ValueError("give muted or muted_until, not both")
        return self

    def decide(self, personal: Personal, context: UserContext) -> Iterable[UserEventData]:
        before = after = personal.preference(context.place.conversation)
        if self.muted is not None:
            after = replace(after, muted_until=FOREVER if self.muted else 0)
        if self.muted_until is not None:
            after = replace(after, muted_until=self.muted_until)
        if self.pinned is not None:
            if not context.policy.conversation_pins:
                raise Rejected("FEATURE_DISABLED", details={"field": "pinned"})
            since = before.pinned_at or context.now
            after = replace(after, pinned_at=since if self.pinned else 0)
        if self.archived is not None:
            after = replace(after, archived=self.archived)
        if self.unread is not None:
            after = replace(after, unread=self.unread)
        if after != before:
            yield after


class HideConversation(UserCommand):
    """Delete it from the caller's own inbox, with everything that was said up to now. The next
    message brings it back, and only what is said from then on; muted is what stays as it was."""

    name: ClassVar[str] = "conversation.hide"

    def decide(self, personal: Personal, context: UserContext) -> Iterable[UserEventData]:
        place = context.place
        before = personal.preference(place.conversation)
        yield PreferenceChanged(
            conversation=place.conversation,
            muted_until=before.muted_until,
            hidden_seq=place.seq,
            hidden_number=place.number,
        )


class Attend(UserCommand):
    """The caller has sent something (`sent`) or read what there is: what waited for that is over.
    Nobody asks for this; it follows from what they did."""

    name: ClassVar[str] = "conversation.attend"
    host_only: ClassVar[bool] = True

    sent: bool

    def decide(self, personal: Personal, context: UserContext) -> Iterable[UserEventData]:
        conversation = context.place.conversation
        if self.sent and conversation in personal.drafts:
            yield DraftCleared(conversation=conversation)
        preference = personal.preference(conversation)
        if preference.unread:
            yield replace(preference, unread=False)
