"""Where messages are written in the demo chat: by hand, by voice, for now and for later."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from palaver.tests.support.browsing import (
    PHONE,
    People,
    Server,
    Window,
    chromium,
    examine,
    person,
    picture,
    server,
    speaking,
)

__all__ = ["chromium", "person", "server"]

HOUR_MS = 3_600_000
SOON_MS = 1_500


def group(server: Server, user: str, title: str, *others: str) -> str:
    with speaking(server, user) as ask:
        made = {"kind": "group", "members": list(others), "title": title, "client_id": title}
        return str(ask("conversation.create", [made])[0]["c"])


def last_said(server: Server, user: str, c: str) -> dict[str, Any]:
    """As the engine has it."""
    with speaking(server, user) as ask:
        found: dict[str, Any] = ask("message.history", [{"limit": 1}], c)[0]["messages"][0]
        return found


def button(window: Window, name: str) -> Locator:
    return window.page.get_by_role("button", name=name, exact=True)


def test_UI_03_somebody_is_mentioned_with_the_keyboard(server: Server, person: People) -> None:
    c = group(server, "ann", "Mentions", "bob", "cleo", "dev", "mob")
    ann, bob = person(server, "ann"), person(server, "bob")
    bob.open("Mentions")
    ann.open("Mentions")
    ann.input.press_sequentially("Hello @")
    people = ann.page.get_by_role("listbox", name="People to mention")
    options = people.get_by_role("option")
    names = options.locator(".name")
    expect(names).to_have_text(["Bob Brandt", "Cleo Castro", "Dev Das", "Mob"])
    expect(ann.input).to_have_attribute("aria-controls", people.get_attribute("id") or "-")
    examine(ann.page, "people to mention")
    for key, chosen in [("ArrowDown", 1), ("ArrowUp", 0), ("ArrowUp", 3), ("ArrowDown", 0)]:
        ann.input.press(key)
        expect(options.nth(chosen)).to_have_attribute("aria-selected", "true")
        active = options.nth(chosen).get_attribute("id") or "-"
        expect(ann.input).to_have_attribute("aria-activedescendant", active)
    ann.input.press_sequentially("bra")  # a word of a name will do
    expect(names).to_have_text(["Bob Brandt"])
    ann.input.press("Enter")
    expect(ann.input).to_have_value("Hello @Bob Brandt ")
    expect(people).to_have_count(0)
    ann.input.press_sequentially(" and  so")  # the first space was there already
    expect(ann.input).to_have_value("Hello @Bob Brandt and  so")
    ann.input.fill("Hello @Bob Brandt and ")
    ann.input.press("End")
    ann.input.press_sequentially("@cle")
    ann.input.press("Tab")
    ann.input.press_sequentially("not @mo")
    expect(options).to_have_count(1)
    ann.input.press("Escape")
    expect(people).to_have_count(0)
    ann.input.press_sequentially(" ann@bob")  # an address
    expect(people).to_have_count(0)
    ann.input.press("Enter")
    expect(bob.bubbles.locator(".mention")).to_have_text(["@Bob Brandt", "@Cleo Castro"])
    expect(bob.bubbles.locator(".mention[data-me=true]")).to_have_text("@Bob Brandt")
    assert last_said(server, "ann", c)["mentions"] == ["bob", "cleo"]
    # An edit mentions whom its new text mentions.
    sent = re.compile("sent|delivered|read")
    expect(ann.bubbles.locator(".status")).to_have_attribute("data-status", sent)
    ann.input.press("ArrowUp")
    expect(ann.input).to_have_value(re.compile("^Hello @Bob Brandt"))
    ann.say("Hello @Dev Das")
    expect(bob.bubbles.locator(".mention")).to_have_text("@Dev Das")
    assert last_said(server, "ann", c)["mentions"] == ["dev"]


def test_UI_03_a_mention_is_chosen_with_a_finger(server: Server, person: People) -> None:
    group(server, "eva", "Fingers", "fritz", "gabi")
    eva = person(server, "eva", **PHONE)
    eva.open("Fingers")
    eva.input.tap()
    eva.input.press_sequentially("@")
    option = eva.page.get_by_role("option", name="Gabi")
    expect(option).to_be_in_viewport(ratio=1)
    option.tap()
    expect(eva.input).to_have_value("@Gabi ")
    expect(eva.input).to_be_focused()
    eva.input.press_sequentially("look")
    button(eva, "Send").tap()
    expect(eva.bubbles.locator(".mention")).to_have_text("@Gabi")


def test_UI_03_nobody_is_suggested_between_two(server: Server, person: People) -> None:
    hans = person(server, "hans")
    hans.begin("inge")
    hans.input.press_sequentially("@")
    expect(hans.page.get_by_role("listbox")).to_have_count(0)


def test_UI_03_ten_pictures_go_with_a_message(server: Server, person: People) -> None:
    jon, kate = person(server, "jon"), person(server, "kate")
    jon.begin("kate")
    many = [picture(f"{number}.png", 100 + number) for number in range(12)]
    jon.page.set_input_files("input[type=file]", many)
    waiting = jon.page.get_by_role("list", name="Files to send").get_by_role("listitem")
    expect(waiting).to_have_count(10)
    told = jon.page.get_by_text("At most 10 files go with a message: 2 were left out.")
    expect(told).to_be_visible()
    expect(jon.input).to_be_focused()
    examine(jon.page, "files to send")
    button(jon, "Remove 3.png").click()
    expect(waiting).to_have_count(9)
    expect(told).to_have_count(0)
    jon.page.set_input_files("input[type=file]", many[3])
    jon.say("Ten")
    kate.open("Jon")
    shown = kate.bubble("Ten").locator(".picture img")
    expect(shown).to_have_count(10)
    for each in shown.all():
        each.scroll_into_view_if_needed()
        expect(each).to_have_js_property("complete", True)
        expect(each).not_to_have_js_property("naturalWidth", 0)
    rows = (
        kate.bubble("Ten")
        .locator(".picture")
        .evaluate_all("all => new Set(all.map((each) => each.getBoundingClientRect().top)).size")
    )
    assert rows == 4


def test_UI_03_an_answer_or_an_edit_is_begun_and_left(server: Server, person: People) -> None:
    lou = person(server, "lou")
    lou.begin("mae")
    lou.say("One")
    lou.act("One", "Reply")
    mode = lou.page.get_by_role("group", name="Answering")
    expect(mode).to_contain_text("Reply to Lou")
    expect(lou.input).to_be_focused()
    lou.page.keyboard.press("Escape")
    expect(mode).to_have_count(0)
    lou.act("One", "Edit")
    mode = lou.page.get_by_role("group", name="Editing")
    expect(lou.input).to_have_value("One")
    mode.get_by_role("button", name="Cancel").click()
    expect(lou.input).to_have_value("")
    lou.act("One", "Edit")
    lou.say("Two")
    expect(lou.bubble("Two")).to_contain_text("edited")
    lou.act("Two", "Reply")
    lou.say("Three")
    expect(lou.bubble("Three").locator(".quote")).to_contain_text("Two")


def test_UI_03_a_draft_is_kept_with_what_it_answers(server: Server, person: People) -> None:
    nat = person(server, "nat")
    nat.begin("oda")
    nat.say("A question")
    nat.act("A question", "Reply")
    nat.input.press_sequentially("Not yet")
    nat.page.reload()
    expect(nat.input).to_have_value("Not yet")
    expect(nat.page.get_by_role("group", name="Answering")).to_contain_text("A question")
    nat.say("Now")
    expect(nat.bubble("Now").locator(".quote")).to_contain_text("A question")
    nat.page.reload()
    expect(nat.bubble("Now")).to_be_visible()
    expect(nat.input).to_have_value("")
    expect(nat.page.get_by_role("group", name="Answering")).to_have_count(0)


def test_UI_03_it_grows_from_one_line_to_five(server: Server, person: People) -> None:
    pam = person(server, "pam")
    pam.begin("quin")

    def height(lines: int) -> float:
        pam.input.fill("\n".join(["line"] * lines))
        return float(pam.input.evaluate("e => e.getBoundingClientRect().height"))

    heights = [height(lines) for lines in (1, 2, 3, 4, 5, 6, 20)]
    steps = [b - a for a, b in pairwise(heights)]
    line = float(pam.input.evaluate("e => parseFloat(getComputedStyle(e).lineHeight)"))
    assert steps[:4] == pytest.approx([line] * 4, abs=1.5)
    assert steps[4:] == pytest.approx([0, 0], abs=1.5)
    pam.input.fill("")
    pam.input.press_sequentially("one")
    pam.input.press("Shift+Enter")
    pam.input.press_sequentially("two")
    pam.input.press("Enter")
    expect(pam.bubbles.locator(".text")).to_have_text("one\ntwo")


def test_UI_03_a_message_is_scheduled_changed_and_cancelled(server: Server, person: People) -> None:
    ria, sid = person(server, "ria"), person(server, "sid")
    ria.begin("sid")
    ria.input.fill("Good morning")
    button(ria, "Send later").click()
    ria.page.get_by_role("button", name=re.compile("^Tomorrow at 09:00")).click()
    expect(ria.input).to_have_value("")
    waiting = ria.page.locator(".scheduled")
    expect(waiting).to_have_text("Scheduled: 1 message, tomorrow at 09:00")
    ria.input.fill("Good evening")
    button(ria, "Send later").click()
    button(ria, "Another time…").click()
    dialog = ria.page.get_by_role("dialog", name="Send later")
    dialog.get_by_label("When").fill("2027-05-06T20:30")
    dialog.get_by_role("button", name="Schedule").click()
    expect(waiting).to_have_text(re.compile("^Scheduled: 2 messages, next tomorrow"))
    ria.page.reload()  # they are the server's
    waiting.click()
    dialog = ria.page.get_by_role("dialog", name="Scheduled messages")
    entries = dialog.get_by_role("listitem")
    expect(entries).to_have_count(2)
    expect(entries.nth(1)).to_contain_text("6 May 2027 at 20:30")
    examine(ria.page, "what is to be sent later")
    entries.nth(1).get_by_role("button", name="Change the time").click()
    entries.nth(1).get_by_label("When").fill("2027-05-07T21:45")
    entries.nth(1).get_by_role("button", name="Change", exact=True).click()
    expect(entries.nth(1)).to_contain_text("7 May 2027 at 21:45")
    entries.nth(0).get_by_role("button", name="Cancel").click()
    expect(entries).to_have_count(1)
    entries.get_by_role("button", name="Send now").click()
    expect(entries).to_have_count(0)
    sid.open("Ria")
    sid.expect_said("Good evening")
    ria.page.keyboard.press("Escape")
    expect(waiting).to_have_count(0)


def test_UI_03_what_is_scheduled_is_sent_at_its_time(server: Server, person: People) -> None:
    """With what it answers, and whom it mentions."""
    c = group(server, "tom", "Later", "uli", "vic")
    tom = person(server, "tom")
    tom.open("Later")
    tom.say("A question")
    tom.act("A question", "Reply")
    tom.page.evaluate(f"const real = Date.now; Date.now = () => real() - {HOUR_MS - SOON_MS}")
    tom.input.fill("An answer, @Uli")
    button(tom, "Send later").click()
    button(tom, "In an hour").click()
    expect(tom.page.locator(".scheduled")).to_be_visible()
    expect(tom.bubble("An answer").locator(".quote")).to_contain_text("A question", timeout=20_000)
    expect(tom.page.locator(".scheduled")).to_have_count(0)
    assert last_said(server, "tom", c)["mentions"] == ["uli"]


def test_UI_03_a_voice_message_is_recorded_heard_and_sent(server: Server, person: People) -> None:
    wim, xyl = person(server, "wim"), person(server, "xyl")
    wim.begin("xyl")
    wim.say("Listen")
    record = button(wim, "Record a voice message")
    record.click()
    recording = wim.page.get_by_role("group", name="Recording")
    expect(recording.get_by_role("timer")).to_have_text("0:01")
    examine(wim.page, "a recording")
    button(wim, "Discard the recording").click()
    expect(recording).to_have_count(0)
    expect(wim.page.locator(".uploads li")).to_have_count(0)
    record.click()
    expect(recording.get_by_role("timer")).to_have_text("0:01")
    button(wim, "Stop recording").click()
    heard = wim.page.get_by_role("list", name="Files to send").locator("audio")
    expect(heard).to_have_js_property("readyState", 4)
    seek = wim.page.locator(".uploads").get_by_role("slider", name="Position")
    expect(seek).not_to_have_js_property("max", "1")  # as long as it is
    room = seek.bounding_box()
    assert room is not None
    assert room["width"] > 60
    expect(wim.input).to_be_focused()
    button(wim, "Send").click()
    xyl.open("Wim")
    player = xyl.bubbles.last.locator("audio")
    player.evaluate("player => player.play()")
    xyl.page.wait_for_function("player => player.currentTime > 0.2", arg=player.element_handle())
    assert 0.5 < player.evaluate("player => player.duration") < 30
    expect(xyl.bubbles.last.get_by_role("button", name="Play")).to_be_visible()  # it is over
    xyl.bubbles.last.get_by_role("slider", name="Position").fill("0.4")
    expect(player).to_have_js_property("currentTime", 0.4)
    # Or sent at once.
    record.click()
    expect(recording.get_by_role("timer")).to_have_text("0:01")
    button(wim, "Send").click()
    expect(xyl.bubbles.locator("audio")).to_have_count(2)
    expect(wim.page.locator(".uploads li")).to_have_count(0)


def test_UI_03_without_a_microphone_nothing_is_offered(server: Server, person: People) -> None:
    yul = person(server, "yul")
    yul.page.add_init_script(
        "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })"
    )
    yul.page.reload()
    yul.begin("zed")
    expect(button(yul, "Record a voice message")).to_have_count(0)


@pytest.mark.parametrize("colors", ["light", "dark"])
def test_UI_03_there_is_room_for_all_of_it_on_a_telephone(
    server: Server, person: People, colors: str
) -> None:
    user = f"zoe{colors}"
    zoe = person(server, user, color_scheme=colors, **PHONE)
    zoe.begin("ann", "bob", title="Room")
    many = [picture(f"{number}.png") for number in range(10)]
    zoe.page.set_input_files("input[type=file]", many)
    zoe.input.fill("@")
    zoe.input.press("End")
    for name in ("Attach files", "Send later", "Send"):
        expect(button(zoe, name)).to_be_in_viewport(ratio=1)
    expect(zoe.page.get_by_role("option").first).to_be_in_viewport(ratio=1)
    room = zoe.input.bounding_box()
    assert room is not None
    assert room["width"] > 180
    assert zoe.page.evaluate("document.documentElement.scrollWidth") <= 390
    examine(zoe.page, "everything at once")
