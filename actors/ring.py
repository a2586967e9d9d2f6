"""The recent end of one conversation's log, kept ready to be sent again.

A contiguous run of events up to the head, each with its encoded bytes, so that a device that was
away for a short time is caught up without a query or an encoding. Whatever is not yet stored is
never evicted. It holds every change to the messages in it, so those are known as they are now; a
`Message` is made of an event only when somebody asks for it, and few are ever asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from ..protocol.commands import Position
from ..protocol.events import Event
from ..protocol.ids import HOST
from ..protocol.message import Message
from .outbox import Push


class Ring:
    def __init__(self, capacity: int, head: int = 0) -> None:
        self.capacity = capacity
        self._pushes: deque[Push] = deque()
        self._first = head + 1
        self._sent: dict[str, Event] = {}
        self._messages: dict[str, Message] = {}
        self._client_ids: dict[tuple[str, str], Event] = {}

    @property
    def first(self) -> int:
        """seq of the oldest event that it holds; head + 1 if it holds none."""
        return self._first

    def add(self, event: Event, quoted: Message | None = None) -> Push:
        """Append the next event of the log; `quoted` is the message that it quotes."""
        push = Push(None if quoted is None else event.item(quoted), event, quoted)
        self._pushes.append(push)
        data = event.data
        if event.client_id is not None:
            self._client_ids[event.sender or HOST, event.client_id] = event
        if data.is_message:
            self._sent[event.id] = event
        target = data.target
        if target is not None:
            message = self.message(target[0])
            if message is not None:
                event.change(message)
                message.overlay.changed_seq = event.seq
            if data.erases:
                self._erase(target[0])
        return push

    def _erase(self, id: str) -> None:
        """Take the content of message `id` out of everything that would be sent again."""
        if (message := self.message(id)) is not None:
            message.text = message.overlay.text = None
            message.sent = self._sent[id].redact().as_message().sent
        for index, push in enumerate(self._pushes):
            event = push.event
            assert event is not None
            target = event.data.target
            about = event.id == id or (target is not None and target[0] == id)
            if about and not event.data.erases:
                redacted = event.redact()
                self._pushes[index] = Push(None, redacted)
                if event.id == id:
                    self._sent[id] = redacted
            elif event.data.quotes == id and push.quoted is not None:
                self._pushes[index] = Push(event.item(push.quoted.unseen()), event)

    def evict(self, stored: int) -> None:
        """Shrink to the capacity, giving up only events up to `stored`."""
        while len(self._pushes) > self.capacity and self._first <= stored:
            event = self._pushes.popleft().event
            assert event is not None
            self._first += 1
            if event.data.is_message:
                del self._sent[event.id]
                self._messages.pop(event.id, None)
            if event.client_id is not None:
                self._client_ids.pop((event.sender or HOST, event.client_id), None)

    def message(self, id: str) -> Message | None:
        """Message `id` as it is now, if it is recent."""
        message = self._messages.get(id)
        if message is None and (event := self._sent.get(id)) is not None:
            message = self._messages[id] = event.as_message()
        return message

    def led_to(self, sender: str, client_id: str) -> Event | None:
        """The event that a recent command of this client id led to."""
        return self._client_ids.get((sender, client_id))

    def after(self, seq: int) -> list[Push]:
        """Everything after `seq`, which must not lie before `first` - 1."""
        skip = seq + 1 - self._first
        assert skip >= 0
        if skip == 0:
            return list(self._pushes)
        count = len(self._pushes) - skip
        return [self._pushes[index] for index in range(-count, 0)] if count > 0 else []

    def overlay(self, messages: Iterable[Message], as_of: int) -> bool:
        """Bring `messages`, read as of seq `as_of`, up to date in place.

        False if events in between are no longer here, so that they must be read again.
        """
        if as_of + 1 < self._first:
            return False
        by_id = {message.id: message for message in messages}
        for push in self.after(as_of):
            event = push.event
            assert event is not None
            target = event.data.target
            if target is not None and (message := by_id.get(target[0])) is not None:
                event.change(message)
        return True

    def erases(self, id: str) -> bool:
        """Whether recent events have taken the content of message `id` away, the last of them."""
        for push in reversed(self._pushes):
            assert push.event is not None
            data = push.event.data
            if (data.erases or data.restores) and data.target is not None and data.target[0] == id:
                return data.erases
        return False

    def recent_messages(self, after: int, *, system: bool = False) -> list[Message]:
        """The messages after seq `after`, which must not lie before `first` - 1, in order; with
        `system`, the events that are shown like messages, too."""
        found = []
        for push in self.after(after):
            assert push.event is not None
            if (message := self.message(push.event.id)) is not None:
                found.append(message)
            elif system and push.event.data.is_system:
                found.append(push.event.as_message())
        return found

    def position(self, seq: int, user: str) -> Position | None:
        """The `Position` of `seq` for `user`, if everything after it is here, and something after
        it has a number."""
        if seq + 1 < self._first:
            return None
        number, excluded = None, 0
        for push in self.after(seq):
            event = push.event
            assert event is not None
            if event.number is None:
                continue
            if number is None:
                number = event.number - 1
            message = self._messages.get(event.id)  # one that nobody has asked for is unchanged
            is_void = event.id not in self._sent
            if is_void or (message is not None and message.deleted) or not event.is_for(user):
                excluded += 1
        return None if number is None else Position(number, excluded)

    def excluded_since(self, as_of: int, seq: int, user: str) -> int | None:
        """How many countable messages after `seq` were, after `as_of`, excluded for `user` or sent
        to others; None if the events in between are no longer here."""
        if as_of + 1 < self._first:
            return None
        excluded = 0
        for push in self.after(as_of):
            event = push.event
            assert event is not None
            data, own = event.data, event.is_for(user)
            uncounted = data.uncounts if own else event.number and event.seq
            if uncounted is not None and uncounted > seq:
                excluded += 1
            elif own and (data.recounts or 0) > seq:
                excluded -= 1
        return excluded
