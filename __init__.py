"""palaver: an actor-based messaging engine, embeddable or served.

The repository root is this package. A reply to ``message.send`` means the message is durable;
every device sees every event of a conversation once, in one order, or is told what to reload.

    hosting ──► gateway ──► engine ──► actors ──► protocol
                                 └───► persistence ──► protocol

Imports follow the arrows and never run against them (``tests/test_architecture.py``).

==================  ============================================================================
``protocol``        the pure core: commands, events, frames, codec, errors, the conversation state
                    machine; one file per message feature in ``protocol.features``. No I/O, no clock
``actors``          trio: mailboxes, supervision, conversation and session actors, fan-out;
                    ``actors.guards`` run before a command, ``actors.reactors`` after its events
``persistence``     Postgres: group commit, journal, spool, queries, migrations, and the in-memory
                    twin of each store
``engine``          the composition root and embedding API; ``engine.testing`` is the test kit
``gateway``         WebSocket and REST listeners, auth, the Python client, the command line
``hosting``         the engine in a thread, for hosts on asyncio, Django or no loop at all
``benchmarks``      the load harness, ``palaver bench``
==================  ============================================================================

What an embedding program needs is importable from here, and loaded only when it is asked for::

    from palaver import Engine, Settings, serve, Client
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = ["Client", "Engine", "Settings", "__version__", "serve"]

if TYPE_CHECKING:
    from .engine import Engine, Settings
    from .gateway import serve
    from .gateway.client import Client
else:
    _HOMES = {
        "Client": ".gateway.client",
        "Engine": ".engine",
        "Settings": ".engine",
        "serve": ".gateway",
    }

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOMES[name], __name__), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
