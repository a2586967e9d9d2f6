"""What a user lets others know of them, and who may write to them (RCPT-08, REQ-01, 12; C-10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from ..commands import UserCommand, UserQuery
from ..errors import Rejected
from ..people import Level
from ..personal import Personal, SettingsChanged, UserContext, Visibility


class SetSettings(UserCommand):
    """Change what is given, and leave the rest. What the product does not leave to its users is
    FEATURE_DISABLED."""

    name: ClassVar[str] = "settings.set"
    in_conversation: ClassVar[bool] = False

    read_receipts: bool | None = None
    presence: Visibility | None = None
    messages_from: Level | None = None

    def decide(self, personal: Personal, context: UserContext) -> Iterable[SettingsChanged]:
        after = personal.settings
        if self.read_receipts is not None:
            if not context.policy.receipts_optout:
                raise Rejected("FEATURE_DISABLED", details={"field": "read_receipts"})
            after = replace(after, read_receipts=self.read_receipts)
        if self.presence is not None:
            if not context.policy.presence_optout:
                raise Rejected("FEATURE_DISABLED", details={"field": "presence"})
            after = replace(after, presence=self.presence)
        if self.messages_from is not None:
            if not context.policy.message_requests:
                raise Rejected("FEATURE_DISABLED", details={"field": "messages_from"})
            after = replace(after, messages_from=self.messages_from)
        yield after


class GetSettings(UserQuery):
    """All of the caller's settings."""

    name: ClassVar[str] = "settings.get"
