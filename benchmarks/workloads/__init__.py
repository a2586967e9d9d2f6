"""What people do, one file each: of what cases a workload consists, and how one is measured.

fanout.py    one large group
direct.py    many conversations of two; nothing is stored
durable.py   the same, stored
idle.py      connections that say nothing
connect.py   handshakes
resume.py    everybody comes back
history.py   pages of a conversation
inbox.py     many conversations of one user
"""

from __future__ import annotations

from collections.abc import Callable

from ..case import Case, Scale
from . import connect, direct, durable, fanout, history, idle, inbox, resume

WORKLOADS: dict[str, Callable[[Scale], list[Case]]] = {
    "fanout": fanout.cases,
    "direct": direct.cases,
    "durable": durable.cases,
    "idle": idle.cases,
    "connect": connect.cases,
    "resume": resume.cases,
    "history": history.cases,
    "inbox": inbox.cases,
}
"""By the name that `palaver bench` knows, in the order in which they are run."""
