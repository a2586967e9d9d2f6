"""The thread of the demo chat: what was said, by day and by who said it, however far back."""

from __future__ import annotations

import re
from typing import Any

import msgpack
import pytest
from playwright.sync_api import Locator, WebSocketRoute, expect

from palaver.tests.support.browsing import (
    PHONE,
    People,
    Server,
    Window,
    chromium,
    examine,
    person,
    picture,
    seed,
    server,
    speaking,
)

__all__ = ["chromium", "person", "server"]

FAR = 4_000
"""So many messages lie between a message and the end."""
MINUTE = 60_000
DAY = 24 * 60 * MINUTE


def lines(count: int) -> list[str]:
    return [f"line {number:04}" for number in range(count)]


def wheel(window: Window, by: int) -> None:
    window.page.locator(".messages").hover()
    window.page.mouse.wheel(0, by)


def test_UI_02_what_was_said_before_comes_as_one_scrolls(server: Server, person: People) -> None:
    texts = lines(180)
    seed(server, ("tha", "thb"), "Scrolled", texts)
    thb = person(server, "thb")
    thb.open("Scrolled")
    expect(thb.bubble("line 0179")).to_be_in_viewport()
    assert thb.bubbles.count() < 180
    beginning = thb.page.get_by_text("This is the beginning of the conversation.")
    for _ in range(10):
        wheel(thb, -100_000)
        if beginning.count():
            break
        expect(thb.page.locator(".messages")).not_to_have_js_property("scrollTop", 0)
    expect(beginning).to_be_visible()
    assert thb.bubbles.locator(".text").all_inner_texts() == texts
    expect(thb.bubble("line 0179")).not_to_be_in_viewport()
    thb.page.get_by_role("button", name="To the newest message").click()
    expect(thb.bubble("line 0179")).to_be_in_viewport()


def earlier(route: WebSocketRoute, by: dict[str, int]) -> None:
    """What the server says passes through, with messages of some texts so many ms earlier."""

    def changed(value: Any) -> Any:
        if isinstance(value, list):
            return [changed(each) for each in value]
        if not isinstance(value, dict):
            return value
        told = {name: changed(each) for name, each in value.items()}
        if "ts" in told and told.get("text") in by:
            told["ts"] -= by[told["text"]]
        return told

    def pass_on(frame: str | bytes) -> None:
        assert isinstance(frame, bytes)
        route.send(msgpack.packb(changed(msgpack.unpackb(frame))))

    route.connect_to_server().on_message(pass_on)


def test_UI_02_a_run_is_one_persons_of_one_day_without_a_pause(
    server: Server, person: People
) -> None:
    with speaking(server, "tia") as ask:
        group = {"kind": "group", "members": ["uma"], "title": "Runs", "client_id": "r"}
        c = ask("conversation.create", [group])[0]["c"]
        texts = ["yesterday", "before the pause", "after it", "at once"]
        ask("message.send", [{"text": text} for text in texts], c)
        ask("conversation.rename", [{"title": "Runs and pauses"}], c)
        ask("message.send", [{"text": "right after"}], c)
    uma = person(server, None)
    back = {"yesterday": DAY, "before the pause": 5 * MINUTE + 1}
    uma.page.route_web_socket(re.compile("/v1/ws"), lambda route: earlier(route, back))
    uma.page.goto(f"{server.url}?as=uma")
    uma.open("Runs and pauses")
    uma.expect_said("yesterday", "before the pause", "after it", "at once", "right after")
    runs = uma.page.locator(".run")
    expect(runs).to_have_count(4)
    expect(runs.locator("h3")).to_have_text(["Tia"] * 4)
    expect(runs.nth(2).locator(".text")).to_have_text(["after it", "at once"])
    days = uma.page.locator(".messages section")
    expect(days.locator("h2")).to_have_text(["Yesterday", "Today"])
    expect(days.nth(1).locator(".event")).to_have_text(
        "Tia named the conversation “Runs and pauses”"
    )
    uma.say("mine")
    expect(runs).to_have_count(5)
    expect(runs.last.locator("h3")).to_have_count(0)


