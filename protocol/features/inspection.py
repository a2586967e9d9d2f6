"""What the host looks up across conversations, of which it is no member."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ..commands import SessionCommand
from ..errors import invalid
from ..ids import ConversationId, UserId
from ..references import References


class FindConversations(SessionCommand):
    """For the host only: conversations that are about all of `context` and have all of `users` in
    them, in order of id. `after` is the last one of the page before."""

    name: ClassVar[str] = "conversation.find"
    host_only: ClassVar[bool] = True

    context: References = Field(default_factory=dict)
    users: list[UserId] = Field(default_factory=list, max_length=100)
    after: ConversationId | None = None
    limit: int = Field(default=20, ge=1, le=100)

    def check(self) -> None:
        """Raises VALIDATION_FAILED if it names nothing."""
        if not self.context and not self.users:
            raise invalid("users", "these or context must say which")


class InspectUser(SessionCommand):
    """For the host only: whether a user is here, and in how many conversations."""

    name: ClassVar[str] = "user.inspect"
    host_only: ClassVar[bool] = True

    user: UserId
