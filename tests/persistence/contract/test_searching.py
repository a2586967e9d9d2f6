"""Finding messages: what both stores must find, in which order, and what nobody may find.

Words are compared as they are: stemming, words too common to look for and the finer points of
ranking belong to Postgres alone (tests/persistence/postgres/test_searches.py).
"""

from palaver.protocol.features.members import AddMembers, RemoveMember
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.records import Found, Search
from palaver.tests.persistence.contract.chat import Chat, new_id
from palaver.tests.persistence.contract.twins import Twin


async def find(twin: Twin, user: str, text: str, mode="fts", **more) -> Found:
    await twin.store.searches.caught_up()
    return await twin.store.searches.search(Search(user, text, mode, **more))


async def texts(twin: Twin, user: str, text: str, mode="fts", **more) -> list[str | None]:
    found = await find(twin, user, text, mode, **more)
    return [hit.message.current_text for hit in found.hits]


async def talk(twin: Twin, *lines: str, users: tuple[str, ...] = ("ann", "bob")) -> Chat:
    chat = await Chat(twin.store, users).create()
    for line in lines:
        chat.send("ann", line)
    await chat.settle()
    return chat


async def test_SRCH_01_all_conversations_of_the_caller_and_no_others(twin: Twin):
    one = await talk(twin, "zebra one")
    two = await talk(twin, "zebra two", users=("ann", "bob", "cy"))
    await talk(twin, "zebra three", users=("ann", "cy"))
    found = await find(twin, "bob", "zebra")
    assert {hit.conversation for hit in found.hits} == {one.id, two.id}
    assert found.total == 2
    assert await texts(twin, "nobody", "zebra") == []
    assert await texts(twin, "bob", "zebra", "trgm") != []


async def test_SRCH_02_in_one_conversation(twin: Twin):
    one, _ = await talk(twin, "zebra one"), await talk(twin, "zebra two")
    foreign = await talk(twin, "zebra three", users=("ann", "cy"))
    for mode in ("fts", "trgm"):
        assert await texts(twin, "bob", "zebra", mode, conversation=one.id) == ["zebra one"]
        for other in (foreign.id, new_id(), "nonsense"):
            assert await texts(twin, "bob", "zebra", mode, conversation=other) == []


async def test_SRCH_04_pages_and_their_total(twin: Twin):
    chat = await talk(twin, *(f"zebra {number}" for number in range(45)))
    for mode in ("fts", "trgm"):
        pages = [await find(twin, "bob", "zebra", mode, offset=at) for at in (0, 20, 40, 60)]
        assert [len(page.hits) for page in pages] == [20, 20, 5, 0]
        assert {page.total for page in pages} == {45}
        seqs = [hit.message.seq for page in pages for hit in page.hits]
        assert seqs == sorted((m.seq for m in chat.sent), reverse=True)


async def test_SRCH_05_all_words_in_any_case_best_first_then_newest(twin: Twin):
    await talk(
        twin,
        "a zebra and a lion",
        "the Zebra met a zebra",
        "LION, zebra!",
        "only a lion",
        "zebras are not this word of the twin",
    )
    found = await texts(twin, "bob", "zebra lion")
    assert set(found) == {"LION, zebra!", "a zebra and a lion"}
    exact = [text for text in await texts(twin, "bob", "zebra") if text and "zebras" not in text]
    assert exact == ["the Zebra met a zebra", "LION, zebra!", "a zebra and a lion"]
    assert await texts(twin, "bob", "zeb") == []


async def test_SRCH_06_a_substring_newest_first_special_characters_literal(twin: Twin):
    lines = ("midWORDle", "100% sure", "snake_case", "back\\slash", "100 sure", "snakeXcase", "x'y")
    await talk(twin, *lines)
    for part, expected in {
        "word": ["midWORDle"],
        "sure": ["100 sure", "100% sure"],
        "0% s": ["100% sure"],
        "%": ["100% sure"],
        "e_c": ["snake_case"],
        "_": ["snake_case"],
        "k\\s": ["back\\slash"],
        "\\": ["back\\slash"],
        "x'y": ["x'y"],
        "%sure%_": [],
    }.items():
        assert await texts(twin, "bob", part, "trgm") == expected, part


async def test_SRCH_07_what_is_deleted_is_not_found(twin: Twin):
    chat = await talk(twin, "zebra kept", "zebra gone", "zebra edited")
    await find(twin, "bob", "zebra")  # so that it is in the index
    chat.delete(chat.sent[1])
    chat.edit(chat.sent[2], "lion now")
    chat.send("ann", "zebra at once")
    chat.delete(chat.sent[3])
    await chat.settle()
    for mode in ("fts", "trgm"):
        assert await texts(twin, "bob", "zebra", mode) == ["zebra kept"]
        assert await texts(twin, "bob", "lion", mode) == ["lion now"]
        assert (await find(twin, "bob", "zebra", mode)).total == 1


