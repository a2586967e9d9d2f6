"""The ports to the host: what the product around palaver knows, and palaver does not.

Each has three adapters: what tokens say, an HTTP callback, a Python object of an embedding
application; `delivery.py` has two, since tokens cannot be told anything. A new port is a file like
`users.py`, and a line each in `ports.py`, in `opening.py`, in `Host` of `actors/host.py` (of
`opening.py`, if only the gateway asks), and in the settings; what invalidates it is a class in
`gateway/host_calls.py`.

ports.py        which there are, for an embedding application
premium.py      who has a valid subscription, and until when
users.py        who there is, and what they may see of one another
relations.py    who follows whom
sessions.py     what the sessions are that tokens name
delivery.py     what waits for those who are away
contexts.py     what conversations may be about, and who has to do with whom
membership.py   who is in the groups that are the host's
facts.py        what the host said lately, by id; who asks the same at once shares one answer
webhooks.py     telling it of stored events
patience.py     how it is told what jobs have for it
asking.py       how it is asked: bounded, within a deadline, and not while it is away
breaker.py      whether it is away
callback.py     by HTTP, signed
claims.py       what tokens said
tools.py        what a port is made with
opening.py      all of it, as the settings say
"""

from __future__ import annotations

from ...actors.host import Delivery, Notice
from .contexts import Contexts, Thing
from .membership import Membership
from .premium import Premium, Subscription
from .relations import Relations
from .sessions import Session, SessionStore
from .users import Account, Users

__all__ = [
    "Account",
    "Contexts",
    "Delivery",
    "Membership",
    "Notice",
    "Premium",
    "Relations",
    "Session",
    "SessionStore",
    "Subscription",
    "Thing",
    "Users",
]
