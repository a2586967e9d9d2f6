"""The inbox of the demo chat (clients/web) in real browsers, against real servers."""

from __future__ import annotations

import msgpack
import pytest
from playwright.sync_api import Page, WebSocket, WebSocketRoute, expect

from palaver.tests.support.browsing import (
    PHONE,
    People,
    Server,
    chromium,
    examine,
    person,
    seed,
    server,
    speaking,
)

__all__ = ["chromium", "person", "server"]

MANY = 600
ROW = 64  # pixels


def show(page: Page, name: str) -> None:
    page.locator(".filters").get_by_role("button", name=name).click()


def test_UI_01_an_inbox_is_kept_in_order(server: Server, person: People) -> None:
    kim, lea = person(server, "kim"), person(server, "lea")
    lea.begin("Kim")
    lea.say("Psst")
    row = kim.row("Lea")
    expect(row.locator(".badge")).to_contain_text("1")
    expect(kim.page).to_have_title("(1) palaver")
    kim.open("Lea")
    expect(row.locator(".badge")).to_have_count(0)
    kim.page.get_by_role("button", name="About this conversation").click()
    about = kim.page.get_by_role("complementary")
    about.get_by_role("button", name="Pin", exact=True).click()
    about.get_by_role("button", name="Mute", exact=True).click()
    kim.page.get_by_role("button", name="Mute for a day").click()
    expect(about).to_contain_text("Muted, ends")
    expect(row.locator(".facts .icon")).to_have_count(2)
    about.get_by_role("button", name="Archive", exact=True).click()
    expect(row).to_have_count(0)
    show(kim.page, "Archived")
    kim.open("Lea")
    kim.page.get_by_role("button", name="About this conversation").click()
    kim.page.get_by_role("button", name="Block Lea").click()
    expect(kim.page.get_by_text("You have blocked Lea.")).to_be_visible()
    expect(kim.input).to_have_count(0)
    kim.page.get_by_role("button", name="Settings").click()
    kim.page.get_by_role("dialog").get_by_role("button", name="Unblock").click()
    kim.page.get_by_label("Others see what I have read").uncheck()
    kim.page.keyboard.press("Escape")
    expect(kim.input).to_be_visible()


def test_UI_01_each_row_has_a_menu(server: Server, person: People) -> None:
    for title in ("Older", "Newer"):
        seed(server, ("max", "nina"), title, ["hello"])
    nina = person(server, "nina")
    rows = nina.page.locator(".sidebar .row .title")
    expect(rows).to_have_text(["Newer", "Older"])
    nina.do("Older", "Pin")
    expect(rows).to_have_text(["Older", "Newer"])
    nina.do("Older", "Mute for an hour")
    expect(nina.row("Older").get_by_role("img", name="muted")).to_be_visible()
    nina.do("Older", "Unmute")
    expect(nina.row("Older").get_by_role("img", name="muted")).to_have_count(0)
    nina.do("Older", "Unpin")
    nina.do("Newer", "Mark as read")
    expect(nina.row("Newer").locator(".badge")).to_have_count(0)
    nina.do("Newer", "Mark as unread")
    expect(nina.row("Newer").locator(".badge")).to_contain_text("•")
    nina.do("Newer", "Archive")
    expect(rows).to_have_text(["Older"])
    nina.page.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(2)
    # The same by its button, and by keys alone.
    nina.row("Older").focus()
    nina.page.keyboard.press("Tab")
    menu = nina.page.get_by_role("button", name="What to do with Older")
    expect(menu).to_be_focused()
    nina.page.keyboard.press("Enter")
    expect(nina.page.get_by_role("button", name="Pin", exact=True)).to_be_focused()
    nina.page.keyboard.press("ArrowUp")
    nina.page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    nina.do("Older", "Delete")
    nina.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(rows).to_have_text(["Newer"])
    # It comes back with the next message, which is all there is in it.
    max_ = person(server, "max")
    max_.open("Older")
    max_.say("again")
    nina.open("Older")
    nina.expect_said("again")


