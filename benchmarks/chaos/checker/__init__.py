"""The checker: from the histories and the final database alone to a verdict.

    truth.py     the database at the end
    view.py      one device's conversation, replayed from its history as docs/protocol.md says
    facts.py     a whole history, sorted into what rules ask for
    promises.py  rules about replies: nothing missing, nothing twice
    order.py     rules about what was seen: one order, nothing altered, changes arrive
    counts.py    rules about marks and unread counts
    check.py     all of them

Pure, and imports nothing but itself and the standard library.
"""

from .check import Expectations, check
from .facts import Facts, Violation
from .truth import Truth

__all__ = ["Expectations", "Facts", "Truth", "Violation", "check"]
