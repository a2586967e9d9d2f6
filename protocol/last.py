"""The last message of a conversation, as the inbox shows it: {id, seq, by, ts, text, type?,
attachments?}.

Where a later one was meant for some members only, theirs are kept with it under `only`, by user; in
a conversation that has no other the rest is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Last = dict[str, Any]


def last_of(last: Last, user: str) -> Last | None:
    """The last one that was meant for `user`."""
    if "only" not in last:
        return last
    own: Last | None = last["only"].get(user)
    if own is not None:
        return own
    common = {name: value for name, value in last.items() if name != "only"}
    return common or None


def said(last: Last | None, new: Last, audience: Iterable[str] | None) -> Last:
    """`last` after the message `new`."""
    if audience is None:
        return new
    last = last or {}
    return {**last, "only": {**last.get("only", {}), **dict.fromkeys(audience, new)}}


def changed(
    last: Last | None, seq: int, change: Last, audience: Iterable[str] | None
) -> Last | None:
    """`last` after a `change` of the message at `seq`, of which the `audience` learns."""
    if last is None:
        return None
    if audience is not None:
        for user in audience:
            own = last_of(last, user)
            if own is not None and own["seq"] == seq:
                last = said(last, _become(own, change), (user,))
        return last
    if last.get("seq") == seq:
        last = _become(last, change)
    for user, own in last.get("only", {}).items():
        if own["seq"] == seq:
            last = said(last, _become(own, change), (user,))
    return last


def _become(last: Last, change: Last) -> Last:
    after = {**last, **change}
    if after.get("deleted"):
        after.pop("attachments", None)  # content, like the text
    else:
        after.pop("deleted", None)
    return after
