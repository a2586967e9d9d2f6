"""What only Postgres finds: inflections, ranks; and how its table of search is kept."""

import structlog

from palaver.persistence.postgres.store import PostgresStore
from palaver.protocol.features.messages import MessageSent, SendMessage
from palaver.protocol.records import Search
from palaver.tests.persistence.contract.chat import Chat
from palaver.tests.persistence.contract.twins import execute
from palaver.tests.persistence.proxy import proxied


async def texts(store: PostgresStore, text: str, mode="fts", user: str = "bob") -> list[str | None]:
    await store.searches.caught_up()
    found = await store.searches.search(Search(user, text, mode))
    assert found.total == len(found.hits)
    return [hit.message.current_text for hit in found.hits]


async def talk(store: PostgresStore, *lines: str) -> Chat:
    chat = await Chat(store, ["ann", "bob"]).create()
    for line in lines:
        chat.send("ann", line)
    await chat.settle()
    return chat


async def test_SRCH_05_inflected_words_and_the_better_match_first(fresh_database: str):
    async with PostgresStore(fresh_database) as store:
        await talk(
            store,
            "Calculus, calculus, calculus: I love calculus",
            "studying calculus",
            "We studied it",
            "nothing of the sort",
            "a study of calculus",
        )
        assert await texts(store, "calculus") == [
            "Calculus, calculus, calculus: I love calculus",
            "a study of calculus",
            "studying calculus",
        ]
        assert set(await texts(store, "studies")) == {
            *("studying calculus", "We studied it", "a study of calculus"),
        }
        assert set(await texts(store, "the studies of calculus")) == {
            *("studying calculus", "a study of calculus"),
        }


async def test_SRCH_05_words_too_common_to_look_for_find_nothing(fresh_database: str):
    async with PostgresStore(fresh_database) as store:
        await talk(store, "the end of the day")
        for text in ("the", "of the", "!!", "  ' "):
            assert await texts(store, text) == []


async def test_SRCH_06_without_trigrams_substrings_are_found_and_a_warning_is_given(
    fresh_database: str,
):
    with structlog.testing.capture_logs() as entries:
        async with PostgresStore(fresh_database, search="trgm") as store:
            await talk(store, "100% brunch", "100 lunches")
            assert await texts(store, "unch", "trgm") == ["100 lunches", "100% brunch"]
            assert await texts(store, "0%", "trgm") == ["100% brunch"]
    available = await execute(
        fresh_database, "SELECT FROM pg_available_extensions WHERE name = 'pg_trgm'"
    )
    warnings = [entry for entry in entries if "substrings" in entry["event"]]
    assert len(warnings) == (0 if available else 1)


async def test_SRCH_11_what_is_found_can_be_made_anew_from_the_log(fresh_database: str):
    async with PostgresStore(fresh_database) as store:
        chat = await talk(store, "zebra one", "zebra two", "zebra three")
        chat.delete(chat.sent[0])
        chat.edit(chat.sent[1], "a lion")
        await chat.settle()
        before = await texts(store, "zebra"), await texts(store, "lion")
    await execute(fresh_database, "TRUNCATE search, search_position")
    async with PostgresStore(fresh_database) as store:
        assert (await texts(store, "zebra"), await texts(store, "lion")) == before


async def test_SRCH_11_indexing_goes_on_where_it_was_interrupted(fresh_database: str):
    """Also in the middle of a long conversation, more of which comes meanwhile."""
    async with PostgresStore(fresh_database, search="off") as store:
        chat = await talk(store, *(f"zebra {n}" for n in range(2500)))
    await execute(fresh_database, f"INSERT INTO search_position VALUES ('{chat.id}', 1200)")
    async with PostgresStore(fresh_database) as store:
        chat.store = store
        chat.send("ann", "zebra at last")
        await chat.settle()
        await texts(store, "nothing")
        (row,) = await execute(fresh_database, "SELECT min(seq), max(seq), count(*) FROM search")
        assert tuple(row) == (1201, 2502, 1302)


async def test_SRCH_11_an_outage_delays_it_and_loses_nothing(fresh_database: str):
    async with proxied(fresh_database) as proxy, PostgresStore(proxy.dsn) as store:
        chat = await talk(store, "zebra one")
        proxy.go_away()
        chat.send("ann", "zebra two")
        proxy.come_back()
        await chat.settle()
        proxy.cut()
        assert await texts(store, "zebra") == ["zebra two", "zebra one"]


async def test_SRCH_11_a_text_of_any_length_is_indexed(fresh_database: str):
    async with PostgresStore(fresh_database) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        words = " ".join(f"w{n}.de/{n}-a-b" for n in range(8000))
        write = chat.write("ann", SendMessage(text="zebra"))
        write.events[0].data = MessageSent(text=f"zebra {'x' * 3000} {words} finis")
        await chat.append(write).outcome()
        await chat.send("ann", "zebra after it").outcome()
        assert len(await texts(store, "zebra")) == 2
        assert len(await texts(store, "finis", "trgm")) == 1


async def test_SRCH_11_one_that_cannot_be_indexed_holds_up_no_other(fresh_database: str):
    async with PostgresStore(fresh_database) as store:
        await execute(fresh_database, "ALTER TABLE search ADD CHECK (text <> 'poison')")
        chats = [await Chat(store, ["ann", "bob"]).create() for _ in range(3)]
        for chat, text in zip(chats, ("zebra one", "poison", "zebra two"), strict=True):
            chat.send("ann", text)
        with structlog.testing.capture_logs() as entries:
            assert set(await texts(store, "zebra")) == {"zebra one", "zebra two"}
        assert {entry["log_level"] for entry in entries} == {"error"}
        assert "poison" not in str(entries)


async def test_C_26_where_search_is_off_nothing_is_indexed(fresh_database: str):
    async with PostgresStore(fresh_database, search="off") as store:
        await talk(store, "zebra")
    assert await execute(fresh_database, "SELECT FROM search_position") == []


async def test_SRCH_11_an_engine_that_is_not_the_current_one_indexes_nothing(fresh_database: str):
    async with PostgresStore(fresh_database) as old:
        chat = await talk(old, "zebra")
        await execute(fresh_database, "UPDATE incarnation SET ended_at = now(), clean = false")
        await execute(fresh_database, "TRUNCATE search, search_position")
        old.searches._indexer.told([chat.id])
        assert await texts(old, "zebra") == []


async def test_SRCH_01_who_has_very_many_conversations_finds_what_is_theirs(fresh_database: str):
    async with PostgresStore(fresh_database) as store:
        await talk(store, "zebra")
        foreign = await Chat(store, ["ann", "cy"]).create()
        await foreign.send("ann", "zebra elsewhere").outcome()
        await execute(
            fresh_database,
            """
            INSERT INTO member (conversation, changed_seq, read_seq, read_number, user_id, role,
                                intervals)
            SELECT gen_random_uuid(), 1, 1, 0, 'bob', 'member', '[[1, null]]'
            FROM generate_series(1, 600)
            """,
        )
        assert await texts(store, "zebra") == ["zebra"]


async def test_SRCH_05_a_text_cannot_pretend_to_be_of_another_conversation(fresh_database: str):
    async with PostgresStore(fresh_database) as store:
        mine = await Chat(store, ["ann", "bob"]).create()
        theirs = await Chat(store, ["ann", "cy"]).create()
        await theirs.send("ann", f"zebra ' {mine.id}' {mine.id}").outcome()
        assert await texts(store, "zebra") == []