async def test_SRCH_07_void_events_are_not_found(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    chat.send("ann", "zebra one", client_id="k")
    chat.send("ann", "zebra two", client_id="k")
    await chat.settle()
    assert await texts(twin, "bob", "zebra") == ["zebra one"]


async def test_SRCH_07_HIST_11_only_within_one_s_times_of_membership(twin: Twin):
    chat = await talk(twin, "zebra before")
    chat.do("ann", AddMembers(users=["cy"]))
    chat.send("ann", "zebra during")
    chat.do("ann", RemoveMember(user="cy"))
    chat.send("ann", "zebra between")
    await chat.settle()
    for mode in ("fts", "trgm"):
        assert await texts(twin, "cy", "zebra", mode) == []
    chat.do("ann", AddMembers(users=["cy"]))
    chat.send("ann", "zebra again")
    await chat.settle()
    for mode in ("fts", "trgm"):
        assert await texts(twin, "cy", "zebra", mode) == ["zebra again", "zebra during"]
        assert (await find(twin, "cy", "zebra", mode, limit=1)).total == 2


async def test_SRCH_07_what_is_meant_for_others_is_not_found(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob", "cy"]).create()
    write = chat.write("ann", SendMessage(text="zebra between us"))
    write.events[0].audience = ("ann", "cy")
    await chat.append(write).outcome()
    for mode in ("fts", "trgm"):
        assert await texts(twin, "bob", "zebra", mode) == []
        assert await texts(twin, "cy", "zebra", mode) == ["zebra between us"]


async def test_SRCH_10_each_filter_narrows(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    for number in range(6):
        chat.now += 1000
        chat.send("ann" if number % 2 else "bob", f"zebra {number}")
    await chat.settle()
    at = [message.at for message in chat.sent]
    for mode in ("fts", "trgm"):
        for narrow, expected in (
            ({"by": "ann"}, [5, 3, 1]),
            ({"by": "nobody"}, []),
            ({"after": at[3]}, [5, 4]),
            ({"before": at[2]}, [1, 0]),
            ({"by": "bob", "after": at[0], "before": at[5]}, [4, 2]),
        ):
            lines = [f"zebra {number}" for number in expected]
            assert await texts(twin, "ann", "zebra", mode, **narrow) == lines, narrow


async def test_SRCH_11_what_was_stored_when_an_engine_died_is_found_by_the_next(twin: Twin):
    chat = await talk(twin, "zebra one")
    await twin.open()  # the one before is dead, and may not have come to it
    assert await texts(twin, "bob", "zebra") == ["zebra one"]
    chat.store = twin.store
    await chat.send("ann", "zebra two").outcome()
    assert await texts(twin, "bob", "zebra") == ["zebra two", "zebra one"]


async def test_SRCH_12_injection_finds_nothing_and_breaks_nothing(twin: Twin):
    await talk(twin, "zebra")
    for text in (
        "'; DROP TABLE search; --",
        "zebra' OR '1'='1",
        "x & | ! ( ) : * <-> \\",
        "' 00000000-0000-7000-8000-000000000001'",
        "%' OR 1=1 --",
        "$1",
        '"',
    ):
        for mode in ("fts", "trgm"):
            assert await texts(twin, "bob", text, mode) == [], text
    assert await texts(twin, "bob", "zebra") == ["zebra"]


async def test_a_hit_is_the_message_as_it_is_now(twin: Twin):
    chat = await talk(twin, "zebra one", "zebra two")
    chat.edit(chat.sent[0], "zebra edited")
    await chat.settle()
    (hit,) = (await find(twin, "bob", "edited")).hits
    (expected,) = (await twin.store.conversations.messages(chat.id, [chat.sent[0].id])).messages
    assert hit.message == expected
    assert hit.conversation == chat.id


async def test_many_conversations_at_once(twin: Twin):
    chats = [await Chat(twin.store, ["ann", "bob"]).create() for _ in range(20)]
    for chat in chats:
        for number in range(15):
            chat.send("ann", f"zebra {number}")
    for chat in chats:
        await chat.settle()
    assert (await find(twin, "bob", "zebra")).total == 300


async def test_SRCH_07_MSG_09_CONV_13_what_one_has_hidden_is_not_found(twin: Twin):
    lines = [f"zebra {number}" for number in range(5)]
    chat, other = await talk(twin, *lines), await talk(twin, "zebra elsewhere")
    await chat.prefer("bob", hidden_seq=chat.sent[1].seq, hidden_number=2)
    await chat.hide("bob", chat.sent[3])
    for mode, text in (("fts", "zebra"), ("trgm", "zebra"), ("trgm", "ze")):
        found = await find(twin, "bob", text, mode, conversation=chat.id)
        assert [hit.message.seq for hit in found.hits] == [chat.sent[4].seq, chat.sent[2].seq]
        assert found.total == 2
        assert await texts(twin, "bob", text, mode, conversation=other.id) == ["zebra elsewhere"]
        assert len(await texts(twin, "ann", text, mode)) == 6
