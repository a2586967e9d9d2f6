"""The history of who has no premium, read from Postgres."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from palaver.engine import Engine, Settings
from palaver.engine.testing import Device
from palaver.protocol.policy import DAY_MS
from palaver.tests.support.engines import group, say
from palaver.tests.support.hosts import Subscribers

LOOKS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("message.history", {}, ["new 0", "new 1"]),
    ("message.history", {"after": 0, "limit": 1}, ["new 0"]),
    ("message.history", {"before": 3}, []),
    ("message.history", {"page": 1, "limit": 1}, ["new 1"]),
    ("pin.list", {}, []),
    ("message.search", {"query": "new"}, ["new 0", "new 1"]),
    ("message.search", {"query": "old"}, []),
    ("star.list", {}, []),
    ("media.list", {}, []),
]


async def test_HIST_10_an_older_request_is_empty_and_limited(fresh_database: str, tmp_path: Path):
    ago = [31 * DAY_MS]
    policy = {
        "durability": "commit",  # numbered pages and search know what is stored
        "free_history_days": 30,
        "message_types": ["text", "image"],
    }
    storage = {"dsn": fresh_database, "data": tmp_path}
    settings = Settings.model_validate(
        {"storage": storage, "policy": policy, "actors": {"ring": 1}}
    )

    def clock() -> int:
        return round(time.time() * 1000) - ago[-1]

    async with Engine(settings, premium=Subscribers("ann"), clock=clock) as engine:
        room = await group(engine, "ann", "bob")
        sent = await say(engine, room, "ann", "old 0", "old 1")
        await engine.as_user("ann").pin(room, sent[0].id)
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        image = {"text": "", "type": "image", "metadata": {"url": "https://example.org/1"}}
        assert "ok" in await ann.ask("message.send", image, c=room)
        assert "ok" in await bob.ask("message.star", {"message_id": sent[0].id}, c=room)
        ago.append(0)
        await say(engine, room, "ann", "new 0", "new 1")
        await engine._env.store.searches.caught_up()
        for kind, payload, texts in LOOKS:
            c = room if kind not in ("message.search", "star.list") else None
            ok = (await bob.ask(kind, payload, c=c))["ok"]
            found = ok.get("messages", ok.get("hits", ok.get("stars")))
            assert sorted(each.get("text", "") for each in found) == texts, kind
            assert ok.get("limited") is True, (kind, payload, ok)
            whole = (await ann.ask(kind, payload, c=c))["ok"]
            assert "limited" not in whole
        await bob.ask("conversation.resume", {"epoch": 1, "seq": 1}, c=room)
        assert [item["seq"] for item in bob.of_kind("skipped")] == [5]
