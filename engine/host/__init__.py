"""The ports to the host: what the product around palaver knows, and palaver does not.

Each has three adapters: what tokens say, an HTTP callback, a Python object of an embedding
application. A new port is a file like `users.py`, and a line each in `ports.py`, in `opening.py`,
in `Host` of `actors/host.py`, and in the settings; what invalidates it is a class in
`gateway/host_calls.py`.

ports.py        which there are, for an embedding application
users.py        who there is, and what they may see of one another
facts.py        what the host said lately, by id; who asks the same at once shares one answer
asking.py       how it is asked: bounded, within a deadline, and not while it is away
breaker.py      whether it is away
callback.py     by HTTP, signed
claims.py       what tokens said
tools.py        what a port is made with
opening.py      all of it, as the settings say
"""

from __future__ import annotations

from .users import Account, Users

__all__ = ["Account", "Users"]