def test_UI_01_each_filter_shows_what_it_says(server: Server, person: People) -> None:
    for title in ("Read", "Unread", "Put away"):
        seed(server, ("oda", "paul"), title, [f"in {title}"])
    oda, paul = person(server, "oda"), person(server, "paul")
    oda.begin("Paul")
    oda.say("To you alone")
    expect(paul.row("Oda")).to_be_visible()
    paul.do("Put away", "Archive")
    paul.do("Read", "Mark as read")
    rows = paul.page.locator(".sidebar .row .title")
    for name, titles in {
        "All": ["Oda", "Unread", "Read"],
        "Unread": ["Oda", "Unread"],
        "Groups": ["Unread", "Read"],
        "Archived": ["Put away"],
    }.items():
        show(paul.page, name)
        expect(rows).to_have_text(titles)
    # What is being read stays in sight until one is done with it.
    show(paul.page, "Unread")
    paul.open("Oda")
    expect(rows).to_have_text(["Oda", "Unread"])
    paul.row("Unread").click()
    expect(rows).to_have_text(["Unread"])


def test_UI_01_a_filter_looks_beyond_the_first_page(server: Server, person: People) -> None:
    seed(server, ("olga", "petra"), "Long ago", ["hello"])
    with speaking(server, "petra") as ask:
        ask("message.send", [{"text": "hi", "to": f"other{n}"} for n in range(60)])
    petra = person(server, "petra")
    expect(petra.page.locator(".sidebar .row").first).to_be_visible()
    show(petra.page, "Groups")
    expect(petra.row("Long ago")).to_be_visible()


def test_UI_01_a_finger_swipes_and_holds(server: Server, person: People) -> None:
    seed(server, ("quin", "rosa"), "Swiped", ["hello"])
    seed(server, ("quin", "rosa"), "Held", ["hello"])
    rosa = person(server, "rosa", **PHONE)
    row = rosa.row("Swiped")
    expect(row.locator(".badge")).to_contain_text("1")
    rosa.drag(row, 40)  # not far enough
    expect(row.locator(".badge")).to_contain_text("1")
    rosa.drag(row, 140)
    expect(row.locator(".badge")).to_have_count(0)
    rosa.drag(row, -140)
    expect(row).to_have_count(0)
    rosa.page.get_by_role("button", name="Undo").click()  # a tap would only end the fling
    expect(row).to_be_visible()
    held = rosa.row("Held")
    with rosa.finger_on(held):
        expect(rosa.page.get_by_role("group", name="What to do with Held")).to_be_visible()
    rosa.page.get_by_role("button", name="Pin", exact=True).tap()
    expect(held.get_by_role("img", name="pinned")).to_be_visible()
    expect(rosa.page.get_by_role("navigation")).to_be_visible()  # nothing was opened


def test_UI_01_what_is_starred_is_found_again(server: Server, person: People) -> None:
    texts = ["the one to keep", *(f"hay {number}" for number in range(120))]
    seed(server, ("sara", "theo"), "Barn", texts)
    sara = person(server, "sara")
    sara.page.get_by_role("button", name="Starred messages").click()
    expect(sara.page.get_by_text("No message has a star")).to_be_visible()
    sara.page.get_by_label("Search conversations and messages").fill("keep")
    sara.page.locator(".found .row", has_text="the one to keep").click()
    sara.act("the one to keep", "More", "Star")
    sara.page.reload()
    sara.page.get_by_role("button", name="Starred messages").click()
    found = sara.page.get_by_role("list", name="Starred messages")
    found.get_by_role("button", name="the one to keep").click()
    expect(sara.bubble("the one to keep")).to_be_in_viewport()
    found.get_by_role("button", name="Remove the star").click()
    expect(sara.page.get_by_text("No message has a star")).to_be_visible()


def test_UI_01_what_moves_a_row_is_said_in_it(server: Server, person: People) -> None:
    una, vito = person(server, "una"), person(server, "vito")
    una.begin("Vito", "Wanda", title="Moved")
    expect(vito.row("Moved")).to_contain_text("Nothing has been said yet")
    una.say("First")
    expect(vito.row("Moved")).to_contain_text("Una: First")
    vito.open("Moved")
    vito.act("First", "React", "🎉")
    expect(una.row("Moved")).to_contain_text("Vito reacted 🎉")
    vito.say("Second")
    expect(una.row("Moved")).to_contain_text("Vito: Second")
    una.act("Second", "More", "Pin")
    expect(vito.row("Moved")).to_contain_text("Una pinned a message")


