"""palaver inside of programs that do not run trio: an engine in a thread of its own.

`AsyncioEngine` is for hosts on asyncio (FastAPI, aiohttp), `BlockingEngine` for those without a
loop (Django, Flask, scripts). Both are thin: the same engine, the same promises.
"""

from .asyncio import AsyncioEngine, AsyncioUser
from .blocking import BlockingEngine, BlockingUser

__all__ = ["AsyncioEngine", "AsyncioUser", "BlockingEngine", "BlockingUser"]
