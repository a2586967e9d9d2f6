"""What happens in the product, told in the conversations that it is about (CONV-27, AUTO-01…03)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ..commands import SessionCommand
from ..errors import invalid
from ..ids import ClientId, UserId, opened_for_id, told_id
from ..policy import Policy
from ..references import References
from ..template import filled
from .conversation import CreateConversation
from .system import PostMessage


class TellEvent(SessionCommand):
    """For the host only: see `Engine.happened`. It is told in every conversation that is about all
    of `context` and has all of `users` in it; if there is none, in one that is opened for them, if
    `Policy.events` says so, or nowhere. `variables` fill the gaps; others are not looked at."""

    name: ClassVar[str] = "event.tell"
    host_only: ClassVar[bool] = True

    id: ClientId
    event: str = Field(max_length=64)
    context: References = Field(default_factory=dict)
    users: list[UserId] = Field(default_factory=list, max_length=1000)
    variables: dict[str, str] = Field(default_factory=dict, max_length=100)

    def message(self, policy: Policy) -> PostMessage:
        """What is posted in each of those conversations, once. VALIDATION_FAILED for an event that
        the policy does not know, or that is about nothing, and a gap without a value."""
        template = policy.events.get(self.event)
        if template is None:
            raise invalid("event", "no such event")
        if not self.context and not self.users:
            raise invalid("context", "this or users must say where it is to be told")
        return PostMessage(
            text=self._filled(template.text),
            metadata={"event": self.event},
            client_id=told_id(self.id),
            attempt=2,  # it may have been told long ago: the log is asked first
        )

    def opening(self, policy: Policy) -> CreateConversation | None:
        """What opens a conversation to tell it in; None if it opens none, or for nobody."""
        template = policy.events[self.event]
        if template.opens is None or not self.users:
            return None
        return CreateConversation(
            kind=template.opens,
            members=self.users,
            title=self._filled(template.title) or None,
            context=self.context,
            client_id=opened_for_id(self.context, self.users),
        )

    def _filled(self, template: str) -> str:
        try:
            return filled(template, self.variables)
        except KeyError as missing:
            raise invalid(f"variables.{missing.args[0]}", "a text is needed") from None
