"""A nursery for what goes on behind the scenes."""

from __future__ import annotations

from types import TracebackType

import trio


class Background:
    """A nursery that goes on until its body is left, also while that is being cancelled, and that
    does not wrap the body's errors.

    So what works behind the scenes is still there when the body cleans up after itself. If one of
    its tasks fails, the body is cancelled and the failure raised, as in any nursery.
    """

    async def __aenter__(self) -> trio.Nursery:
        self._manager = trio.open_nursery()
        outer = await self._manager.__aenter__()
        nursery: trio.Nursery = await outer.start(self._host)
        return nursery

    async def _host(self, task_status: trio.TaskStatus[trio.Nursery]) -> None:
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as nursery:
                self._scope = nursery.cancel_scope
                task_status.started(nursery)
                await trio.sleep_forever()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._scope.cancel()
        if isinstance(error, trio.Cancelled):
            return await self._manager.__aexit__(kind, error, traceback)
        await self._manager.__aexit__(None, None, None)
        return None
