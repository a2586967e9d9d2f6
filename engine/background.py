"""A nursery for what goes on behind the scenes."""

from __future__ import annotations

from types import TracebackType

import trio


class Background:
    """A nursery that is cancelled when its body is left, and does not wrap the body's errors.

    If one of its tasks fails, the body is cancelled and the failure raised, as in any nursery.
    """

    async def __aenter__(self) -> trio.Nursery:
        self._manager = trio.open_nursery()
        self._nursery = await self._manager.__aenter__()
        return self._nursery

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._nursery.cancel_scope.cancel()
        if isinstance(error, trio.Cancelled):
            return await self._manager.__aexit__(kind, error, traceback)
        await self._manager.__aexit__(None, None, None)
        return None
