"""Guards: what is asked before a command is decided.

The whole chain, in its order: how many requests there are (`dispatch.py`, before they are looked
at), membership (`machine.admit`), rates (`rate.py`), the product's guards, form and permission (the
command's own rule), blocks and privacy (`protocol/aloof.py`; what has to be asked for is fetched
before, outside of the actor: `people.py`), what the host must agree to (`Lanes._requires`), masking
(`masking.py`). Moderation has its place just before masking, which is the last thing before an
event is stored: on the effects that `Lanes._decide` hands to `carry_out`.

A guard is one method on facts that are at hand: it lets the command pass, changes it, or raises
`Rejected`. It runs inside the conversation actor, after membership and before the rule, in the
order in which guards are given to the engine (SEND-22), so it must neither wait nor be slow.
"""

from __future__ import annotations

from typing import Protocol

from ...protocol.commands import Context, ConversationCommand
from ...protocol.state import ConversationState


class Guard(Protocol):
    def check(
        self, command: ConversationCommand, context: Context, state: ConversationState
    ) -> ConversationCommand:
        """The command to go on with: the same one, or a changed one. Must not change `state`."""
        ...
