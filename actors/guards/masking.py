"""Texts that are stored as something else, for as long as two users have nothing to do with one
another (C-46).

It is the last step before an event is stored (SEND-22), so it meets every text on its way in: of
messages, however they are sent, of copies and of edits. Nobody keeps the original; what somebody
has scheduled is theirs alone until it is sent. Metadata and titles are not texts in this sense.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from ...protocol.commands import Effect
from ...protocol.entities import links
from ...protocol.features.edits import MessageEdited
from ...protocol.features.messages import MessageSent
from ...protocol.policy import Policy


class Mask(Protocol):
    """Is asked for every message and edit of a user, inside the conversation actor: it must neither
    wait nor be slow."""

    def mask(self, text: str) -> str:
        """What takes the place of `text` unless its sender has an active relationship with
        everybody else in the conversation. If it is the same, nobody asks whether they have."""
        ...


def masked(masks: Sequence[Mask], effects: list[Effect], policy: Policy) -> list[Effect]:
    """`effects` with their texts masked; the same list if nothing is to be masked."""
    changed = [
        _masked(masks, effect, policy)
        if isinstance(effect, MessageSent | MessageEdited)
        else effect
        for effect in effects
    ]
    return effects if changed == effects else changed


def _masked(
    masks: Sequence[Mask], data: MessageSent | MessageEdited, policy: Policy
) -> MessageSent | MessageEdited:
    text = data.text
    for mask in masks:
        text = mask.mask(text)
    if text == data.text:
        return data
    return replace(data, text=text, entities=links(text, policy.max_entities))
