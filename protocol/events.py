"""Events: what happened in a conversation, durable and numbered; and Signals, which are neither.

An event's kind-specific part is an `EventData` (pydantic, so that docs and schemas come from it),
defined in its feature's file. `Event` is that part with its place in the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from pydantic import ConfigDict

from .delivery import delivery
from .immutable import immutable
from .jobs import Job
from .message import Message, Overlay
from .state import ConversationState
from .webhooks import webhook


@immutable
class Payload:
    """What one kind of event or signal says: flat values of what JSON knows.

    Made by the rules, which know what they say, so nothing is validated; what comes from a log is,
    by pydantic, when it is read (`persistence/payload.py`).
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: ClassVar[str]

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        return cls.__match_args__

    def fields(self) -> dict[str, Any]:
        """What it says, without what is None."""
        names: tuple[str, ...] = self.__match_args__
        return {name: value for name in names if (value := getattr(self, name)) is not None}


@immutable
class EventData(Payload):
    """What one kind of event says.

    `text`, where a subclass has one, is stored in a column of its own, so that it can be erased in
    place and searched.
    """

    countable: ClassVar[bool] = False
    """A message that counts as unread: the machine gives it a `number`."""
    is_message: ClassVar[bool] = False
    """The event is a message: its id is the message's id."""
    is_system: ClassVar[bool] = False
    """The event itself is what people are to be told, so history shows it, to those who ask, in its
    place among the messages (GRP-13, AUTO-08)."""
    content: ClassVar[frozenset[str]] = frozenset(
        {"text", "metadata", "mentions", "entities", "attachments"}
    )
    """Fields that go when the message is deleted, expired or erased."""

    def apply(self, state: ConversationState, event: Event) -> None:
        """Change the bounded state. Deterministic; never fails on an event that was decided."""

    def change(self, message: Message, event: Event) -> None:
        """Change the message that this event is about (`target`); see `Event.change`."""

    erases: ClassVar[bool] = False
    """After this event the content of its `target` is served no more."""

    @property
    def target(self) -> tuple[str, int] | None:
        """Id and seq of the message that this event changes, if it changes one."""
        return None

    @property
    def uncounts(self) -> int | None:
        """seq of a countable message that, after this event, is not counted as unread."""
        return None

    restores: ClassVar[bool] = False
    """After this event the content of its `target` is served again."""

    @property
    def recounts(self) -> int | None:
        """seq of a message that was not counted any more and is again."""
        return None

    @property
    def quotes(self) -> str | None:
        """Id of a message whose preview is shown with this one (MSG-13)."""
        return None

    @property
    def media(self) -> Sequence[Mapping[str, Any]]:
        """What a message shows besides its text: a row each, stored with it (SEND-10, GRP-12)."""
        return ()

    @property
    def references(self) -> Mapping[str, str] | None:
        """Things of the host, by type, that it is about (CONV-05)."""
        return None

    def seen_by(self, user: str) -> EventData:
        """What `user` is told of it, or "" for all who are told the same."""
        return self

    def members(self) -> tuple[str, ...]:
        """Users whose membership or role this event changes. Who stops being a member by an
        event still gets that event, and none after it (GRP-07)."""
        return ()

    def jobs(self, event: Event) -> tuple[Job, ...]:
        """What is to be done later because it says what it says."""
        return ()

    def content_fields(self) -> frozenset[str]:
        """Those fields of it that go with the message."""
        return self.content.intersection(self.field_names())


@immutable
class MessageChange(EventData):
    """What changes the message `message_id`, which stands at seq `message_seq`."""

    message_id: str
    message_seq: int

    @property
    def target(self) -> tuple[str, int]:
        return self.message_id, self.message_seq


