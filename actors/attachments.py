"""The files of one message, with addresses to load them from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..protocol.errors import Rejected
from ..protocol.features.attachments import ListAttachments
from ..protocol.roles import require_member
from .by_id import ById
from .files import Links
from .outbox import Push
from .ports import Conversations
from .resident import Resident


class AttachmentsRead:
    """`attachment.list`. What lies elsewhere has the address that it was sent with."""

    of_shown: ClassVar[bool] = False

    def __init__(self, query: ListAttachments, user: str, links: Links | None) -> None:
        if links is None:
            raise Rejected("FEATURE_DISABLED")
        self._message = query.message_id
        self._user = user
        self._links = links
        self._id = ""
        self._found = ById()

    def missing(self, resident: Resident) -> bool:
        require_member(resident.state, self._user)
        self._id = resident.state.id
        return self._found.missing(resident, (self._message,))

    async def fetch(self, store: Conversations) -> None:
        await self._found.fetch(store, self._id)

    def answer(self, resident: Resident) -> tuple[list[Push], dict[str, Any]]:
        message = self._found.seen(resident, self._user, self._message)
        attachments = message.current("attachments") or ()
        found = [loadable(each, self._links) for each in attachments]
        return [], {"attachments": found, "seq": message.seq}


def loadable(attachment: Mapping[str, Any], links: Links) -> dict[str, Any]:
    """Where to load `attachment` from, and for how long. What is not known of it is None."""
    thumbnail = attachment.get("thumbnail_url")
    return {
        "url": links.sign(attachment["url"]),
        "thumbnail_url": None if thumbnail is None else links.sign(thumbnail),
        "filename": attachment.get("name"),
        "mime": attachment.get("mime"),
        "size": attachment.get("size"),
        "expires_in_seconds": links.ttl_s,
    }
