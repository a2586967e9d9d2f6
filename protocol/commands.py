"""Commands: what a client asks for; and the effects by which the rules answer.

A command's class holds its payload (pydantic) and its rule. `decide` is pure: state and `Context`
in, effects out, or `Rejected`. Nothing happens in it; the conversation actor carries effects out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import Rejected
from .events import EventData, SignalData
from .ids import ClientId
from .immutable import immutable
from .message import Message
from .people import Standing
from .personal import Personal, UserContext, UserEventData
from .policy import Policy
from .state import ConversationState
from .uploads import Upload


@immutable
class Needs:
    """What a command must know beyond the bounded state; fetched before `decide`.

    `messages`: ids of messages it speaks of. `position`: a seq whose `Position` it asks for.
    `uploads`: ids of files that it would send. `people`: users of whom it wants something, whose
    `Standing` to the caller it asks for; with `relation` also for how the host says that they are
    related.
    """

    messages: tuple[str, ...] = ()
    position: int | None = None
    people: tuple[str, ...] = ()
    relation: bool = False
    uploads: tuple[str, ...] = ()


NOTHING = Needs()


@immutable
class Position:
    """Of a seq, for one user: how many countable messages lie up to it, and how many after it are
    excluded."""

    number: int
    excluded: int


NONE: Mapping[str, Any] = MappingProxyType({})
"""Nothing was fetched; shared, since most decisions need nothing."""


def _none() -> Mapping[str, Any]:
    return NONE


@dataclass(slots=True)
class Context:
    """What a decision may know besides the state: who, when, and what was fetched for it.

    `messages` lacks an id that does not exist in this conversation, or is of what the caller may
    not see; `unfiltered` has that, too: for what must come out right whoever asks, and is told to
    nobody who may not see it. `now` is in milliseconds. `people` is empty where nobody can keep
    anybody out.
    `role` and `session` are the host's words about the caller, from the token or the session store
    (CONN-07); both are None for callers inside this process.
    """

    user: str
    now: int
    policy: Policy
    new_id: Callable[[], str]
    messages: Mapping[str, Message] = field(default_factory=_none)
    position: Position | None = None
    people: Mapping[str, Standing] = field(default_factory=_none)
    role: str | None = None
    session: str | None = None
    unfiltered: Mapping[str, Message] = field(default_factory=_none)
    uploads: Mapping[str, Upload] = field(default_factory=_none)

    def message(self, id: str) -> Message:
        """The message `id`, or MESSAGE_NOT_FOUND; a deleted one is not found either."""
        message = self.messages.get(id)
        if message is None or message.deleted:
            raise Rejected("MESSAGE_NOT_FOUND", details={"message_id": id})
        return message

    def upload(self, id: str) -> Upload:
        """The file `id` of the caller, or ATTACHMENT_NOT_FOUND."""
        upload = self.uploads.get(id)
        if upload is None or upload.owner != self.user:
            raise Rejected("ATTACHMENT_NOT_FOUND", details={"upload": id})
        return upload


@immutable
class Emit:
    """Send a signal to the subscribers of the conversation, or of this thread of it, except to
    `by`, if that is somebody, and to those it is to be kept `without`; with `after` only to those
    who have sent a message after that seq."""

    signal: SignalData
    by: str | None
    thread: str | None = None
    after: int | None = None
    without: frozenset[str] = frozenset()


@immutable
class MoveMark:
    """Raise a member's read or delivered mark to `position` at `seq`. Stored, but no event.

    It may be stored together with others (RCPT-09); `receipt`, if any, is emitted with it.
    """

    user: str
    kind: str
    seq: int
    position: Position
    receipt: Emit | None = None


@immutable
class Notify:
    """Send a signal to every device of `users`, whether or not they subscribe; with an event that
    has an audience, to those of them only who are in it."""

    signal: SignalData
    users: tuple[str, ...]

    def within(self, audience: tuple[str, ...] | None) -> Notify:
        if audience is None:
            return self
        return replace(self, users=tuple(user for user in self.users if user in audience))


@immutable
class MakeRequest:
    """The direct conversation that begins with the next event is a request to `user` (REQ-03); or,
    if not `asked`, is kept from them like one, since they keep the caller out."""

    user: str
    asked: bool


@immutable
class Show:
    """`by` does something that lasts: emit `on`, and `off` as soon as it was not shown again for
    `ttl_s` seconds. Shown again within `every_s` seconds it is not told again (RCPT-13); `key`
    tells what is the same. If nobody subscribes, or to this thread, nothing happens."""

    key: str
    by: str
    on: SignalData
    off: SignalData
    ttl_s: float
    every_s: float
    thread: str | None = None


@immutable
class Hide:
    """It is over: emit `off` of what was shown under `key`, unless it is over already."""

    key: str


@immutable
class Subscribe:
    """The asking connection starts or stops to get this conversation's signals (CONN-11), or those
    of one thread of it. To stop without a thread ends those of all threads, too."""

    on: bool
    thread: str | None = None


Effect = EventData | MoveMark | Emit | Notify | MakeRequest | Show | Hide | Subscribe


class Command(BaseModel):
    """Base of everything a client may ask for, registered under `name`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    name: ClassVar[str]
    host_only: ClassVar[bool] = False
    """Not for clients: only the host, in its own process, may ask for it."""
    host_may: ClassVar[bool] = False
    """The host, too, may ask for it, who is no member of anything."""


