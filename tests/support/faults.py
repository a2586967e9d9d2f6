"""Faults on demand."""

from __future__ import annotations

from collections import Counter

from palaver.protocol.commands import Context, ConversationCommand
from palaver.protocol.state import ConversationState


class Fault(Exception):
    """Nobody has foreseen this."""


class Trap:
    """A guard that raises on what it was told to: the conversation actor crashes over it."""

    def __init__(self) -> None:
        self.sprung = 0
        self._armed: Counter[str] = Counter()

    def spring(self, text: str, times: int = 1) -> None:
        """Crash over the next messages with this text, so many times more."""
        self._armed[text] += times

    def check(
        self, command: ConversationCommand, context: Context, state: ConversationState
    ) -> ConversationCommand:
        text = getattr(command, "text", None)
        if text is not None and self._armed[text] > 0:
            self._armed[text] -= 1
            self.sprung += 1
            state.members.clear()  # and what it leaves behind is not to be trusted
            raise Fault
        return command
