"""A conversation as its actor would write it, small enough to test a store with.

`Chat.do` runs a command through the state machine and appends what follows, like the real actor;
what it does not do is fan out, guard or passivate.
"""

import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import trio

from palaver.actors.ports import Store
from palaver.protocol.commands import (
    Context,
    ConversationCommand,
    MoveMark,
    Position,
)
from palaver.protocol.events import Event, EventData
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.features.deletes import DeleteMessage
from palaver.protocol.features.edits import EditMessage
from palaver.protocol.features.hides import MessageHidden
from palaver.protocol.features.marks import ReadMessages
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.stars import MessageStarred
from palaver.protocol.ids import direct_key
from palaver.protocol.machine import Mark, apply, decide, event, move_mark
from palaver.protocol.message import Message
from palaver.protocol.personal import PreferenceChanged, UserEventData
from palaver.protocol.policy import Policy
from palaver.protocol.records import (
    Delayed,
    Head,
    MemberRow,
    NewConversation,
    Outcome,
    Snapshot,
    Spooled,
    UserEvent,
    Write,
)
from palaver.protocol.state import STATE_VERSION, ConversationState, Kind
from palaver.protocol.uploads import Upload

POLICY = Policy(
    edit_window_s=None,
    message_types=("text", "voice"),
    threads=True,
    conversation_context=("listing", "booking"),
    message_context=("booking", "property"),
)


def new_id() -> str:
    return str(uuid.uuid4())


