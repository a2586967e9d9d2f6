"""Creating and renaming conversations, and reading one (CONV-01, 03…06, 08, 10, 17, 22)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, get_args

from pydantic import AfterValidator, Field, StringConstraints

from ..aloof import check_reach
from ..commands import NOTHING, Context, DurableCommand, Effect, MakeRequest, Needs, Query
from ..errors import Rejected, invalid
from ..events import Event, EventData
from ..ids import HOST, UserId, is_user_id
from ..immutable import immutable
from ..people import asks_first
from ..policy import Policy
from ..references import References, check_references
from ..roles import Role, require
from ..state import ConversationState, Kind, Member
from .membership import GROUP
from .references import CONTEXT

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def _check_roles(roles: dict[str, Any]) -> dict[str, Any]:
    # Not by types: their refusals would repeat the names.
    if not all(is_user_id(user) and role in get_args(Role) for user, role in roles.items()):
        raise ValueError("must be roles by user")
    return roles


Roles = Annotated[dict[str, Any], Field(max_length=100_000), AfterValidator(_check_roles)]

_TITLE_MEMBERS = 5
"""Named in a title that is made."""


@immutable
class ConversationCreated(EventData):
    """seq 1 of every conversation. `roles` names the members, `context` what it is about."""

    name: ClassVar[str] = "conversation.created"

    kind: Kind
    profile: str
    roles: dict[str, Role]
    title: str | None = None
    context: dict[str, str] | None = None

    @property
    def references(self) -> Mapping[str, str] | None:
        return self.context

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
        if self.context is not None:
            state.slices[CONTEXT.name] = dict(self.context)
        if self.kind == "external_group" and event.client_id is not None:
            state.slices[GROUP.name] = event.client_id

    def members(self) -> tuple[str, ...]:
        return tuple(self.roles)


class CreateConversation(DurableCommand):
    """A direct conversation is one per pair, or per pair and context (`Policy.direct_key`):
    creating it again answers with the one there is.

    Any other kind is one per (creator, client_id). The creator gets the highest role there is, the
    others what `roles` says, or "member". The host may create what users may not, and is no member
    of it.
    """

    name: ClassVar[str] = "conversation.create"
    opens: ClassVar[bool] = True
    host_may: ClassVar[bool] = True

    kind: Kind
    members: list[UserId] = Field(max_length=100_000)
    title: Title | None = None
    context: References | None = None
    roles: Roles = Field(default_factory=dict)

    @property
    def recipients(self) -> Sequence[str]:
        return self.members

    @property
    def references(self) -> Mapping[str, str] | None:
        return self.context

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        if self.context:
            check_references(self.context, context.policy.conversation_context)
        if self.kind == "direct":
            if self.roles:
                raise invalid("roles", "a direct conversation has none")
            opened = list(opened_direct(state, context, self.members, self.context))
            if not state.exists:
                yield from opened
            return
        if state.exists:
            return
        policy = context.policy
        _check_kind(self.kind, context)
        others = dict.fromkeys(user for user in self.members if user != context.user)
        roles: dict[str, Role] = {}
        if context.user != HOST:
            roles[context.user] = policy.highest_role
        roles.update((user, self.roles.get(user, "member")) for user in others)
        for user, role in self.roles.items():
            if user not in others or role not in policy.roles:
                raise invalid("roles", "of members, out of the roles that there are")
        if self.title is not None and len(self.title) > policy.max_title_chars:
            raise invalid("title", f"at most {policy.max_title_chars} characters")
        if len(roles) > policy.max_members:
            raise Rejected("GROUP_FULL", details={"max_members": policy.max_members})
        check_reach(context, others)
        title = self.title or _title(context.user, list(roles), policy)
        yield ConversationCreated(self.kind, policy.profile, roles, title, self.context or None)

    def needs(self, state: ConversationState) -> Needs:
        if state.exists:
            return NOTHING
        return Needs(people=tuple(self.members), relation=self.kind == "direct")

    def result(self, state: ConversationState, context: Context) -> dict[str, Any]:
        return {"c": state.id, "seq": 1, "ts": state.created_at}


def _title(creator: str, members: list[str], policy: Policy) -> str | None:
    """Of a conversation that is given none (CONV-06)."""
    title = policy.title_template.format(
        creator=creator, members=", ".join(members[:_TITLE_MEMBERS]), count=len(members)
    )
    return title.strip()[: policy.max_title_chars] or None


def _check_kind(kind: Kind, context: Context) -> None:
    by_host = context.user == HOST
    if kind == "direct" if by_host else kind not in context.policy.kinds:
        raise Rejected("FEATURE_DISABLED", details={"kind": kind})


def opened_direct(
    state: ConversationState,
    context: Context,
    users: Iterable[str],
    about: Mapping[str, str] | None = None,
) -> Iterator[Effect]:
    """How the direct conversation of the caller and the one other in `users` begins: perhaps as a
    request to that one (REQ-02), or PRIVACY_DENIED (REQ-11)."""
    _check_kind("direct", context)
    others = [user for user in dict.fromkeys(users) if user != context.user]
    if not others:
        raise Rejected("SELF_MESSAGE")
    if len(others) != 1:
        raise invalid("members", "a direct conversation has exactly one other member")
    other = others[0]
    standing = None if state.exists else context.people.get(other)
    asks = context.policy.message_requests and standing is not None and asks_first(standing)
    if asks or other in state.aloof:
        yield MakeRequest(other, asks)
    yield ConversationCreated(
        kind="direct",
        profile=context.policy.profile,
        roles={context.user: "member", other: "member"},
        context=dict(about) if about else None,
    )


@immutable
class ConversationRenamed(EventData):
    name: ClassVar[str] = "conversation.renamed"
    is_system: ClassVar[bool] = True

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
    host_may: ClassVar[bool] = True
