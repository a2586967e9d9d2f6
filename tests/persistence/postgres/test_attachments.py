"""The rows of attachments in Postgres, and what becomes of them if something fails half-way."""

from typing import Any

from palaver.persistence.postgres.store import PostgresStore
from palaver.protocol.records import Committed, Refused
from palaver.tests.persistence.contract.chat import Chat
from palaver.tests.persistence.contract.twins import execute

PHOTO: dict[str, Any] = {"type": "image", "url": "/a", "thumbnail_url": "/t", "name": "a.jpg"}
PHOTO |= {"mime": "image/jpeg", "size": 7, "width": 640, "height": 480}
SOUND = {"type": "voice", "url": "/v", "duration_s": 2.5}

STORED = """
    SELECT log.kind, array_agg(attachment.ordinal::integer ORDER BY ordinal) AS ordinals
    FROM log LEFT JOIN attachment USING (conversation, seq)
    WHERE log.seq > 1 GROUP BY log.seq, log.kind ORDER BY log.seq
"""


async def break_at_the_second(dsn: str, how: str) -> None:
    """After a message and its first attachment are inserted, do `how`."""
    await execute(
        dsn,
        "CREATE SEQUENCE faults",
        f"""CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF new.ordinal = 1 THEN {how} END IF;
            RETURN new;
        END $$""",
        "CREATE TRIGGER fault BEFORE INSERT ON attachment FOR EACH ROW EXECUTE FUNCTION fault()",
    )


async def test_SEND_10_a_fault_between_the_inserts_leaves_neither(fresh_database: str):
    async with PostgresStore(fresh_database) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        await break_at_the_second(fresh_database, "RAISE check_violation;")
        refused = chat.send("ann", "two", attachments=[PHOTO, SOUND])
        stored = chat.send("ann", "one", attachments=[PHOTO])
        assert isinstance(await refused.outcome(), Refused)
        assert await stored.outcome() == Committed()
    rows = await execute(fresh_database, STORED)
    assert [(row["kind"], row["ordinals"]) for row in rows] == [
        ("void", [None]),
        ("message.sent", [0]),
    ]


async def test_SEND_10_a_connection_lost_between_the_inserts_leaves_neither(fresh_database: str):
    """Nor is anything there twice when they are stored at last."""
    async with PostgresStore(fresh_database) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        cut = (
            "IF nextval('faults') < 3 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
        )
        await break_at_the_second(fresh_database, cut)
        assert await chat.send("ann", "two", attachments=[PHOTO, SOUND]).outcome() == Committed()
    rows = await execute(fresh_database, STORED)
    assert [(row["kind"], row["ordinals"]) for row in rows] == [("message.sent", [0, 1])]
    (faults,) = await execute(fresh_database, "SELECT last_value FROM faults")
    assert faults["last_value"] == 3


async def test_ATT_27_what_is_recorded_of_each(fresh_database: str):
    async with PostgresStore(fresh_database) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        await chat.send("ann", "", attachments=[PHOTO, SOUND]).outcome()
        # Of metadata only what is known: the rest is the product's, and of any type.
        metadata = {"duration_s": 1, "width": "wide", "mime": "audio/ogg"}
        await chat.send("ann", "", type="voice", metadata=metadata).outcome()
        await chat.send("ann", "x", metadata={"url": "/not/shown"}).outcome()
    rows = await execute(fresh_database, "SELECT * FROM attachment ORDER BY seq, ordinal")
    known = [{k: v for k, v in row.items() if v is not None} for row in rows]
    assert {str(row.pop("conversation")) for row in known} == {chat.id}
    assert known == [
        {"seq": 2, "ordinal": 0, **PHOTO},
        {"seq": 2, "ordinal": 1, **SOUND},
        {"seq": 3, "ordinal": 0, "type": "voice", "duration_s": 1, "mime": "audio/ogg"},
    ]
