"""One contract for both adapters of the delivery port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from palaver.actors.host import Delivery
from palaver.engine import StartupError
from palaver.engine.host import Notice
from palaver.engine.host.claims import Claims
from palaver.engine.host.opening import open_host
from palaver.engine.metrics import Metrics
from palaver.engine.settings import Settings
from palaver.engine.testing import numbered_ids
from palaver.tests.support.engines import refused
from palaver.tests.support.hosts import SECRET, Directory, Pusher, web

every_adapter = pytest.mark.parametrize("adapter", ["python", "http"])
NOTICE = Notice("1", "bob", "room", {"id": "m", "seq": 2, "by": "ann", "text": "Ünï"})


@asynccontextmanager
async def opened(adapter: str, pusher: Pusher, **host: Any) -> AsyncIterator[Delivery]:
    if adapter == "http":
        async with (
            web(Directory(), pusher) as url,
            _opened(None, delivery="callback", url=url, secret=SECRET, **host) as port,
        ):
            yield port
        return
    async with _opened(pusher, **host) as port:
        yield port


@asynccontextmanager
async def _opened(given: Pusher | None, **host: Any) -> AsyncIterator[Delivery]:
    settings = Settings.model_validate({"host": host})
    async with open_host(
        settings, Claims(1000), Metrics(), numbered_ids(), delivery=given
    ) as ports:
        assert ports.delivery is not None
        yield ports.delivery


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
        async with _opened(None, delivery="callback"):
            pass
