"""Getting at the files of a message (ATT-18, ATT-29)."""

from __future__ import annotations

from typing import ClassVar

from ..commands import Query
from ..ids import MessageId


class ListAttachments(Query):
    """The attachments of a message, in their order, each with a `url` from which whoever has it can
    load the file, without a token, for `expires_in_seconds`. Only who may see the message gets
    them: others get what they get of any message that is not there."""

    name: ClassVar[str] = "attachment.list"

    message_id: MessageId
