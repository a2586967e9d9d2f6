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
        attachments = [self._loadable(each) for each in message.current("attachments") or ()]
        return [], {"attachments": attachments, "seq": message.seq}

    def _loadable(self, attachment: Mapping[str, Any]) -> dict[str, Any]:
        sign, thumbnail = self._links.sign, attachment.get("thumbnail_url")
        return {
            "url": sign(attachment["url"]),
            "thumbnail_url": None if thumbnail is None else sign(thumbnail),
            "filename": attachment.get("name"),
            "mime": attachment.get("mime"),
            "size": attachment.get("size"),
            "expires_in_seconds": self._links.ttl_s,
        }
