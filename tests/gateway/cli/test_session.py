"""What `palaver chat` does with what is typed and what comes, without a terminal."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from palaver.gateway.cli.screen import Screen, Words, harmless
from palaver.gateway.cli.session import Opening, Session
from palaver.gateway.client import Client, ClientEnded
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.media import Attachment
from palaver.tests.gateway.client.house import House, house
from palaver.tests.gateway.client.inline_outbox import InlineOutbox
from palaver.tests.support.hosts import Directory, person


@pytest.fixture
def clock() -> MockClock:
    """To be named by the test itself: pytest-trio looks no further."""
    return MockClock(autojump_threshold=0)


class Paper(Screen):
    """`enter` types a line; `text` is everything that was shown."""

    def __init__(self, interactive: bool) -> None:
        super().__init__()
        self.interactive = interactive
        self._send, self._receive = trio.open_memory_channel[str](100)
        self.text = ""

    def show(self, *words: Words, margin: Words = "", passing: bool = False) -> None:
        self.text += "".join(f"{line.plain}\n" for line in self._laid_out(words, margin))

    async def lines(self) -> AsyncIterator[str]:
        async for line in self._receive:
            yield line

    async def enter(self, *lines: str) -> None:
        for line in lines:
            await self._send.send(line)
            await wait_all_tasks_blocked()

    def end(self) -> None:
        self._send.close()


@asynccontextmanager
async def chat(
    home: House,
    user: str,
    *,
    interactive: bool = False,
    options: dict[str, Any] | None = None,
    **opening: Any,
) -> AsyncIterator[Paper]:
    paper = Paper(interactive)
    async with home.client(user, **options or {}) as client, trio.open_nursery() as nursery:
        session = Session(client, paper)
        nursery.start_soon(session.run, Opening(**opening))
        await wait_all_tasks_blocked()
        yield paper
        paper.end()


async def test_two_talk_and_see_what_becomes_of_it(clock: MockClock) -> None:
    async with (
        house() as home,
        chat(home, "ann", to="bob") as ann,
        chat(home, "bob", to="ann") as bob,
    ):
        await ann.enter("hello", "/edit hello, bob", "one too many", "/delete")
        assert "── bob (direct)" in ann.text
        for paper in (ann, bob):
            assert " ann: hello\n" in paper.text
            assert " ann edited 2: hello, bob\n" in paper.text
            assert " ann deleted 4\n" in paper.text
        await trio.sleep(1)
        assert "read by bob" in ann.text
        await bob.enter("hi", "/edit 2 not mine")
        assert "Not allowed." in bob.text


async def test_CONV_19_users_are_called_by_their_names(clock: MockClock) -> None:
    users = Directory(u1=person("ann"), u2=person("bob"), u3=person("cid"), u4=person("dan"))
    async with (
        house(ports={"users": users}) as home,
        chat(home, "u1", group="Team", members=["u2"]) as ann,
        chat(home, "u2") as bob,
    ):
        await ann.enter("hello", "/members")
        assert " Ann: hello\n" in ann.text
        assert "   Ann  admin\n   Bob  member\n" in ann.text
        assert "Ann in Team: hello" in bob.text
        await bob.enter("/find Ci", "/open u3", "/list")
        assert "   Cid  /open u3\n" in bob.text
        assert "── Cid (direct)" in bob.text
        u1 = home.gateway.engine.as_user("u1")
        (team,) = (row for row in (await u1.inbox())["conversations"] if row["kind"] == "group")
        await u1.add_members(team["c"], ["u4"])
        await wait_all_tasks_blocked()
        assert "Ann added Dan\n" in ann.text
        assert "u1" not in ann.text.replace("connected as u1", "")


async def test_history_shows_messages_as_they_are_now(clock: MockClock) -> None:
    async with house() as home:
        async with chat(home, "ann", to="bob") as ann:
            await ann.enter("first", "/edit changed", "second", "/delete")
        async with chat(home, "bob", to="ann") as bob:
            assert " ann: changed  (edited)\n" in bob.text
            assert " ann: deleted\n" in bob.text


async def test_a_group_is_made_once_and_found_again(clock: MockClock) -> None:
    async with house() as home:
        for _ in range(2):
            async with chat(home, "ann", group="Team", members=["bob", "carol"]) as ann:
                assert "── Team (3 members)" in ann.text
                await ann.enter("/members", "hi")
                assert "   ann  admin\n   bob  member\n   carol  member\n" in ann.text
        async with chat(home, "bob") as bob:
            assert bob.text.count("Team") == 1
            assert "   1  Team  2 new  hi\n" in bob.text
            await bob.enter("to nobody", "/open 1", "/list")
            assert "to whom?" in bob.text
            assert "── Team (3 members)" in bob.text


async def test_messages_elsewhere_are_announced(clock: MockClock) -> None:
    async with house() as home, chat(home, "ann", to="bob") as ann:
        host = home.gateway.engine.as_user("carol")
        c = await host.create_group("Team", ["ann"])
        await host.send(c, "psst")
        await wait_all_tasks_blocked()
        assert "carol in Team: psst" in ann.text


async def test_what_is_new_what_was_said_and_who_is_there(clock: MockClock) -> None:
    async with (
        house() as home,
        chat(home, "ann", group="Team", members=["bob", "carol"]) as ann,
        chat(home, "bob") as bob,
    ):
        await ann.enter("lunch at one", "dinner at eight")
        await bob.enter("/unread", "/search lunch")
        assert "   1  Team  2 new  dinner at eight\n" in bob.text
        assert re.search(r" 2  \d\d:\d\d ann: lunch at one  Team\n", bob.text)
        await bob.enter("/open 1")
        await trio.sleep(1)
        await bob.enter("/unread", "/search breakfast", "/who")
        assert "      nothing new\n      nothing found\n" in bob.text
        assert "   ann  here, read 3\n   bob  here, read 3\n   carol  away" in bob.text


async def test_reactions_and_what_the_product_says_are_shown(clock: MockClock) -> None:
    async with house() as home, chat(home, "ann", to="bob") as ann, home.client("bob") as bob:
        engine = home.gateway.engine
        c = await bob.create_direct("ann")
        sent = await bob.send(c, "lunch?")
        await bob.react(c, sent["id"], "👍")
        await engine.post(c, "Booked.")
        await wait_all_tasks_blocked()
        assert " bob puts 👍 2\n" in ann.text
        assert " Booked.\n" in ann.text


async def test_a_file_is_sent_as_an_attachment(clock: MockClock, tmp_path: Path) -> None:
    async with house() as home, chat(home, "ann", to="bob") as ann:
        await ann.enter(f"/send {tmp_path}/nowhere.png")
        assert "nowhere.png: No such file or directory" in ann.text
        host = home.gateway.engine.as_user("bob")
        image = {"type": "image", "url": "https://example.org/a.jpg", "name": "cat.jpg"}
        command = SendMessage(text="look", attachments=[Attachment.model_validate(image)])
        await host.do(command, await host.create_direct("ann"))
        await wait_all_tasks_blocked()
        assert " bob: look [cat.jpg]\n" in ann.text


async def test_wrong_commands_are_explained(clock: MockClock) -> None:
    async with house() as home, chat(home, "ann", to="bob") as ann:
        await ann.enter("/edti", "/open", "/delete x", "/delete 99", "/edit", "/help")
        assert "there is no /edti; /help shows what there is" in ann.text
        assert "say it like this: /open NUMBER | USER" in ann.text
        assert "say it like this: /delete [SEQ]" in ann.text
        assert "there is no message of this number on the screen" in ann.text
        assert "say it like this: /edit [SEQ] TEXT" in ann.text
        assert "/quit" in ann.text


async def test_replies_and_reactions_name_messages_by_their_numbers(
    clock: MockClock,
) -> None:
    async with (
        house() as home,
        chat(home, "ann", to="bob") as ann,
        chat(home, "bob", to="ann") as bob,
    ):
        await ann.enter("lunch?")
        await bob.enter(
            "/reply 2 at  one", "/react 2 👍", "/unreact 2 👍", "/react 2", "/reply 9 x"
        )
        for paper in (ann, bob):
            assert re.search(r" ↪ ann: lunch\?\n {12}bob: at  one\n", paper.text)
            assert " bob puts 👍 2\n" in paper.text
            assert " bob takes away 👍 2\n" in paper.text
        assert "say it like this: /react SEQ EMOJI" in bob.text
        assert "there is no message of this number on the screen" in bob.text


async def test_a_group_is_changed_and_left(clock: MockClock) -> None:
    async with house() as home, chat(home, "ann", group="Team", members=["bob"]) as ann:
        await ann.enter("/title Our team", "/add carol", "/remove bob", "/list", "/open 7")
        assert " ann calls this Our team\n" in ann.text
        assert " ann added carol\n" in ann.text
        assert " ann removed bob\n" in ann.text
        assert "   1  Our team" in ann.text
        assert "there is no 7 in the list" in ann.text
        async with chat(home, "carol", to="ann") as carol:
            await carol.enter("/open 3", "/open 2", "/leave")
            assert "there is no 3 in the list" in carol.text
            assert " carol left\n" in ann.text


async def test_before_a_conversation_is_open_commands_say_so(clock: MockClock) -> None:
    async with house() as home, chat(home, "ann") as ann:
        await ann.enter("/who", "/title x", "/leave", "/add bob")
        assert ann.text.count("no conversation is open; /list shows them") == 4


async def test_what_others_write_cannot_command_the_terminal(clock: MockClock) -> None:
    evil = "\x1b]0;x\x07\x9b2J"
    users = Directory(u1=person("ann"), u2=person(f"bob{evil}"))
    async with house(ports={"users": users}) as home, chat(home, "u1") as ann:
        bob = home.gateway.engine.as_user("u2")
        c = await bob.create_group(f"Team{evil}", ["u1"])
        sent = await bob.send(c, f"hi{evil}")
        await wait_all_tasks_blocked()
        await ann.enter("/list", "/open 1", "/search hi", "/find bob", f"/open {evil}", f"/x{evil}")
        await bob.edit(c, sent.id, f"ho{evil}")
        await bob.send(c, f"again{evil}", reply_to=sent.id)
        await bob.rename(c, f"Other{evil}")
        await wait_all_tasks_blocked()
        assert ann.text.count("�]0;x��2J") > 10
        assert not [char for char in ann.text if not char.isprintable() and char != "\n"]


async def test_a_conversation_of_others_is_refused_and_the_chat_goes_on(clock: MockClock) -> None:
    async with house() as home:
        c = await home.gateway.engine.as_user("carol").create_group("Secret", ["bob"])
        async with chat(home, "ann", conversation=c) as ann:
            assert "Not allowed." in ann.text
            await ann.enter("/members", "/open bob", "hello")
            assert "no conversation is open" in ann.text
            assert " ann: hello\n" in ann.text


async def test_an_outage_is_shown_and_what_is_written_meanwhile_arrives(clock: MockClock) -> None:
    async with (
        house() as home,
        chat(home, "ann", to="bob") as ann,
        chat(home, "bob", to="ann") as bob,
    ):
        await home.cut()
        await ann.enter("written offline")
        await trio.sleep(1)
        assert "the connection broke; next attempt in a moment" in ann.text
        assert "connected again" in ann.text
        for paper in (ann, bob):
            assert paper.text.count(": written offline\n") >= 1
        assert bob.text.count("written offline") == 1


async def test_CLI_02_lines_typed_offline_are_shown_as_waiting_and_go_out_in_order(
    clock: MockClock,
) -> None:
    options = {"random": lambda: 1.0}
    async with (
        house() as home,
        chat(home, "ann", to="bob", interactive=True, options=options) as ann,
        chat(home, "bob", to="ann", options=options) as bob,
    ):
        home.down = True
        await home.cut()
        await ann.enter("one", "x" * 5000, "two")
        waiting = re.findall(r"   …  \d\d:\d\d ann: (\w+)  \(waiting\)", ann.text)
        assert waiting == ["one", "x" * 5000, "two"]
        home.down = False
        await trio.sleep(5)
        for paper in (ann, bob):
            assert re.findall(r"\d  \d\d:\d\d ann: (\w+)\n", paper.text) == ["one", "two"]
        assert f"not sent: {'x' * 60}\n      The text is longer than allowed." in ann.text


async def test_CLI_02_what_could_not_be_sent_waits_in_the_file_for_the_next_time(
    clock: MockClock, tmp_path: Path
) -> None:
    path = tmp_path / "outbox"
    async with house() as home:
        options = {"outbox": InlineOutbox(path), "random": lambda: 1.0}
        async with chat(home, "ann", to="bob", interactive=True, options=options) as ann:
            home.down = True
            await home.cut()
            await ann.enter("for later")
        assert f"1 not sent yet; they wait in {path}" in ann.text
        home.down = False
        async with chat(home, "ann", to="bob", options=options) as ann:
            await trio.sleep(1)
            assert len(re.findall(r"\d  \d\d:\d\d ann: for later\n", ann.text)) == 1


async def test_a_refusal_ends_the_chat(clock: MockClock) -> None:
    async with house() as home, Client("ws://x", "nonsense", connector=home.connect) as client:
        with pytest.raises(ClientEnded, match="The token is not valid"):
            await Session(client, Paper(interactive=False)).run(Opening(to="bob"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünï👨‍👩‍👧\nline", "plain ünï👨‍👩‍👧\nline"),
        ("\x1b[2J\x07\r\x9b", "�[2J���"),
        ("a\u202eb\u2066c", "a�b�c"),
    ],
)
def test_a_message_cannot_command_the_terminal(text: str, shown: str) -> None:
    assert harmless(text) == shown
