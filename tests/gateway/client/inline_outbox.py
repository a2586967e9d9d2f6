"""An outbox on disk without its thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio

from palaver.gateway.client import DiskOutbox


class InlineOutbox(DiskOutbox):
    """For tests under a clock that jumps when all wait: it would jump while the thread works."""

    async def _do(self, act: Callable[..., Any], *args: Any) -> Any:
        await trio.lowlevel.checkpoint()
        return act(*args)
