"""A conversation without its actor: what the pure machine makes of commands, and of time.

    chat = Chat.group("ann", "bob", "cid")
    hello = chat.send("bob", "hello")
    chat.refuses("cid", EditMessage(message_id=hello.id, text="bye"))

`Chat` does what an actor does round the machine, in the plainest way: the messages are a dict,
positions are counted by walking the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from palaver.protocol.commands import (
    Context,
    ConversationCommand,
    Effect,
    Emit,
    MoveMark,
    Notify,
    Position,
)
from palaver.protocol.errors import Rejected
from palaver.protocol.events import Event, EventData
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.features.deletes import DeleteMessage
from palaver.protocol.features.edits import EditMessage
from palaver.protocol.features.marks import ReadMessages
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.machine import (
    Mark,
    apply,
    apply_mark,
    decide,
    event,
    move_mark,
    visible,
)
from palaver.protocol.message import Message
from palaver.protocol.policy import Policy
from palaver.protocol.state import ConversationState, Hidden

CONVERSATION = "c0000000-0000-5000-8000-000000000000"
NOWHERE = "ffffffff-0000-7000-8000-000000000000"
"""An id that no message has."""

START = 1_700_000_000_000


@dataclass
class Done:
    """What came of one command. `result` is the `ok` of its Reply where no event came of it."""

    effects: list[Effect]
    events: list[Event]
    marks: list[Mark]
    result: dict[str, Any]

    @property
    def event(self) -> Event:
        """The only event."""
        (only,) = self.events
        return only

    @property
    def signals(self) -> list[Emit]:
        told = [e.receipt if isinstance(e, MoveMark) else e for e in self.effects]
        return [effect for effect in told if isinstance(effect, Emit)]

    @property
    def notices(self) -> list[Notify]:
        return [effect for effect in self.effects if isinstance(effect, Notify)]


class Chat:
    """One conversation and everybody in it. `now` is in milliseconds and stands still.

    `pushes` is what every member's devices got, as items.
    """

    def __init__(self, **policy: Any) -> None:
        self.policy = Policy(**policy)
        self.state = self._opened(ConversationState(CONVERSATION))
        self.now = START
        self.log: list[Event] = []
        self.marks: list[Mark] = []
        self.pushes: list[dict[str, Any]] = []
        self.messages: dict[str, Message] = {}
        self._hidden: dict[str, list[Event]] = {}
        self._numbers = count(1)

    @classmethod
    def group(cls, creator: str, *others: str, **policy: Any) -> Chat:
        chat = cls(**policy)
        chat.do(creator, CreateConversation(kind="group", members=list(others)))
        return chat

    @classmethod
    def direct(cls, one: str, other: str, **policy: Any) -> Chat:
        chat = cls(**policy)
        chat.do(one, CreateConversation(kind="direct", members=[other]))
        return chat

    def new_id(self) -> str:
        return f"00000000-0000-7000-8000-{next(self._numbers):012x}"

    def wait(self, seconds: float) -> None:
        self.now += round(seconds * 1000)

    def do(self, user: str, command: ConversationCommand) -> Done:
        """Carry out `command`, or raise its `Rejected`."""
        context = self._context(user, command)
        before = self.state.snapshot()
        try:
            effects = decide(self.state, command, context)
        finally:
            assert self.state.snapshot() == before, "to decide must change nothing"
        done = Done(effects, [], [], {})
        data = [effect for effect in effects if isinstance(effect, EventData)]
        for effect in effects:
            if isinstance(effect, EventData):
                answers = effect is data[-1]
                done.events.append(
                    event(self.state, effect, context, command, carries_client_id=answers)
                )
                self._happens(done.events[-1])
            elif isinstance(effect, MoveMark):
                done.marks.append(move_mark(self.state, effect, self.now))
        self.marks += done.marks
        done.result = command.result(self.state, context)
        return done

    def refuses(self, user: str, command: ConversationCommand) -> Rejected:
        """The `Rejected` that must come of `command`."""
        try:
            done = self.do(user, command)
        except Rejected as no:
            return no
        raise AssertionError(f"{user}'s {command!r} was not refused: {done.effects}")

    def _context(self, user: str, command: ConversationCommand) -> Context:
        needs = command.needs(self.state)
        messages = {id: self.messages[id] for id in needs.messages if id in self.messages}
        seq = needs.position
        if needs.messages:
            more = command.needs_more(self.state, user, visible(self.state, user, messages))
            messages |= {id: self.messages[id] for id in more.messages if id in self.messages}
            seq = more.position
        position = None if seq is None else self.position(seq)
        return Context(user, self.now, self.policy, self.new_id, messages, position)

    def _happens(self, event: Event) -> None:
        apply(self.state, event)
        self.log.append(event)
        if event.data.is_message:
            self.messages[event.id] = event.as_message()
        if event.data.target is not None:
            message = self.messages[event.data.target[0]]
            event.change(message)
            message.overlay.changed_seq = event.seq
        self.pushes.append(event.item(self._quoted(event.data.quotes)))

    def _quoted(self, id: str | None) -> Message | None:
        return None if id is None else self.messages.get(id)

    # The usual commands.

    def send(self, user: str, text: str, **more: Any) -> Message:
        done = self.do(user, SendMessage(text=text, **more))
        return self.messages[done.events[-1].id]

    def edit(self, message: Message, text: str) -> Done:
        return self.do(message.by or "", EditMessage(message_id=message.id, text=text))

    def delete(self, message: Message) -> Done:
        return self.do(message.by or "", DeleteMessage(message_id=message.id))

    def read(self, user: str, seq: int | None = None) -> Done:
        return self.do(user, ReadMessages(seq=seq))

    def hide(self, user: str, message: Message) -> None:
        """`user` deletes `message` for themselves."""
        self._hidden.setdefault(user, []).append(self.log[message.seq - 1])
        self.state.hidden = self._hidden_now()

    def _hidden_now(self) -> dict[str, Hidden]:
        def counts(event: Event) -> bool:
            message = self.messages.get(event.id)
            return message is not None and message.number is not None and not message.deleted

        return {
            user: Hidden(
                excluded=self._excluded(0), messages={event.seq: counts(event) for event in hidden}
            )
            for user, hidden in self._hidden.items()
        }

    # What can be seen of it.

    def unread(self, *users: str) -> list[int]:
        return [self.state.unread(user) for user in users]

    def wire(self, message: Message, user: str | None = None) -> dict[str, Any]:
        """As `message.history` serves it."""
        return message.wire(self._quoted(message.quotes), user)

    def history(self, user: str | None = None) -> list[dict[str, Any]]:
        return [self.wire(message, user) for message in self.messages.values()]

    # The same again, from what is stored.

    def position(self, seq: int) -> Position:
        numbers = [event.number for event in self.log[:seq] if event.number is not None]
        return Position(max(numbers, default=0), self._excluded(seq))

    def _excluded(self, after: int) -> int:
        numbered = [event.id for event in self.log[after:] if event.number is not None]
        return sum(id not in self.messages or self.messages[id].deleted for id in numbered)

    def stored(self) -> list[Event]:
        """The log as a store gives it back: what was deleted comes without its content."""

        def deleted(id: str) -> bool:
            return id in self.messages and self.messages[id].deleted

        def about(event: Event) -> str:
            return event.id if event.data.target is None else event.data.target[0]

        return [event.redact() if deleted(about(event)) else event for event in self.log]

    def latest_marks(self) -> list[Mark]:
        """Of each user and kind the last one, with `excluded` as of now; as a store gives them."""
        latest = {(mark.user, mark.kind): mark for mark in self.marks}
        return [replace(mark, excluded=self._excluded(mark.seq)) for mark in latest.values()]

    def reopened(self, snapshot: dict[str, Any] | None = None) -> ConversationState:
        """The state as a cold start makes it: from `snapshot`, or from nothing."""
        if snapshot is None:
            state = ConversationState(CONVERSATION)
        else:
            state = ConversationState.restore(CONVERSATION, snapshot)
        return self._continued(self._opened(state), self.stored()[state.seq :])

    def _opened(self, state: ConversationState) -> ConversationState:
        state.permissions = self.policy.permission_table
        return state

    def _continued(self, state: ConversationState, tail: Iterable[Event]) -> ConversationState:
        for each in tail:
            apply(state, each)
        for mark in sorted(self.latest_marks(), key=lambda mark: mark.n):
            apply_mark(state, mark)
        state.hidden = self._hidden_now()
        return state

    def void_last(self) -> Event:
        """The last event turns out to be refused by the database: begin again from the log."""
        self.log[-1] = void = self.log[-1].voided()
        self.messages.pop(void.id)
        self.state = self.reopened()
        self.pushes.append(void.item())
        return void
