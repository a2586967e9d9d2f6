"""An engine over Postgres: a block and a request, lived through and found again after a restart."""

from pathlib import Path
from typing import Any

from palaver.engine import Engine, Settings
from palaver.protocol.features.blocks import BlockUser, UnblockUser
from palaver.protocol.features.inbox import ListConversations
from palaver.protocol.features.requests import AcceptRequest
from palaver.protocol.features.settings import SetSettings
from palaver.tests.support.engines import refused


def over(dsn: str, data: Path) -> Engine:
    sections: dict[str, Any] = {
        "storage": {"dsn": dsn, "data": data},
        "policy": {"blocks": "silent", "message_requests": True},
    }
    return Engine(Settings(**sections))


async def requests(engine: Engine, user: str) -> list[str]:
    found = await engine.as_user(user).do(ListConversations(filter="requests"))
    return [row["c"] for row in found["conversations"]]


async def test_REQ_03_REQ_09_over_postgres_and_a_restart(fresh_database: str, tmp_path: Path):
    async with over(fresh_database, tmp_path) as engine:
        ann, bob, cid = (engine.as_user(user) for user in ("ann", "bob", "cid"))
        room = (await ann.send_to("bob", "hello")).conversation
        await bob.do(BlockUser(user="cid"))
        unseen = (await cid.send_to("bob", "hello")).conversation
        await cid.do(SetSettings(messages_from="no_one"))
        assert (await refused(ann.send_to("cid", "hello"))).code == "PRIVACY_DENIED"
    async with over(fresh_database, tmp_path) as engine:
        ann, bob, cid = (engine.as_user(user) for user in ("ann", "bob", "cid"))
        assert await requests(engine, "bob") == [room]
        await bob.do(AcceptRequest(), room)
        await ann.send(room, "more")
        await cid.send(unseen, "more")
        assert [row["c"] for row in (await bob.inbox())["conversations"]] == [room]
        assert [row["c"] for row in (await cid.inbox())["conversations"]] == [unseen]
        await bob.do(UnblockUser(user="cid"))
        await cid.send(unseen, "sorry")
        assert await requests(engine, "bob") == [unseen]
        (message,) = await bob.history(unseen)
        assert message["text"] == "sorry"
    async with over(fresh_database, tmp_path) as engine:
        (row,) = (await engine.as_user("bob").do(ListConversations(filter="requests")))[
            "conversations"
        ]
        assert (row["c"], row["unread"], row["last"]["text"]) == (unseen, 1, "sorry")
