"""Ids, and the rules by which some of them follow from what they name.

Message and event ids are UUIDv7 strings handed in by the caller (this package has neither clock
nor randomness). The id of a conversation is a UUIDv5 of what makes it unique, so creating it needs
no directory: the same creation, repeated or raced, meets the same actor and the same first row
(CONV-03).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints

_NAMESPACE = uuid.UUID("6f0a3f0e-5d0c-5b6e-9a0b-70616c617665")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in its canonical lower-case form, the only one we accept."""
    return _UUID.fullmatch(text) is not None


def is_user_id(text: str) -> bool:
    """Whether `text` may be the id of a user."""
    return 0 < len(text) <= 128 and text.isprintable() and text == text.strip()


def _check_user_id(text: str) -> str:
    if not is_user_id(text):
        raise ValueError("must be printable, with no white space around it")
    return text


UserId = Annotated[
    str, StringConstraints(min_length=1, max_length=128), AfterValidator(_check_user_id)
]
"""Opaque to the engine: whatever the host product calls its users, at most 128 characters."""

HOST = ""
"""Who asks when the host itself does: never a user id."""

CLIENT_ID_CHARS: Final = 64
ClientId = Annotated[str, StringConstraints(min_length=1, max_length=CLIENT_ID_CHARS)]
"""Chosen by the client; makes a durable command idempotent per (conversation, sender)."""

MessageId = Annotated[str, StringConstraints(pattern=f"^{_UUID.pattern}$")]
UploadId = Annotated[str, StringConstraints(pattern=f"^{_UUID.pattern}$")]
ConversationId = Annotated[str, StringConstraints(pattern=f"^{_UUID.pattern}$")]


def _derive(*parts: str) -> str:
    # Length prefixes keep ("ab", "c") and ("a", "bc") apart.
    return str(uuid.uuid5(_NAMESPACE, "".join(f"{len(part)}:{part}" for part in parts)))


def direct_key(one: str, other: str, *, context: Mapping[str, str] | None = None) -> str:
    """The unordered pair as one string, with what their conversation is about where they have one
    for each such thing (C-13)."""
    first, second = sorted((one, other))
    # A line break is in no id, since it is not printable.
    about = [f"\n{type}={id}" for type, id in sorted((context or {}).items())]
    return f"{len(first)}:{first}{second}{''.join(about)}"


def direct_conversation_id(
    profile: str, one: str, other: str, *, context: Mapping[str, str] | None = None
) -> str:
    """The one direct conversation of two users (about that), whoever writes first."""
    return _derive("direct", profile, direct_key(one, other, context=context))


def forward_count_id(client_id: str) -> str:
    """Under which a forward is counted, if its copy is sent under `client_id`: both may be in the
    same conversation."""
    return _derive("forward", client_id)


def scheduled_id(user: str, id: str) -> str:
    """Of the job that sends what `user` has scheduled as `id`; the message's client id."""
    return _derive("scheduled", user, id)


def told_id(event: str) -> str:
    """The client id under which an event of the host is told in a conversation."""
    return _derive("told", event)


def opened_for_id(context: Mapping[str, str], users: Iterable[str]) -> str:
    """The client id under which the host opens the conversation of `users` about `context`."""
    return _derive("opened for", *chain(*sorted(context.items())), "", *sorted(users))


def job_id(kind: str, event: str) -> str:
    """Of the job of this kind that follows from an event."""
    return _derive("job", kind, event)


def notice_id(message: str, user: str) -> str:
    """Of the job that tells the host of a message for a user."""
    return _derive("notice", message, user)


def group_conversation_id(profile: str, creator: str, client_id: str) -> str:
    """The group that `creator` creates under `client_id`; a resend names the same group."""
    return _derive("group", profile, creator, client_id)
