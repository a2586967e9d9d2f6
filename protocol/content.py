"""What a message may hold: the same whether it is sent, edited or posted (MSG-05).

Length and format of its text, its type with what belongs to that, free metadata, and who is
mentioned. Nothing here rewrites a text: it is stored and served as it was sent, and never trusted
(MSG-02; `html.py` for who must show it as HTML).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from .commands import Context
from .errors import Rejected, invalid
from .media import MEDIA
from .policy import Policy
from .state import ConversationState
from .values import BadFrame, check_value


def check_text(text: str, policy: Policy, type: str = "text", *, attachments: bool = False) -> None:
    """Length in characters (SEND-03). White space alone is no message, but for one that has
    something else to show, by its type or `attachments`, where the product wants that (C-02).

    A codec has refused U+0000 already, but a host in this process has none, and a guard may have
    put in another text.
    """
    if len(text) > policy.max_chars:
        raise Rejected("MESSAGE_TOO_LONG", details={"field": "text", "max_chars": policy.max_chars})
    if not text or text.isspace():
        shows = attachments or type in MEDIA
        if not (shows and policy.allow_empty_with_attachment):
            raise invalid("text", "must not be empty")
    if "\x00" in text:
        raise invalid("text", "must not hold U+0000")


def invalid_type(type: str, policy: Policy) -> Rejected:
    """`type` is none of those that the product allows (MSG-01)."""
    allowed = list(policy.message_types)
    return Rejected("INVALID_MESSAGE_TYPE", details={"field": "type", "allowed": allowed})


def check_metadata(metadata: dict[str, Any], policy: Policy) -> None:
    """Free, but of what may travel, and bounded (MSG-29)."""
    try:
        check_value(metadata)
    except BadFrame as no:
        raise invalid("metadata", no.message) from None
    size = len(json.dumps(metadata, ensure_ascii=False).encode())
    if size > policy.max_metadata_bytes:
        raise invalid("metadata", f"at most {policy.max_metadata_bytes} bytes as JSON")


_NAME = re.compile(r"(?<![\w@/])@(\w(?:[\w.+:@-]{0,126}\w)?)")
"""`@` and a user id, neither inside of an address nor of a path. Ids that are not made of these
characters can only be named explicitly."""


def mentioned(
    named: Sequence[str] | None,
    text: str,
    state: ConversationState,
    context: Context,
    to: str | None = None,
) -> list[str] | None:
    """Those of `named`, and of the names in `text` where the product wants that, who are here: the
    other members, and `to`, with whom the conversation is about to begin. Whoever else is named is
    passed over (MSG-20). None if nobody is left."""
    policy = context.policy
    names = list(named or ())
    if len(names) > policy.max_mentions:
        raise invalid("mentions", f"at most {policy.max_mentions}")
    if policy.mentions_in_text:
        names += [match[1] for match in _NAME.finditer(text)]

    def is_here(user: str) -> bool:
        return user == to or state.has_member(user)

    here = [user for user in dict.fromkeys(names) if user != context.user and is_here(user)]
    return here[: policy.max_mentions] or None