def test_UI_02_a_line_says_where_the_new_messages_begin(server: Server, person: People) -> None:
    c = seed(server, ("lia", "lev"), "New", ["known"])
    lia, lev = person(server, "lia"), person(server, "lev")
    lia.open("New")
    lev.open("New")
    expect(lia.bubble("known").locator(".status")).to_have_attribute("data-status", "read")
    line = lev.page.get_by_role("separator")
    expect(line).to_have_count(0)
    lev.page.goto("about:blank")
    with speaking(server, "lia") as ask:
        ask("message.send", [{"text": "new"}, {"text": "newer"}], c)
    lev.page.goto(f"{server.url}?as=lev")
    lev.open("New")
    told = lev.page.locator(".unread, .bubble .text")
    expect(told).to_have_text(["known", "New messages", "new", "newer"])
    lev.say("Thanks")
    expect(told).to_have_text(["known", "New messages", "new", "newer", "Thanks"])


def shape(status: Locator) -> tuple[str, str]:
    """What tells it from the others at a glance, whatever the colours."""
    drawn = status.evaluate("e => e.querySelector('path').getAttribute('d')")
    ground = status.evaluate("e => getComputedStyle(e).backgroundColor")
    return drawn, ground


def test_UI_02_ticks_tell_sent_delivered_and_read_apart(server: Server, person: People) -> None:
    via = person(server, "via")
    via.begin("wes")
    seen = []

    def expect_status(text: str, name: str, label: str) -> None:
        status = via.bubble(text).locator(".status")
        expect(status).to_have_attribute("data-status", name)
        expect(status).to_have_text(label)
        expect(status).to_have_attribute("title", label)
        seen.append(shape(status))

    via.say("While you are away")
    expect_status("While you are away", "sent", "Sent")
    wes = person(server, "wes")
    wes.expect_state("Connected")
    via.say("While you are here")
    expect_status("While you are here", "delivered", "Delivered")
    wes.open("Via")
    expect_status("While you are here", "read", "Read")
    assert len(set(seen)) == 3


def test_UI_02_in_a_group_a_tick_says_who_has_read(server: Server, person: People) -> None:
    xia = person(server, "xiu")
    xia.begin("yara", "zack", title="Readers")
    xia.say("Who reads?")
    yara = person(server, "yara")
    yara.open("Readers")
    status = xia.bubble("Who reads?").locator(".status")
    expect(status).to_have_text("Sent, read by Yara")
    expect(status).to_have_attribute("data-status", "sent")


def test_UI_02_a_quote_leads_to_a_message_thousands_back(server: Server, person: People) -> None:
    c = seed(server, ("abe", "ada"), "Deep", lines(FAR))
    with speaking(server, "abe") as ask:
        middle = ask("message.history", [{"after": 100, "limit": 1}], c)[0]["messages"][0]
        answer = {"text": "an answer", "reply_to": middle["id"]}
        ask("message.send", [answer], c)
    ada = person(server, "ada")
    ada.open("Deep")
    quote = ada.bubble("an answer").locator(".quote")
    expect(quote).to_have_accessible_name(re.compile(f"^Reply to Abe {middle['text']}"))
    quote.focus()
    ada.page.keyboard.press("Enter")
    found = ada.bubble(middle["text"])
    expect(found).to_be_in_viewport()
    expect(found).to_have_attribute("data-sought", "true")
    expect(found).to_be_focused()
    assert ada.bubbles.count() < 300
    # From there it goes on in both directions, without a gap.
    first = int(middle["text"].split()[1])
    for _ in range(3):
        loaded = ada.bubbles.count()
        wheel(ada, 100_000)
        expect(ada.bubbles.nth(loaded)).to_be_attached()
    loaded = ada.bubbles.count()
    wheel(ada, -1_000_000)
    expect(ada.bubbles.nth(loaded)).to_be_attached()
    said = ada.bubbles.locator(".text").all_inner_texts()
    numbers = [int(text.split()[1]) for text in said]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert numbers[0] < first < numbers[-1]
    # What is said meanwhile is not in between, but counted, and there when one comes back.
    with speaking(server, "abe") as ask:
        ask("message.send", [{"text": "meanwhile"}], c)
    to_end = ada.page.get_by_role("button", name="To the newest message")
    expect(to_end.locator(".badge")).to_have_text("1")
    expect(ada.bubble("meanwhile")).to_have_count(0)
    to_end.click()
    expect(ada.bubble("meanwhile")).to_be_in_viewport()
    expect(to_end).to_have_count(0)
    # And so does what a search has found; who says something is back at the end.
    ada.page.get_by_label("Search conversations and messages").fill("0042")
    ada.page.locator(".found .row", has_text="line 0042").click()
    expect(ada.bubble("line 0042")).to_be_in_viewport()
    ada.say("from far back")
    expect(ada.bubble("from far back")).to_be_in_viewport()


