"""palaver inside of programs that do not run trio: an engine, or a client, in a thread of its own.

`AsyncioEngine` is for hosts on asyncio (FastAPI, aiohttp), `BlockingEngine` for those without a
loop (Django, Flask, scripts); `AsyncioClient` is for programs on asyncio that talk to a server. All
are thin: the same engine, the same client, the same promises.
"""

from .asyncio import AsyncioEngine, AsyncioUser
from .asyncio_client import AsyncioClient
from .blocking import BlockingEngine, BlockingUser

__all__ = ["AsyncioClient", "AsyncioEngine", "AsyncioUser", "BlockingEngine", "BlockingUser"]
