"""Creating and renaming conversations, and reading one (CONV-01, 03, 04, 08, 10, 17, 22)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from ..commands import Context, DurableCommand, Effect, Query
from ..errors import Rejected, invalid
from ..events import Event, EventData
from ..ids import UserId
from ..immutable import immutable
from ..roles import Role, require
from ..state import ConversationState, Member

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


@immutable
class ConversationCreated(EventData):
    """seq 1 of every conversation. `roles` names the members."""

    name: ClassVar[str] = "conversation.created"

    kind: Literal["direct", "group"]
    profile: str
    roles: dict[str, Role]
    title: str | None = None

    def apply(self, state: ConversationState, event: Event) -> None:
        state.kind = self.kind
        state.profile = self.profile
        state.title = self.title
        state.creator = event.sender
        state.created_at = event.at
        for user, role in self.roles.items():
            member = state.members[user] = Member()
            member.join(role, event.seq, state.number, event.at)
        state.member_count = len(self.roles)

    def members(self) -> tuple[str, ...]:
        return tuple(self.roles)


class CreateConversation(DurableCommand):
    """A direct conversation is one per pair: creating it again answers with the one there is.

    A group is one per (creator, client_id). The creator becomes its admin.
    """

    name: ClassVar[str] = "conversation.create"
    opens: ClassVar[bool] = True

    kind: Literal["direct", "group"]
    members: list[UserId] = Field(max_length=100_000)
    title: Title | None = None

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        if self.kind == "direct":
            created = opened_direct(context, self.members)
            if not state.exists:
                yield created
            return
        if state.exists:
            return
        others = dict.fromkeys(user for user in self.members if user != context.user)
        if self.title is not None and len(self.title) > context.policy.max_title_chars:
            raise invalid("title", f"at most {context.policy.max_title_chars} characters")
        if len(others) + 1 > context.policy.max_members:
            raise Rejected("GROUP_FULL", details={"max_members": context.policy.max_members})
        roles: dict[str, Role] = {context.user: "admin"}
        roles.update((user, "member") for user in others)
        yield ConversationCreated(
            kind="group", profile=context.policy.profile, roles=roles, title=self.title
        )

    def result(self, state: ConversationState, context: Context) -> dict[str, Any]:
        return {"c": state.id, "seq": 1, "ts": state.created_at}


def opened_direct(context: Context, users: Iterable[str]) -> ConversationCreated:
    """The first event of the direct conversation of the caller and the one other in `users`."""
    others = [user for user in dict.fromkeys(users) if user != context.user]
    if not others:
        raise Rejected("SELF_MESSAGE")
    if len(others) != 1:
        raise invalid("members", "a direct conversation has exactly one other member")
    return ConversationCreated(
        kind="direct",
        profile=context.policy.profile,
        roles={context.user: "member", others[0]: "member"},
    )


@immutable
class ConversationRenamed(EventData):
    name: ClassVar[str] = "conversation.renamed"

    title: str

    def apply(self, state: ConversationState, event: Event) -> None:
        state.title = self.title


class RenameConversation(DurableCommand):
    """Groups only, by whoever may change settings."""

    name: ClassVar[str] = "conversation.rename"

    title: Title

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        require(state, context.user, "change_settings")
        if len(self.title) > context.policy.max_title_chars:
            raise invalid("title", f"at most {context.policy.max_title_chars} characters")
        if self.title != state.title:
            yield ConversationRenamed(title=self.title)


class GetConversation(Query):
    """The bounded state as a member sees it: the snapshot to which events after `seq` apply."""

    name: ClassVar[str] = "conversation.get"