def test_UI_01_nobody_is_bothered_by_what_is_only_begun(server: Server, person: People) -> None:
    xeno, yves = person(server, "xeno"), person(server, "yves")
    xeno.begin("Yves")
    expect(xeno.row("Yves")).to_be_visible()
    seed(server, ("zoe", "yves"), "Something", ["else"])
    expect(yves.row("Something")).to_be_visible()
    expect(yves.page.locator(".sidebar .row")).to_have_count(1)
    xeno.say("Here I am")
    expect(yves.row("Xeno")).to_contain_text("Here I am")


def test_UI_01_an_inbox_that_is_empty_late_or_refused_says_so(
    server: Server, person: People
) -> None:
    alma = person(server, "alma")
    expect(alma.page.get_by_text("No conversations yet.")).to_be_visible()
    alma.page.get_by_role("button", name="Write to somebody").click()
    expect(alma.page.get_by_role("dialog", name="New conversation")).to_be_visible()
    late = person(server, None)
    late.page.route("**/demo/session", lambda route: None)  # never answered
    late.page.get_by_role("button", name="Ann Abel").click()
    expect(late.page.get_by_role("status", name="Loading conversations")).to_be_visible()
    refused = person(server, None)
    refusing = True

    def between(near: WebSocketRoute) -> None:
        far = near.connect_to_server()

        def say(frame: str | bytes) -> None:
            items = msgpack.unpackb(bytes(frame, "utf8") if isinstance(frame, str) else frame)
            for item in items if isinstance(items, list) else [items]:
                if refusing and item["t"] == "conversation.list":
                    error = {"code": "INTERNAL", "message": "It is broken", "retryable": False}
                    near.send(msgpack.packb({"t": "reply", "id": item["id"], "error": error}))
                else:
                    far.send(msgpack.packb(item))

        near.on_message(say)

    refused.page.route_web_socket("**/v1/ws", between)
    refused.page.get_by_role("button", name="Ann Abel").click()
    expect(refused.page.get_by_text("could not be loaded: It is broken")).to_be_visible()
    refusing = False
    refused.page.get_by_role("button", name="Try again").click()
    expect(refused.page.get_by_text("could not be loaded")).to_have_count(0)


def test_UI_01_a_request_is_answered_and_nobody_is_told(person: People) -> None:
    asking = Server("--memory", PALAVER_POLICY__MESSAGE_REQUESTS="true")
    asking.start()
    try:
        ann, bob = person(asking, "ann"), person(asking, "bob")
        ann.begin("Bob Brandt")
        ann.say("May I?")
        bob.page.evaluate("dispatchEvent(new Event('focus'))")
        bob.page.get_by_role("button", name="Requests 1").click()
        bob.row("Ann Abel").click()
        expect(bob.bubble("May I?")).to_be_visible()
        expect(ann.page.locator(".status")).to_have_attribute("data-status", "sent")
        bob.page.get_by_role("button", name="Accept").click()
        bob.say("Of course")
        expect(ann.bubble("Of course")).to_be_visible()
        expect(ann.page.locator(".status")).to_have_attribute("data-status", "read")
    finally:
        asking.kill()


def test_UI_06_of_a_long_inbox_a_few_rows_are_on_the_page(server: Server, person: People) -> None:
    groups = [
        {"kind": "group", "members": ["carl"], "title": f"Group {n}", "client_id": str(n)}
        for n in range(MANY)
    ]
    with speaking(server, "bodo") as ask:
        for at in range(0, MANY, 200):
            ask("conversation.create", groups[at : at + 200])
    carl = person(server, "carl")
    inbox = carl.page.locator(".virtual")
    rows = carl.page.locator(".sidebar .row")
    for loaded in range(50, MANY, 50):
        expect(inbox).to_have_js_property("scrollHeight", loaded * ROW)
        assert 0 < rows.count() < 40
        inbox.evaluate("list => list.scrollTop = list.scrollHeight")
    expect(inbox).to_have_js_property("scrollHeight", MANY * ROW)
    assert 0 < rows.count() < 40
    # With keys, from wherever one is; and what has the focus keeps it.
    inbox.evaluate("list => list.scrollTop = 0")
    expect(rows.first).to_have_attribute("tabindex", "0")
    rows.first.focus()
    focused = inbox.locator("li", has=carl.page.locator(".row:focus"))
    carl.page.keyboard.press("End")
    expect(focused).to_have_attribute("aria-posinset", str(MANY))
    carl.page.keyboard.press("ArrowUp")
    expect(focused).to_have_attribute("aria-posinset", str(MANY - 1))
    inbox.evaluate("list => list.scrollTop = 0")
    expect(inbox.locator("li[aria-posinset='1']")).to_be_in_viewport()
    expect(focused).to_have_attribute("aria-posinset", str(MANY - 1))
    assert rows.count() < 40


