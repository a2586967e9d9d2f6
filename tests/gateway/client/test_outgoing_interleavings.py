"""Any interleaving of enqueueing, breaking, refusing and restarting ends with each message once and
in its order."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from palaver.protocol.errors import Rejected
from palaver.protocol.features.messages import SendMessage
from palaver.tests.gateway.client.house import house
from palaver.tests.gateway.client.inline_outbox import InlineOutbox

GROUPS = 3
RETRYABLE = ("UNAVAILABLE", "INTERNAL", "OVERLOADED", "RATE_LIMITED")

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("enqueue"), st.integers(0, GROUPS - 1)),
        st.tuples(st.just("refuse"), st.sampled_from(RETRYABLE)),
        st.tuples(st.just("wait"), st.integers(1, 40)),
        st.tuples(st.sampled_from(["cut", "restart"]), st.none()),
    ),
    max_size=30,
)


class Moods:
    """A guard that refuses as often as it was told to."""

    def __init__(self) -> None:
        self.codes: list[str] = []

    def check(self, command: Any, context: object, state: object) -> Any:
        if isinstance(command, SendMessage) and self.codes:
            raise Rejected(self.codes.pop(), retry_after=2)
        return command


async def play(steps: list[tuple[str, Any]], path: Path) -> None:
    moods = Moods()
    async with house(guards=[moods]) as home:
        host = home.gateway.engine.as_user("ann")
        groups = [await host.create_group(f"{n}", ["bob"]) for n in range(GROUPS)]
        said: list[list[str]] = [[] for _ in groups]
        rest = iter([*steps, ("restart", None)])
        lives = 1 + sum(step == "restart" for step, _ in steps)
        for _ in range(lives):
            async with home.client("ann", pushes=False, outbox=InlineOutbox(path)) as client:
                for step, what in rest:
                    if step == "enqueue":
                        said[what].append(f"{len(said[what])}")
                        await client.enqueue(groups[what], said[what][-1])
                    elif step == "refuse":
                        moods.codes.append(what)
                    elif step == "wait":
                        for _ in range(what):
                            await trio.lowlevel.checkpoint()
                    elif step == "cut":
                        await home.cut()
                    else:
                        break
        async with home.client("ann", pushes=False, outbox=InlineOutbox(path)) as client:
            for each in client.outbox.waiting:
                await each.answer()
        for group, texts in zip(groups, said, strict=True):
            assert [message["text"] for message in await host.history(group)] == texts


@settings(max_examples=40)
@given(STEPS)
def test_SEND_06_every_message_once_and_in_order_whatever_happens(
    steps: list[tuple[str, Any]],
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        trio.run(play, steps, Path(directory) / "outbox", clock=MockClock(autojump_threshold=0))
