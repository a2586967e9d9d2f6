"""Answers to queries about one conversation, by kind of query.

A read is answered from memory where the ring reaches; otherwise it is fetched outside of the
actor and overlaid with what the ring holds beyond it, so that it is exact when it is answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

from ..protocol.commands import Query
from ..protocol.errors import Rejected
from ..protocol.features import SLICES
from ..protocol.features.attachments import ListAttachments
from ..protocol.features.conversation import GetConversation
from ..protocol.features.edits import MessageVersions
from ..protocol.features.history import MessageHistory, Resume
from ..protocol.features.marks import MessageReaders
from ..protocol.features.media import ListMedia
from ..protocol.features.members import ListMembers
from ..protocol.features.pins import ListPins
from ..protocol.features.references import CONTEXT
from ..protocol.features.threads import ListThread
from ..protocol.ids import HOST
from ..protocol.last import last_of
from ..protocol.policy import Policy
from ..protocol.roles import require_member
from ..protocol.state import ConversationState
from .attachments import AttachmentsRead
from .files import Links
from .history import HistoryRead, MediaRead, ThreadRead
from .outbox import Push
from .pins import PinsRead
from .ports import Conversations
from .readers import ReadersRead
from .resident import Resident
from .resume import ResumeRead
from .versions import VersionsRead

MAX_INLINE_MEMBERS = 500


class Read(Protocol):
    """One query being answered. `of_shown`: by what members were shown, not by the state, which
    under durability `commit` is ahead."""

    @property
    def of_shown(self) -> bool: ...

    def missing(self, resident: Resident) -> bool: ...

    async def fetch(self, store: Conversations) -> None: ...

    def answer(self, resident: Resident) -> tuple[list[Push], dict[str, Any]]:
        """What is pushed before the Reply, and the Reply. Only when nothing is `missing`."""
        ...


def read_for(
    query: Query, user: str, policy: Policy, resume_limit: int, links: Links | None
) -> Read:
    """How `query` of `user` is answered."""
    match query:
        case GetConversation():
            return _FromState(user, _overview if user == HOST else _snapshot)
        case ListMembers():
            return _FromState(user, lambda state, user: _members(state, user, query))
        case MessageHistory():
            return HistoryRead(query, user, policy)
        case MessageReaders():
            return ReadersRead(query, user)
        case ListPins():
            return PinsRead(query, user, policy)
        case MessageVersions():
            return VersionsRead(query, user, policy)
        case ListThread():
            return ThreadRead(query, user, policy)
        case ListMedia():
            return MediaRead(query, user, policy)
        case ListAttachments():
            return AttachmentsRead(query, user, links)
        case Resume():
            return ResumeRead(query, user, resume_limit)
        case _:
            raise Rejected("UNSUPPORTED_COMMAND")


class _FromState:
    """A read that the bounded state answers."""

    of_shown: ClassVar[bool] = False

    def __init__(self, user: str, answer: Any) -> None:
        self._user = user
        self._answer = answer

    def missing(self, resident: Resident) -> bool:
        return False

    async def fetch(self, store: Conversations) -> None: ...

    def answer(self, resident: Resident) -> tuple[list[Push], dict[str, Any]]:
        if self._user != HOST:
            require_member(resident.state, self._user)
        return [], self._answer(resident.state, self._user)


def member_view(state: ConversationState, name: str, user: str) -> dict[str, Any]:
    """The member `name` as `user` may see them: the marks of who is reticent are their own."""
    member = state.members[name]
    view: dict[str, Any] = {"role": member.role}
    if name == user or name not in state.reticent:
        view["read"] = {"seq": member.read_seq, "at": member.read_at}
        view["delivered"] = {"seq": member.delivered_seq, "at": member.delivered_at}
    return view


def _snapshot(state: ConversationState, user: str) -> dict[str, Any]:
    """The position and what belongs to it: events after `seq` apply to exactly this."""
    whole = state.member_count <= MAX_INLINE_MEMBERS
    view = _state(state, user, state.current_members() if whole else [user])
    view["role"] = state.members[user].role
    view["unread"] = state.unread(user)
    view["last"] = state.last_for(user)
    if (request := state.request_to(user)) is not None:
        view["request"] = request
    public = (part for part in SLICES if part.public)
    view.update((part.name, part.view(part.of(state), state, user)) for part in public)
    return view


def _overview(state: ConversationState, user: str) -> dict[str, Any]:
    """The same for the host, who is nobody in it, and sees all that is there."""
    whole = state.member_count <= MAX_INLINE_MEMBERS
    view = _state(state, user, state.current_members() if whole else [])
    view.update((part.name, part.of(state)) for part in SLICES if part.public)
    return view


def _state(state: ConversationState, user: str, members: Iterable[str]) -> dict[str, Any]:
    return {
        **head_view(state),
        "members": {name: member_view(state, name, user) for name in members},
        "marks": state.marks,
    }


def head_view(state: ConversationState) -> dict[str, Any]:
    """What is to be said of a conversation in a list of them, to the host."""
    return {
        "c": state.id,
        "kind": state.kind,
        "title": state.title,
        "context": CONTEXT.of(state),
        "created_at": state.created_at,
        "epoch": state.epoch,
        "seq": state.seq,
        "number": state.number,
        "member_count": state.member_count,
        "last": None if state.last is None else last_of(state.last, HOST),
    }


def _members(state: ConversationState, user: str, query: ListMembers) -> dict[str, Any]:
    names = sorted(name for name in state.current_members() if name.startswith(query.prefix))
    if query.after is not None:
        names = [name for name in names if name > query.after]
    page = names[: query.limit]
    return {
        "members": [{"user": name, **member_view(state, name, user)} for name in page],
        "more": len(names) > len(page),
        "seq": state.seq,
    }