class Ticket:
    """The outcomes of one write, and a way to wait for the final one."""

    def __init__(self, write: Write) -> None:
        self.write = write
        self.outcomes: list[Outcome] = []
        self.changed = trio.Event()
        write.done = self

    def __call__(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.changed.set()
        self.changed = trio.Event()

    async def told(self) -> Outcome:
        """The first outcome, be it `Delayed` or `Spooled`."""
        while not self.outcomes:
            await self.changed.wait()
        return self.outcomes[0]

    async def outcome(self) -> Outcome:
        """The final one."""
        while not self.outcomes or isinstance(self.outcomes[-1], Delayed | Spooled):
            await self.changed.wait()
        return self.outcomes[-1]


def nobody(outcome: Outcome) -> None:
    """For writes whose outcome does not matter."""


class Chat:
    """One conversation of `users`, the first of whom creates it."""

    def __init__(
        self, store: Store, users: Iterable[str], *, at: int = 1_000, id: str | None = None
    ):
        self.store = store
        self.users = list(users)
        self.now = at
        self.state = ConversationState(id or new_id())
        self.sent: list[Message] = []
        self.log: list[Event] = []
        self.tickets: list[Ticket] = []
        self.uploads: dict[str, Upload] = {}

    @property
    def id(self) -> str:
        return self.state.id

    async def create(self, kind: Kind = "group", title: str | None = None, **more) -> "Chat":
        first, *others = self.users
        creation = CreateConversation(kind=kind, members=others, title=title, **more)
        await self.do(first, creation).outcome()
        return self

    def do(self, user: str, command: ConversationCommand) -> Ticket:
        return self.append(self.write(user, command))

    def append(self, write: Write) -> Ticket:
        ticket = Ticket(write)
        self.tickets.append(ticket)
        self.store.journal.append(write)
        return ticket

    async def settle(self) -> None:
        for ticket in self.tickets:
            await ticket.outcome()
        self.tickets.clear()

    def write(self, user: str, command: ConversationCommand) -> Write:
        """What `command` leads to; already applied to the state, not yet appended."""
        self.now += 1
        needs = command.needs(self.state)
        known = {message.id: message for message in self.sent}
        position = None
        if needs.position is not None:
            position = self.position(needs.position)
        context = Context(
            user=user,
            now=self.now,
            policy=POLICY,
            new_id=new_id,
            messages=known,
            position=position,
            uploads=self.uploads,
        )
        opens = not self.state.exists
        effects = decide(self.state, command, context)
        write = Write(self.id, nobody)
        data = [effect for effect in effects if isinstance(effect, EventData)]
        for index, effect in enumerate(data):
            last = index == len(data) - 1
            self._record(write, event(self.state, effect, context, command, carries_client_id=last))
        for move in effects:
            if isinstance(move, MoveMark):
                write.marks = [*write.marks, move_mark(self.state, move, self.now)]
        if opens:
            kind = self.state.kind
            key = direct_key(*self.users) if kind == "direct" else None
            asked = next((name for name in self.users if self.state.request_to(name)), None)
            really = asked is None or self.state.is_asked(asked)
            row = (self.id, kind, "default", key, user, self.now, asked, really)
            write.created = NewConversation(*row)
        if data:
            write.head = self.head()
        return write

    def _record(self, write: Write, event: Event) -> None:
        apply(self.state, event)
        self.log.append(event)
        write.events = [*write.events, event]
        if event.data.is_message:
            self.sent.append(event.as_message())
        if event.data.target is not None:
            message = next(m for m in self.sent if m.id == event.data.target[0])
            event.change(message)
            message.overlay.changed_seq = event.seq
            row = replace(message.overlay, data=dict(message.overlay.data))
            write.overlays = [*write.overlays, row]
        rows = (self.member(user, event.seq) for user in event.data.members())
        write.members = [*write.members, *rows]

    def head(self) -> Head:
        state = self.state
        context = state.slices.get("context")
        return Head(state.seq, state.number, state.changed_at, state.title, state.last, context)

    def member(self, user: str, changed_seq: int) -> MemberRow:
        member = self.state.members[user]
        intervals = [list(interval) for interval in member.intervals]
        read = member.read_seq, member.read_number
        return MemberRow(user, member.role, intervals, changed_seq, *read)

    def passivate(self) -> Ticket:
        """Store the snapshot and everybody's read mark, as an actor does before it goes."""
        write = Write(self.id, nobody)
        seq = self.state.seq
        write.members = [self.member(user, seq) for user in self.state.members]
        write.snapshot = Snapshot(seq, STATE_VERSION, self.state.snapshot())
        return self.append(write)

    # Short forms of the usual commands.

    def send(self, user: str, text: str, **more) -> Ticket:
        return self.do(user, SendMessage(text=text, **more))

    def edit(self, message: Message, text: str) -> Ticket:
        return self.do(message.by or "", EditMessage(message_id=message.id, text=text))

    def delete(self, message: Message) -> Ticket:
        return self.do(message.by or "", DeleteMessage(message_id=message.id))

    def read(self, user: str, seq: int | None = None) -> Ticket:
        return self.do(user, ReadMessages(seq=seq))

    # What is one user's own.

    async def keep(self, user: str, data: UserEventData) -> UserEvent:
        return await self.store.user_logs.append(user, data, self.now)

    async def hide(self, user: str, message: Message) -> UserEvent:
        counted = message.number is not None and not message.deleted
        hidden = MessageHidden(
            conversation=self.id,
            message_id=message.id,
            message_seq=message.seq,
            counted=counted,
        )
        return await self.keep(user, hidden)

    async def star(self, user: str, message: Message) -> UserEvent:
        star = MessageStarred(conversation=self.id, message_id=message.id, message_seq=message.seq)
        return await self.keep(user, star)

    async def prefer(self, user: str, **preference: Any) -> UserEvent:
        return await self.keep(user, PreferenceChanged(conversation=self.id, **preference))

    async def put_away(self, user: str) -> UserEvent:
        """What `conversation.hide` leads to."""
        state = self.state
        return await self.prefer(user, hidden_seq=state.seq, hidden_number=state.number)

    # The same by counting, to compare with.

    def position(self, seq: int) -> Position:
        numbers = [m.number or 0 for m in self.sent if m.seq <= seq]
        excluded = [m for m in self.sent if m.seq > seq and m.deleted]
        return Position(max(numbers, default=0), len(excluded))

    def unread(self, user: str) -> int:
        """Messages of others after the user's mark that are still there."""
        mark = self.state.members[user].read_seq
        return sum(not m.deleted and m.seq > mark and m.by != user for m in self.sent)


def mark(chat: Chat, user: str, kind: str, seq: int, n: int, number: int = 0) -> Mark:
    return Mark(chat.id, user, kind, seq, number, 0, 1_000 + n, n)