class ConversationCommand(Command):
    """A command carried out by the conversation it names (`c` of its item)."""

    opens: ClassVar[bool] = False
    """May be carried out on a conversation that does not exist yet."""
    writes: ClassVar[bool] = False
    """May lead to something that is stored, so it needs room in the journal."""
    attends: ClassVar[bool] = False
    """By it the caller turns to the conversation: what waited there for that is over."""

    @property
    def recipients(self) -> Sequence[str]:
        """Users whom it writes to or brings in: the host must know them (CONV-23)."""
        return ()

    def needs(self, state: ConversationState) -> Needs:
        return NOTHING

    def needs_more(
        self, state: ConversationState, user: str, messages: Mapping[str, Message]
    ) -> Needs:
        """What it needs besides, but can name only once its messages are known."""
        return NOTHING

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        raise NotImplementedError

    def result(self, state: ConversationState, context: Context) -> dict[str, Any]:
        """The `ok` of the Reply where no event came of it; otherwise `event_result` is used."""
        return {}


class DurableCommand(ConversationCommand):
    """A command whose outcome is an event. `client_id` makes it idempotent (SEND-06):

    repeated under the same id it is answered with the first answer and changes nothing, without a
    limit of time. `attempt` above 1 says that this is a repetition, so the log is asked first.
    """

    writes: ClassVar[bool] = True
    while_locked: ClassVar[bool] = False
    """Is carried out in a locked conversation, too (CONV-21)."""

    client_id: ClientId | None = None
    attempt: int = Field(default=1, ge=1, le=1_000_000)


class Query(ConversationCommand):
    """A command that only reads its conversation; see `Reads` in the actors for how."""

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        return ()


class SessionCommand(Command):
    """A command carried out by the caller's session, one after another. Where conversations have a
    part in it the session asks them, since conversations never ask each other."""


class UserQuery(SessionCommand):
    """A command that reads across the caller's conversations."""


class UserCommand(SessionCommand):
    """A change of what is the caller's own (semantics §3).

    What it says holds from then on, however often it is said, so it needs no client id.
    """

    in_conversation: ClassVar[bool] = True
    """It is about the conversation that it names (`c` of its item), as a member of it."""
    tells_seen: ClassVar[bool] = False
    """It must know when the caller was online last."""

    @property
    def about(self) -> str | None:
        """Id of the message of that conversation that it is about."""
        return None

    def decide(self, personal: Personal, context: UserContext) -> Iterable[UserEventData]:
        """Pure: what is to be stored; nothing if all is so already. Raises `Rejected`."""
        raise NotImplementedError


_MAX_NAME = 100


def parse_command(kind: type[Command], payload: dict[str, Any]) -> Command:
    """`payload` as a command, or VALIDATION_FAILED that names the first bad field (ERR-03)."""
    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        raise bad_field(error) from None


def bad_field(error: ValidationError, *inside: str) -> Rejected:
    """VALIDATION_FAILED that names the first bad field, which lies `inside` of others.

    The answer never repeats the value: it may be a message body.
    """
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    # The name of an unknown field is the client's, and may be of any length.
    name = ".".join(map(str, (*inside, *first["loc"])))[:_MAX_NAME] or "d"
    return Rejected(
        "VALIDATION_FAILED",
        f"{name}: {first['msg']}",
        details={"field": name, "problem": first["type"]},
    )
