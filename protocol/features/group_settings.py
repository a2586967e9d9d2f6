"""What a group says of itself, and whom it lets send and add (GRP-03, GRP-05, GRP-06, CONV-17)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar

from pydantic import StringConstraints

from ..commands import Context, DurableCommand, Effect
from ..errors import invalid
from ..events import Event, EventData
from ..immutable import immutable
from ..policy import Policy
from ..roles import GROUP_SETTINGS, RANK, Who, require
from ..state import ConversationState, Slice

SETTINGS = Slice[dict[str, str]]("settings", dict, public=True)
"""Those that were set, by the names of the fields below. `roles.may` reads it, too."""

Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
Icon = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]


@immutable
class SettingsChanged(EventData):
    """Only what is new; an empty `description` or `icon` takes it away."""

    name: ClassVar[str] = "conversation.settings_changed"
    is_system: ClassVar[bool] = True

    description: str | None = None
    icon: str | None = None
    who_may_send: Who | None = None
    who_may_add: Who | None = None

    def apply(self, state: ConversationState, event: Event) -> None:
        settings = SETTINGS.change(state)
        settings.update(self.fields())
        for name in [name for name, value in settings.items() if not value]:
            del settings[name]


class ChangeSettings(DurableCommand):
    """Fields that are not given stay as they are. `icon` is a URL, or whatever else clients agree
    upon: it is not looked at here."""

    name: ClassVar[str] = "conversation.change_settings"

    description: Description | None = None
    icon: Icon | None = None
    who_may_send: Who | None = None
    who_may_add: Who | None = None

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        require(state, context.user, "change_settings")
        for name in GROUP_SETTINGS.values():
            if getattr(self, name) == "admins" and not _has_admins(context.policy):
                raise invalid(name, "there are no admins here")
        now, new = SETTINGS.of(state), dict[str, Any]()
        for name in SettingsChanged.field_names():
            value = getattr(self, name)
            if value is not None and value != now.get(name, ""):
                new[name] = value
        if new:
            yield SettingsChanged(**new)


def _has_admins(policy: Policy) -> bool:
    return RANK[policy.highest_role] >= RANK["admin"]