def test_UI_02_a_pin_is_shown_and_gone_to_however_far_back_it_is(
    server: Server, person: People
) -> None:
    c = seed(server, ("ben", "bea"), "Pinned", lines(400))
    with speaking(server, "ben") as ask:
        first = ask("message.history", [{"after": 0, "limit": 1}], c)[0]["messages"][0]
        ask("message.pin", [{"message_id": first["id"]}], c)
    bea = person(server, "bea")
    bea.open("Pinned")
    bea.page.get_by_role("button", name=f"Pinned, Ben: {first['text']}").click()
    expect(bea.bubble(first["text"])).to_be_in_viewport()


def test_UI_02_only_who_may_pin_is_offered_it(server: Server, person: People) -> None:
    c = seed(server, ("pam", "pat"), "Rights", ["by who made it"])
    with speaking(server, "pat") as ask:
        ask("message.send", [{"text": "by a member"}], c)
    pam, pat = person(server, "pam"), person(server, "pat")
    for window, mine, offered in [(pam, "by a member", 1), (pat, "by who made it", 0)]:
        window.open("Rights")
        window.act(mine, "More")
        menu = window.bubble(mine).get_by_role("group", name="More")
        expect(menu.get_by_role("button", name="Star")).to_be_visible()
        for name in ("Pin", "Delete for everyone"):
            expect(menu.get_by_role("button", name=name)).to_have_count(offered)


@pytest.mark.parametrize("options", [{}, PHONE])
def test_UI_02_what_can_be_done_hides_neither_name_nor_text(
    server: Server, person: People, options: dict[str, Any]
) -> None:
    user = f"wanda{len(options)}"
    c = seed(server, ("walter", user), f"Beside {user}", ["short"])
    with speaking(server, "walter") as ask:
        ask("message.send", [{"text": "long " * 40}], c)
    window = person(server, user, **options)
    window.open(f"Beside {user}")
    window.say("mine")
    for text in ("short", "long", "mine"):
        bubble = window.bubble(text)
        bubble.focus()
        actions = bubble.get_by_role("toolbar", name="Message actions").bounding_box()
        assert actions is not None
        assert actions["x"] >= 0
        wide = window.page.evaluate("innerWidth")
        assert actions["x"] + actions["width"] <= wide
        for hidden in (bubble.locator(".text"), window.page.locator(".run h3").first):
            box = hidden.bounding_box()
            assert box is not None
            aside = (
                actions["x"] >= box["x"] + box["width"]
                or actions["x"] + actions["width"] <= box["x"]
            )
            above = (
                actions["y"] >= box["y"] + box["height"]
                or actions["y"] + actions["height"] <= box["y"]
            )
            assert aside or above, (text, actions, box)


def test_UI_02_the_day_is_seen_in_front_of_messages_only_while_they_move(
    server: Server, person: People
) -> None:
    seed(server, ("rod", "ray"), "Days", lines(60))
    ray = person(server, "ray")
    ray.open("Days")
    expect(ray.bubble("line 0059")).to_be_in_viewport()
    chip = ray.page.locator(".day span").first
    wheel(ray, -300)
    expect(chip).to_have_css("opacity", "1")
    expect(chip).to_have_css("opacity", "0")


def test_UI_02_a_message_that_is_gone_is_not_gone_to(server: Server, person: People) -> None:
    c = seed(server, ("cal", "cia"), "Gone", lines(200))
    with speaking(server, "cal") as ask:
        first = ask("message.history", [{"after": 0, "limit": 1}], c)[0]["messages"][0]
        ask("message.send", [{"text": "about it", "reply_to": first["id"]}], c)
    with speaking(server, "cia") as ask:
        ask("message.hide", [{"message_id": first["id"]}], c)
    cia = person(server, "cia")
    cia.open("Gone")
    cia.bubble("about it").locator(".quote").click()
    expect(cia.page.get_by_text("That message is not there any more.")).to_be_visible()


