"""Texts that the product suggests, to be sent with their gaps filled (MSG-30)."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from ..commands import SessionCommand, UserQuery
from ..errors import invalid
from ..ids import ClientId
from ..policy import Policy
from ..template import filled, variables
from .messages import SendMessage


class ListTemplates(UserQuery):
    """All that there are, in order of their names, each with the names of its gaps."""

    name: ClassVar[str] = "template.list"


class SendTemplate(SessionCommand):
    """Sends what it makes of a template, as `message.send` would: nothing that a value says is
    looked at as a template again."""

    name: ClassVar[str] = "template.send"

    template: str = Field(max_length=64)
    variables: dict[str, Any] = Field(default_factory=dict, max_length=100)
    client_id: ClientId | None = None
    attempt: int = Field(default=1, ge=1, le=1_000_000)

    def message(self, policy: Policy) -> SendMessage:
        """VALIDATION_FAILED for a template that is not there, a gap without a value (MSG-30), and
        a value without a gap."""
        template = policy.templates.get(self.template)
        if template is None:
            raise invalid("template", "no such template")
        gaps = variables(template)
        for name in gaps:
            if not isinstance(self.variables.get(name), str):
                raise invalid(f"variables.{name}", "a text is needed")
        if self.variables.keys() - set(gaps):
            raise invalid("variables", f"the template has only {', '.join(gaps) or 'none'}")
        text = filled(template, self.variables)
        return SendMessage(text=text, client_id=self.client_id, attempt=self.attempt)
