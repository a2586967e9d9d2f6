"""One contract for both adapters of the delivery port."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from palaver.actors.host import Delivery
from palaver.engine import StartupError
from palaver.engine.host import Notice
from palaver.tests.support import hosts
from palaver.tests.support.engines import refused
from palaver.tests.support.hosts import Pusher, pushes_by_http

every_adapter = pytest.mark.parametrize("adapter", ["python", "http"])
NOTICE = Notice("1", "bob", "room", {"id": "m", "seq": 2, "by": "ann", "text": "Ünï"})


def opened(adapter: str, pusher: Pusher, **host: Any) -> AbstractAsyncContextManager[Delivery]:
    return hosts.opened("delivery", adapter, pusher, pushes_by_http(pusher), **host)


@every_adapter
async def test_SEND_13_the_host_is_told_under_an_id_that_stays_the_same(adapter: str):
    pusher = Pusher(broken=True)
    async with opened(adapter, pusher) as port:
        assert (await refused(port.deliver(NOTICE))).code == "UNAVAILABLE"
        pusher.broken = False
        await port.deliver(NOTICE)
        assert (pusher.tries, pusher.told) == ([NOTICE], [NOTICE])


@every_adapter
async def test_SEND_13_while_the_host_is_left_in_peace_it_is_not_told(adapter: str):
    pusher = Pusher(broken=True)
    async with opened(adapter, pusher, failures=2, cool_down_s=60) as port:
        for _ in range(2):
            assert (await refused(port.deliver(NOTICE))).code == "UNAVAILABLE"
        no = await refused(port.deliver(NOTICE))
        assert (no.code, (no.retry_after or 0) > 50) == ("OVERLOADED", True)
        assert len(pusher.tries) == 2


async def test_a_callback_needs_an_address():
    with pytest.raises(StartupError, match=r"host\.url and host\.secret"):
        async with hosts.opened("delivery", "settings", None, {}, delivery="callback"):
            pass