def test_UI_02_pictures_are_looked_at_one_by_one(server: Server, person: People) -> None:
    dan = person(server, "dan")
    dan.begin("dot")
    dan.page.set_input_files("input[type=file]", [picture(f"{n}.png", 200 + n) for n in range(3)])
    dan.say("Three")
    grid = dan.bubble("Three").locator(".picture")
    expect(grid.locator("img")).to_have_count(3)
    examine(dan.page, "a grid of pictures")
    grid.nth(1).focus()
    keys = dan.page.keyboard
    keys.press("Enter")
    viewer = dan.page.get_by_role("dialog")
    expect(viewer).to_have_accessible_name("Picture 2 of 3: 1.png")
    expect(viewer.get_by_role("img")).to_have_js_property("naturalWidth", 201)
    examine(dan.page, "a picture")
    keys.press("ArrowRight")
    expect(viewer).to_have_accessible_name("Picture 3 of 3: 2.png")
    keys.press("ArrowRight")
    expect(viewer).to_have_accessible_name("Picture 1 of 3: 0.png")
    viewer.get_by_role("button", name="The one before").click()
    expect(viewer).to_have_accessible_name("Picture 3 of 3: 2.png")
    with dan.page.expect_download() as download:
        viewer.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "2.png"
    for _ in range(6):  # the focus stays within it
        keys.press("Tab")
        expect(viewer.locator(":focus")).to_have_count(1)
    keys.press("Escape")
    expect(viewer).to_have_count(0)
    expect(grid.nth(1)).to_be_focused()


def test_UI_02_a_message_is_forwarded_and_copied(server: Server, person: People) -> None:
    eli, fay = person(server, "eli"), person(server, "fay")
    eli.begin("fay")
    eli.say("For others")
    fay.open("Eli")
    fay.begin("gus", "guy", title="Elsewhere")
    fay.open("Eli")
    fay.act("For others", "More", "Forward")
    dialog = fay.page.get_by_role("dialog", name="Forward to")
    dialog.get_by_label("Find a conversation").fill("else")
    dialog.get_by_role("button", name="Elsewhere").click()
    expect(dialog).to_have_count(0)
    expect(fay.page.get_by_text("Forwarded to Elsewhere")).to_be_visible()
    fay.open("Elsewhere")
    expect(fay.bubble("For others")).to_contain_text("Forwarded")
    examine(fay.page, "what was forwarded")
    fay.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    fay.act("For others", "More", "Copy the text")
    assert fay.page.evaluate("navigator.clipboard.readText()") == "For others"


def edited(server: Server, person: People, name: str) -> Window:
    window = person(server, name)
    window.begin("ivy")
    window.say("Firts")
    window.act("Firts", "Edit")
    window.say("First")
    window.bubble("First").get_by_role("button", name="edited").click()
    return window


def test_UI_02_what_an_edited_message_said_before(server: Server, person: People) -> None:
    open_handed = Server("--memory", PALAVER_POLICY__EXPOSE_EDIT_HISTORY="true")
    open_handed.start()
    try:
        hal = edited(open_handed, person, "hal")
        dialog = hal.page.get_by_role("dialog", name="What it said before")
        expect(dialog.locator("li .text")).to_have_text(["Firts", "First"])
        examine(hal.page, "versions")
    finally:
        open_handed.kill()
    ike = edited(server, person, "ike")
    expect(ike.page.get_by_text("Earlier wordings are not shown here.")).to_be_visible()


@pytest.mark.parametrize("colors", ["light", "dark"])
def test_UI_02_on_a_telephone_by_day_and_by_night(
    server: Server, person: People, colors: str
) -> None:
    one, other = f"jan{colors}", f"jil{colors}"
    jan = person(server, one, color_scheme=colors, **PHONE)
    jan.begin(other, "kai", title="Pocket")
    jil = person(server, other, color_scheme=colors, **PHONE)
    jil.open("Pocket")
    jil.say("A question")
    jan.bubble("A question").tap()
    jan.bubble("A question").get_by_role("button", name="Reply").tap()
    jan.page.set_input_files("input[type=file]", [picture(f"{n}.png") for n in range(10)])
    jan.say(f"@{other.capitalize()} ten answers")
    expect(jan.bubble("ten answers").locator(".picture img")).to_have_count(10)
    expect(jan.bubble("ten answers").locator(".status")).to_have_attribute(
        "data-status", re.compile("sent|delivered|read")
    )
    assert jan.page.evaluate("document.documentElement.scrollWidth") <= 390
    for window in (jan, jil):
        expect(window.bubble("ten answers")).to_be_visible()
        examine(window.page, "a conversation on a telephone")