def test_UI_08_badges_and_ticks_are_told_not_asked_for(server: Server, person: People) -> None:
    fred, gina = person(server, "fred"), person(server, "gina")
    fred.begin("Gina")
    fred.say("one")
    badge = gina.row("Fred").locator(".badge")
    expect(badge).to_contain_text("1")
    asked: list[str | bytes] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: asked.append(frame))

    for window in (fred, gina):
        window.page.on("websocket", listen)
        window.page.reload()
        window.expect_state("Connected")
    fred.open("Gina")
    status = fred.bubble("one").locator(".status")
    expect(status).to_have_attribute("data-status", "delivered")
    expect(badge).to_contain_text("1")
    asked.clear()
    fred.say("two")
    expect(badge).to_contain_text("2")
    expect(gina.page).to_have_title("(2) palaver")
    gina.open("Fred")
    expect(badge).to_have_count(0)
    expect(gina.page).to_have_title("Fred")
    for text in ("one", "two"):
        status = fred.bubble(text).locator(".status")
        expect(status).to_have_attribute("data-status", "read")
    said = str(asked)
    assert "message.send" in said
    assert "conversation.list" not in said
    assert "sync.changes" not in said


NOTIFICATION = """
    window.shown = [];
    window.Notification = class {
        static permission = "granted";
        static async requestPermission() { return "granted"; }
        constructor(title, options) { window.shown.push([title, options.body]); }
    };
    document.hasFocus = () => false;
"""


def test_UI_08_who_looks_elsewhere_is_notified_if_they_want_that(
    server: Server, person: People
) -> None:
    hanna, igor = person(server, "hanna"), person(server, "igor")
    igor.page.add_init_script(NOTIFICATION)
    igor.page.reload()
    igor.page.get_by_role("button", name="Settings").click()
    igor.page.get_by_label("Show new messages while I look elsewhere").check()
    igor.page.keyboard.press("Escape")
    hanna.begin("Igor")
    hanna.say("Psst")
    igor.page.wait_for_function("shown.length === 1")
    assert igor.page.evaluate("shown") == [["Hanna", "Psst"]]
    igor.do("Hanna", "Mute always")
    expect(igor.row("Hanna").get_by_role("img", name="muted")).to_be_visible()
    hanna.say("Psst again")
    expect(igor.row("Hanna")).to_contain_text("Psst again")
    assert igor.page.evaluate("shown.length") == 1


@pytest.mark.parametrize("colors", ["light", "dark"])
def test_UI_01_nobody_is_kept_out_of_the_inbox(server: Server, person: People, colors: str) -> None:
    user = f"jana{colors}"
    for title in ("Read", "Unread"):
        seed(server, (f"karl{colors}", user), title, ["hello"])
    jana = person(server, user, color_scheme=colors)
    jana.do("Read", "Pin")
    jana.do("Read", "Mute always")
    expect(jana.row("Read").get_by_role("img", name="muted")).to_be_visible()
    jana.open("Read")
    jana.act("hello", "More", "Star")
    examine(jana.page, "the inbox")
    jana.row("Unread").click(button="right")
    expect(jana.page.get_by_role("button", name="Mark as read")).to_be_visible()
    examine(jana.page, "a menu")
    jana.page.get_by_role("button", name="Archive", exact=True).click()
    expect(jana.page.get_by_role("button", name="Undo")).to_be_visible()
    examine(jana.page, "a notice")
    jana.page.get_by_role("button", name="Starred messages").click()
    expect(jana.page.locator(".found .row")).to_be_visible()
    examine(jana.page, "starred messages")
    small = person(server, user, color_scheme=colors, **PHONE)
    expect(small.row("Read")).to_be_visible()
    examine(small.page, "the inbox of a telephone")