@dataclass(slots=True)
class Event:
    """One numbered change of one conversation. `at` is in milliseconds since 1970, UTC.

    `audience` None means every member; otherwise everybody else gets a bodiless `skipped`.
    `redacted` means that the content is gone (deleted, expired, erased) and is not served.
    `announced` is a message of which the host is to be told, for those who are away (SEND-13); of a
    `webhook` it is told, whoever is away. Both are known until it is stored, and part of no log.
    """

    conversation: str
    seq: int
    id: str
    data: EventData
    sender: str | None
    at: int
    client_id: str | None = None
    number: int | None = None
    audience: tuple[str, ...] | None = None
    redacted: bool = False
    announced: bool = field(default=False, compare=False)
    webhook: bool = field(default=False, compare=False)

    @property
    def kind(self) -> str:
        return self.data.name

    def item(self, quoted: Message | None = None, user: str = "") -> dict[str, Any]:
        """The Push of this event, as it travels to all or to `user`; `quoted` is the message that
        `data.quotes`."""
        payload: dict[str, Any] = {"id": self.id}
        if self.sender is not None:
            payload["by"] = self.sender
        if self.client_id is not None:
            payload["client_id"] = self.client_id
        if self.number is not None:
            payload["number"] = self.number
        payload.update(self.data.seen_by(user).fields())
        if self.redacted:
            # Of a kind that has no content nothing is missing: it reads as it did live.
            for name in self.data.content_fields():
                payload.pop(name, None)
                payload["redacted"] = True
        elif quoted is not None:
            payload["preview"] = quoted.preview(None if self.audience is None else self.audience[0])
        return {
            "t": self.data.name,
            "c": self.conversation,
            "seq": self.seq,
            "ts": self.at,
            "d": payload,
        }

    def jobs(self) -> tuple[Job, ...]:
        """What is to be done later because of it, stored together with it."""
        jobs = self.data.jobs(self)
        if self.announced:
            jobs = (*jobs, delivery(self.conversation, self.id, self.at))
        if self.webhook:
            jobs = (*jobs, webhook(self.conversation, self.id, self.seq, self.at))
        return jobs

    def is_for(self, user: str) -> bool:
        """Whether `user` is one of those who get it."""
        return self.audience is None or user in self.audience

    def change(self, message: Message) -> None:
        """Bring what this event did to `message` into it: for all who see that, or for those alone
        to whom this was told."""
        told = self.audience
        if told is None or told == message.audience:
            self.data.change(message, self)
            told = tuple(message.views)
        for user in told:
            view = message.seen_by(user)
            self.data.seen_by(user).change(view, self)
            message.keep_view(user, view)

    def redact(self) -> Event:
        """The same event without its content."""
        gone: dict[str, Any] = {}
        for name in self.data.content_fields():
            gone[name] = "" if isinstance(getattr(self.data, name), str) else None
        return replace(self, redacted=True, data=replace(self.data, **gone))

    def voided(self) -> Event:
        """What stands in its place if it cannot be stored: everything but what was said."""
        return replace(
            self,
            data=Void(of=self.id),
            client_id=None,
            redacted=False,
            announced=False,
            webhook=False,
        )

    def as_message(self) -> Message:
        """The message that this event is (only where `data.is_message`)."""
        sent = self.data.fields()
        return Message(
            id=self.id,
            seq=self.seq,
            number=self.number,
            kind=self.data.name,
            by=self.sender,
            at=self.at,
            text=sent.pop("text", None),
            sent=sent,
            overlay=Overlay(self.seq),
            quotes=self.data.quotes,
            audience=self.audience,
        )


def skipped(conversation: str, first: int, last: int) -> dict[str, Any]:
    """Stands for the events `first` to `last`, which this user may not see, so that for everybody
    seq follows seq without a gap."""
    return {"t": "skipped", "c": conversation, "seq": last, "d": {"from": first}}


@immutable
class Void(EventData):
    """Stands at the seq of an event that could not be stored: a seq once given is never dropped.

    `of` is the id of that event, which members may have seen live and now take back.
    """

    name: ClassVar[str] = "void"

    of: str

    def apply(self, state: ConversationState, event: Event) -> None:
        if event.number is not None:
            state.exclude(event.seq, event.audience)


@immutable
class SignalData(Payload):
    """What one kind of signal says: ephemeral, unnumbered, never stored, droppable under load."""

    def item(self, conversation: str | None, at: int) -> dict[str, Any]:
        item: dict[str, Any] = {"t": self.name, "ts": at, "d": self.fields()}
        if conversation is not None:
            item["c"] = conversation
        return item
