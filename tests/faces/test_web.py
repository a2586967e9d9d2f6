"""The demo chat (clients/web) in real browsers, against real servers."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from palaver.tests.support.browsing import (
    WEB,
    Network,
    People,
    Server,
    Window,
    chromium,
    examine,
    person,
    picture,
    seed,
    server,
    token,
)

__all__ = ["chromium", "person", "server"]

BUILT = Path(__file__).parents[2] / "gateway/web"
LONG = 10_000
THERE = re.compile("sent|delivered|read")


def drop(page: Page, event: str, place: str) -> None:
    """A picture, pasted or dropped."""
    page.locator(place).first.evaluate(
        """(place, [event, bytes]) => {
            const data = new DataTransfer();
            const type = "image/png";
            data.items.add(new File([new Uint8Array(bytes)], `${event}.png`, { type }));
            const options = { bubbles: true, cancelable: true };
            place.dispatchEvent(event === "paste"
                ? new ClipboardEvent(event, { ...options, clipboardData: data })
                : new DragEvent(event, { ...options, dataTransfer: data }));
        }""",
        [event, list(picture()["buffer"])],
    )


def test_two_people_talk(server: Server, person: People) -> None:
    ann, bob = person(server, None), person(server, "bob")
    ann.page.get_by_role("button", name="Ann Abel").click()
    ann.begin("Bob Brandt")
    ann.say("Look at https://example.org/ first")
    bob.open("Ann Abel")
    expect(bob.page.get_by_role("link", name="https://example.org/")).to_be_visible()
    bob.input.press_sequentially("I a")
    expect(ann.page.locator(".subtitle")).to_have_text("typing…")
    bob.say("I am here")
    expect(ann.page.locator(".subtitle")).to_have_text("online")
    expect(ann.bubble("Look at").locator(".status")).to_have_attribute("data-status", "read")

    ann.act("I am here", "Reply")
    ann.say("Good")
    expect(bob.bubble("Good").locator(".quote")).to_contain_text("I am here")
    ann.input.press("ArrowUp")
    expect(ann.input).to_have_value("Good")
    ann.say("Very good")
    expect(bob.bubble("Very good")).to_contain_text("edited")
    bob.act("Very good", "React", "🎉")
    expect(ann.bubble("Very good").get_by_role("button", name="🎉, 1")).to_be_visible()
    ann.act("I am here", "More", "Pin")
    expect(bob.page.locator(".pinned")).to_contain_text("I am here")
    ann.act("I am here", "More", "Star")
    bob.act("I am here", "More", "Delete for everyone", "Delete")
    expect(ann.page.get_by_text("Message deleted").first).to_be_visible()
    ann.act("Look at", "More", "Delete for me")
    expect(ann.bubble("Look at")).to_have_count(0)
    expect(bob.bubble("Look at")).to_have_count(1)


def test_pictures_are_chosen_pasted_and_dropped(server: Server, person: People) -> None:
    cleo, dev = person(server, "cleo"), person(server, "dev")
    cleo.begin("Dev Das")
    cleo.page.set_input_files("input[type=file]", picture())
    drop(cleo.page, "paste", "textarea")
    drop(cleo.page, "drop", ".messages")
    cleo.say("Three")  # goes out when they are there
    dev.open("Cleo Castro")
    shown = dev.bubble("Three").locator(".picture img")
    expect(shown).to_have_count(3)
    for each in shown.all():
        expect(each).to_have_js_property("complete", True)
        expect(each).not_to_have_js_property("naturalWidth", 0)
    shown.first.click()
    expect(dev.page.get_by_role("dialog", name="light.png").get_by_role("img")).to_be_visible()
    dev.page.keyboard.press("Escape")
    expect(dev.page.get_by_role("dialog")).to_have_count(0)
    cleo.page.set_input_files(
        "input[type=file]", {"name": "x.exe", "mimeType": "x/y", "buffer": b"x"}
    )
    expect(cleo.page.locator(".uploads [data-problem=true]")).to_be_visible()
    cleo.say("It is not taken, which holds nothing up")
    expect(dev.bubble("holds nothing up")).to_be_visible()


def test_a_search_leads_to_the_message(server: Server, person: People) -> None:
    seed(server, ("eve", "finn"), "Barn", ["the needle", *(f"hay {n}" for n in range(300))])
    finn = person(server, "finn")
    finn.open("Barn")
    expect(finn.bubble("hay 299")).to_be_visible()
    expect(finn.bubble("the needle")).to_have_count(0)
    finn.page.keyboard.press("Control+k")
    finn.page.keyboard.type("needle")
    finn.page.locator(".found .row", has_text="the needle").click()
    expect(finn.bubble("the needle")).to_be_in_viewport()
    expect(finn.bubble("the needle")).to_have_attribute("data-sought", "true")
    finn.page.get_by_role("button", name="To the newest message").click()
    expect(finn.bubble("hay 299")).to_be_in_viewport()


@pytest.fixture
def network(server: Server) -> Iterator[Network]:
    between = Network(server.port)
    yield between
    between.close()


def come_back(*windows: Window) -> None:
    """As browsers do it when they are on the net again; otherwise it takes some seconds."""
    for window in windows:
        window.page.evaluate("dispatchEvent(new Event('online'))")
        window.expect_state("Connected")


def test_what_is_written_without_a_connection_goes_out_once(
    server: Server, person: People, network: Network
) -> None:
    """SEND-05, CLI-05, CLI-13."""
    mia, ned = person(server, "mia", network=network), person(server, "ned")
    mia.begin("Ned")
    mia.say("one")
    ned.open("Mia")
    ned.say("two")
    mia.expect_said("one", "two")
    network.cut()
    mia.expect_state("Offline")
    expect(mia.page.get_by_text("What you write is sent as soon as there is one")).to_be_visible()
    ned.say("three")
    mia.say("four")
    mia.say("five")
    expect(mia.bubble("five").locator(".status")).to_have_attribute("data-status", "sending")
    # The page is loaded again; what was written is in the browser's database.
    mia.page.reload()
    mia.expect_state("Offline")
    network.mend()
    come_back(mia)
    mia.expect_said("one", "two", "three", "four", "five")
    ned.expect_said("one", "two", "three", "four", "five")
    expect(mia.page.locator(".sidebar .row", has_text="Ned")).to_contain_text("You: five")


def test_kill_9_loses_and_doubles_nothing(data: Path, person: People) -> None:
    """SEND-06, CLI-05."""
    kept = Server("--data", str(data))
    kept.start()
    try:
        ann, bob = person(kept, "ann"), person(kept, "bob")
        ann.begin("Bob Brandt")
        ann.say("one")
        bob.open("Ann Abel")
        ann.say("two")
        kept.kill()
        for window in (ann, bob):
            window.expect_state("Offline")
        ann.say("three")
        kept.start()
        come_back(ann, bob)
        bob.say("four")
        for window in (ann, bob):
            expect(window.bubbles).to_have_count(4)
            said = window.bubbles.locator(".text").all_inner_texts()
            assert sorted(said) == ["four", "one", "three", "two"]
            assert said[:2] == ["one", "two"]
    finally:
        kept.kill()


def test_it_is_said_at_once_that_the_network_is_gone(server: Server, person: People) -> None:
    """CLI-01: long before silence would tell."""
    ned = person(server, "ned")
    ned.expect_state("Connected")
    ned.page.context.set_offline(True)
    expect(ned.page.locator(".connection")).not_to_have_text("Connected")
    expect(ned.page.locator(".offline")).to_contain_text("No connection.")
    ned.page.context.set_offline(False)
    ned.expect_state("Connected")


def test_a_token_that_runs_out_is_replaced(server: Server, person: People) -> None:
    """AUTH-05: long before the server would end the connection."""
    ora = person(server, "ora")

    def short(route: Route) -> None:
        route.fulfill(json={"token": token("ora", ttl_s=3)})

    ora.page.route("**/demo/session", short)
    ora.page.reload()
    ora.expect_state("Connected")
    with ora.page.expect_response("**/demo/session"):
        expect(ora.page.locator(".offline")).to_have_text("")
    ora.begin("Ann Abel")
    ora.say("With a new one")
    expect(ora.page.locator(".status")).to_have_attribute("data-status", THERE)


def test_a_long_thread_opens_at_once_and_scrolls_back(
    server: Server, person: People, record_property: Any
) -> None:
    """A page of it is loaded, and one more each time that one comes near the beginning."""
    texts = [f"message {number}, of which there are quite a few" for number in range(LONG)]
    seed(server, ("pia", "rex"), "Long", texts)
    rex = person(server, "rex")
    expect(rex.page.locator(".sidebar .row", has_text="Long")).to_be_visible()
    began = time.perf_counter()
    rex.page.locator(".sidebar .row", has_text="Long").click()
    expect(rex.bubbles.last).to_be_in_viewport()
    took = time.perf_counter() - began
    record_property("opened_s", round(took, 3))
    print(f"a thread of {LONG} messages opened in {took * 1000:.0f} ms")
    assert rex.bubbles.count() <= 200
    for _ in range(3):
        loaded = rex.bubbles.count()
        oldest = rex.bubbles.first.get_attribute("data-message")
        rex.page.locator(".messages").hover()
        rex.page.mouse.wheel(0, -100_000)
        expect(rex.bubbles.nth(loaded)).to_be_attached()
        expect(rex.page.locator(f"[data-message='{oldest}']")).to_be_in_viewport()
    assert rex.bubbles.count() <= 500


def test_names_are_never_ids(server: Server, person: People) -> None:
    user = "0b9f4f2e-6a55-4f0c-9a47-2f4d1c7f1a11"
    stranger = person(server, user)
    stranger.begin("Ann Abel")
    stranger.say("Who am I?")
    ann = person(server, "ann")
    ann.open("Somebody")
    expect(ann.bubble("Who am I?")).to_be_visible()
    for window in (stranger, ann):
        assert user not in window.page.locator("body").inner_text().lower()


def go_to(page: Page, name: str, key: str = "Tab") -> None:
    """Press `key` until what is called so has the focus."""
    for _ in range(60):
        page.keyboard.press(key)
        focused = page.locator(":focus")
        if focused.count() == 0:
            continue
        called = focused.get_attribute("aria-label") or focused.inner_text()
        if name in called.split("\n"):
            return
    raise AssertionError(f"{name} cannot be reached with {key}")


def test_without_a_mouse(server: Server, person: People) -> None:
    vera = person(server, None)
    page, keys = vera.page, vera.page.keyboard
    page.get_by_label("Or somebody else").focus()
    keys.type("vera")
    keys.press("Enter")
    vera.expect_state("Connected")
    go_to(page, "New conversation")
    keys.press("Enter")
    expect(page.get_by_label("Find people")).to_be_focused()
    keys.type("wim")
    expect(page.locator(".picker").get_by_role("button", name="Wim")).to_be_visible()
    go_to(page, "Wim")
    keys.press("Enter")
    go_to(page, "Begin")
    keys.press("Enter")
    expect(vera.input).to_be_focused()
    keys.type("Hello")
    keys.press("Enter")
    expect(page.locator(".status")).to_have_attribute("data-status", THERE)
    keys.press("ArrowUp")
    expect(vera.input).to_have_value("Hello")
    keys.type(" Wim")
    keys.press("Enter")
    expect(vera.bubble("Hello Wim")).to_contain_text("edited")
    go_to(page, "Messages", "Shift+Tab")
    keys.press("ArrowUp")
    expect(vera.bubble("Hello Wim")).to_be_focused()
    go_to(page, "React")
    keys.press("Enter")
    expect(page.get_by_role("button", name="👍")).to_be_focused()
    keys.press("ArrowRight")
    keys.press("Enter")
    expect(vera.bubble("Hello Wim").get_by_role("button", name="❤️, 1")).to_be_visible()
    go_to(page, "More")
    keys.press("Enter")
    expect(page.get_by_role("button", name="Pin")).to_be_focused()
    keys.press("Escape")
    expect(page.get_by_role("button", name="Pin")).to_have_count(0)
    go_to(page, "Message", "Tab")
    go_to(page, "About this conversation", "Shift+Tab")
    keys.press("Enter")
    expect(page.get_by_role("complementary")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("complementary")).to_have_count(0)


@pytest.mark.parametrize("colors", ["light", "dark"])
def test_axe_finds_no_serious_fault(server: Server, person: People, colors: str) -> None:
    me, other = f"xia{colors}", f"yan{colors}"
    xia = person(server, None, color_scheme=colors)
    page = xia.page

    expect(page.get_by_role("button", name="Ann Abel")).to_be_visible()
    examine(page, "login")
    page.get_by_label("Or somebody else").fill(me)
    page.get_by_role("button", name="Enter").click()
    xia.expect_state("Connected")
    examine(page, "an empty inbox")
    page.get_by_role("button", name="New conversation").first.click()
    expect(page.locator(".picker").get_by_role("button", name="Ann Abel")).to_be_visible()
    examine(page, "a new conversation")
    page.keyboard.press("Escape")
    xia.begin(other, "zoe", title="Examined")
    yan = person(server, other)
    yan.open("Examined")
    yan.say("A link, https://example.org/, and more")
    yan.act("A link", "React", "👍")
    xia.act("A link", "Reply")
    page.set_input_files("input[type=file]", picture())
    xia.say("An answer")
    expect(xia.bubble("An answer").locator(".picture img")).to_be_visible()
    xia.say("Gone")
    xia.act("Gone", "More", "Delete for everyone", "Delete")
    xia.act("A link", "More", "Pin")
    yan.input.press_sequentially("typing")
    expect(page.locator(".subtitle.typing")).to_be_visible()
    examine(page, "a conversation")
    xia.act("An answer", "More")
    examine(page, "a menu")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="About this conversation").click()
    examine(page, "details")
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_label("Others see what I have read")).to_be_visible()
    examine(page, "settings")
    page.keyboard.press("Escape")
    page.get_by_label("Search conversations and messages").fill("answer")
    expect(page.locator(".found .row").first).to_be_visible()
    examine(page, "what was found")


def test_what_is_served_is_built_from_the_source(tmp_path: Path) -> None:
    subprocess.run(
        ["npm", "run", "-s", "build"],
        cwd=WEB,
        env={**os.environ, "OUT": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    assert {path.name for path in tmp_path.iterdir()} == {"app.js", "app.css", "index.html"}
    for path in tmp_path.iterdir():
        said = f"run `npm run build` in clients/web: {path.name} is not what its source makes"
        assert (BUILT / path.name).read_text() == path.read_text(), said
    assert re.search(r'content="8765"', (BUILT / "index.html").read_text())


def test_UI_05_nobody_is_offered_a_call_that_cannot_be_made(server: Server, person: People) -> None:
    """There are none yet (CALL-01 to 13)."""
    kay = person(server, "kay")
    kay.begin("Ann Abel")
    kay.say("Hello")
    kay.page.get_by_role("button", name="About this conversation").click()
    expect(kay.page.get_by_role("complementary")).to_be_visible()
    expect(kay.page.get_by_role("button", name=re.compile(r"\bcall\b", re.I))).to_have_count(0)
