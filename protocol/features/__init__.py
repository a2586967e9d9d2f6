"""The features of a conversation, one file each.

A new feature is a new file here and a line in `FEATURES`: its commands, events and signals are
then known to the codec, the machine, the log and the docs.
"""

from __future__ import annotations

from types import ModuleType
from typing import TypeVar

from ..commands import (
    Command,
    ConversationCommand,
    DurableCommand,
    Query,
    SessionCommand,
    UserCommand,
    UserQuery,
)
from ..events import EventData, MessageChange, SignalData, Void
from ..personal import UserEventData
from ..state import Slice
from . import (
    attachments,
    blocks,
    business_events,
    conversation,
    deletes,
    drafts,
    edits,
    expiry,
    forwards,
    group_settings,
    hides,
    history,
    inbox,
    inspection,
    lock,
    marks,
    media,
    members,
    membership,
    messages,
    pins,
    polls,
    preferences,
    reactions,
    references,
    requests,
    restores,
    schedule,
    search,
    settings,
    stars,
    subscriptions,
    system,
    templates,
    threads,
    typing,
    users,
)

FEATURES: tuple[ModuleType, ...] = (
    conversation,
    group_settings,
    lock,
    members,
    membership,
    messages,
    edits,
    deletes,
    expiry,
    restores,
    system,
    references,
    pins,
    reactions,
    threads,
    forwards,
    polls,
    marks,
    typing,
    subscriptions,
    history,
    media,
    attachments,
    inbox,
    inspection,
    preferences,
    stars,
    hides,
    drafts,
    settings,
    schedule,
    templates,
    business_events,
    search,
    users,
    blocks,
    requests,
)

_BASES = {
    Command,
    ConversationCommand,
    DurableCommand,
    Query,
    SessionCommand,
    UserCommand,
    UserQuery,
    EventData,
    MessageChange,
    SignalData,
    UserEventData,
}

T = TypeVar("T", Command, EventData, SignalData, UserEventData)


def _named(base: type[T]) -> dict[str, type[T]]:
    return {
        kind.name: kind
        for module in FEATURES
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, base) and kind not in _BASES
    }


COMMANDS: dict[str, type[Command]] = {
    name: kind for name, kind in _named(Command).items() if not kind.host_only
}
"""What clients may ask for."""
EVENTS: dict[str, type[EventData]] = {**_named(EventData), Void.name: Void}
USER_EVENTS: dict[str, type[UserEventData]] = _named(UserEventData)
SIGNALS: dict[str, type[SignalData]] = _named(SignalData)
SLICES: tuple[Slice[object], ...] = tuple(
    dict.fromkeys(
        part for module in FEATURES for part in vars(module).values() if isinstance(part, Slice)
    )
)
