"""A host that takes its time, behind real HTTP, and who waits for it."""

from __future__ import annotations

from collections.abc import Sequence

import trio
from trio.testing import MockClock

from palaver.engine.host import Account
from palaver.engine.testing import Device, memory_engine
from palaver.tests.support.engines import group
from palaver.tests.support.hosts import SECRET, Directory, by_http, web

SLOW_S = 2.0


class Slow(Directory):
    """`begun` is set when it is asked."""

    def __init__(self, *ids: str) -> None:
        super().__init__(*ids)
        self.begun = trio.Event()

    async def find(self, ids: Sequence[str]) -> dict[str, Account]:
        self.begun.set()
        return await super().find(ids)


async def test_CONV_23_a_host_that_answers_in_2_s_delays_only_who_asks_for_it(
    mock_clock: MockClock,
):
    """No time passes but by `jump`: whatever is answered before has not waited for the host."""
    users = Slow("ann", "bob", "cid", "dan")
    async with web(by_http(users)) as url:
        host = {"users": "callback", "url": url, "secret": SECRET, "timeout_s": 3}
        async with memory_engine(host=host) as engine:
            room = await group(engine, "ann", "bob", "cid")
            elsewhere = await group(engine, "ann", "bob")
            ann, bob, cid = (Device(engine, user) for user in ("ann", "bob", "cid"))
            users.begun, users.delay_s = trio.Event(), SLOW_S
            slow, behind = ann.next_id(), ann.next_id()
            ann.submit("member.add", {"users": ["dan"]}, c=room, id=slow)
            ann.submit("message.send", {"text": "after dan"}, c=room, id=behind)
            await users.begun.wait()

            for n in range(3):
                for device in (bob, cid):
                    sent = await device.ask("message.send", {"text": f"{device.user} {n}"}, c=room)
                    assert "ok" in sent
            assert "ok" in await ann.ask("message.send", {"text": "elsewhere"}, c=elsewhere)
            assert [item["ok"]["c"] for item in ann.of_kind("reply")] == [elsewhere]

            mock_clock.jump(SLOW_S)
            assert "ok" in await ann.answered(slow)
            assert "ok" in await ann.answered(behind)
            told = [(item["t"], item["d"].get("text")) for item in bob.events(room)]
            others = [f"{user} {n}" for n in range(3) for user in ("bob", "cid")]
            assert told == [
                *(("message.sent", text) for text in others),
                ("member.added", None),
                ("message.sent", "after dan"),
            ]
            assert [item["seq"] for item in bob.events(room)] == list(range(2, 10))
            assert bob.events(room) == cid.events(room)
