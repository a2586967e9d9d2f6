"""The composition root and the embedding API.

engine.py       Engine: everything put together, from open to drain
settings.py     every number and switch
profiles/       the products, each in a file of settings
storage.py      which store: memory, one's own Postgres, the embedded one
spool.py        the spool from outside: what is in it, and storing that now
user.py         what a host does as one of its users
host/           the ports to the product: its users
events.py       following conversations from within the host's process
metrics.py      what is measured
logs.py         how it is logged
testing/        the kit for testing with the engine
"""

from __future__ import annotations

from .engine import Engine
from .settings import Settings
from .storage import StartupError, migrate

__all__ = ["Engine", "Settings", "StartupError", "migrate"]
