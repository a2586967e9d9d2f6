"""Groups and what is told about a conversation, in the demo chat (clients/web)."""

from __future__ import annotations

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


def details(window: Window) -> Locator:
    """The panel about the conversation that is open."""
    panel = window.page.get_by_role("complementary")
    if panel.count() == 0:
        window.page.get_by_role("button", name="About this conversation").click()
    return panel


def told(window: Window, text: str) -> Locator:
    """What happened, among the messages."""
    return window.page.locator(".event", has_text=text)


def settings(window: Window) -> Locator:
    details(window).get_by_role("button", name="Edit the group").click()
    return window.page.get_by_role("dialog", name="Edit the group")


def test_UI_04_a_group_is_managed(server: Server, person: People) -> None:
    grace, hugo = person(server, "grace"), person(server, "hugo")
    grace.begin("Hugo Haas", "Iris", title="Garden")
    hugo.open("Garden")
    about, asked = details(grace), settings(grace)
    asked.get_by_label("Name of the group").fill("Orchard")
    asked.get_by_label("What it is for").fill("Apples, and some pears")
    asked.get_by_role("button", name="Save").click()
    expect(told(hugo, "Grace Gold named the conversation “Orchard”")).to_be_visible()
    expect(told(hugo, "Grace Gold changed the description")).to_be_visible()
    expect(details(hugo)).to_contain_text("Apples, and some pears")
    about.get_by_role("button", name="Add people").click()
    grace.page.get_by_label("Find people").fill("jo")
    grace.page.locator(".picker").get_by_role("button", name="Jo").click()
    grace.page.get_by_role("button", name="Add", exact=True).click()
    expect(hugo.page.locator(".subtitle")).to_have_text("4 members")
    about.get_by_role("button", name="What to do with Iris").click()
    about.get_by_role("button", name="Remove").click()
    expect(hugo.page.locator(".subtitle")).to_have_text("3 members")
    about.get_by_role("button", name="What to do with Hugo Haas").click()
    about.get_by_role("button", name="Make admin").click()
    expect(told(hugo, "Hugo Haas is now admin")).to_be_visible()
    expect(details(hugo).get_by_role("button", name="Edit the group")).to_be_visible()
    about.get_by_role("button", name="Leave").click()
    grace.page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(told(hugo, "Grace Gold left")).to_be_visible()
    expect(grace.row("Orchard")).to_have_count(0)


def test_UI_04_who_may_what_is_settled_and_holds(server: Server, person: People) -> None:
    kira, liam = person(server, "kira"), person(server, "liam")
    kira.begin("Liam", "Mona", title="Rules")
    kira.say("Welcome")
    liam.open("Rules")
    his = details(liam)
    expect(his.get_by_text("3 members")).to_be_visible()
    expect(his.get_by_role("button", name="Edit the group")).to_have_count(0)
    expect(his.get_by_role("button", name="Add people")).to_have_count(0)
    his.get_by_role("button", name="What to do with Mona").click()
    expect(his.get_by_role("button", name="Write to Mona")).to_be_visible()
    expect(his.get_by_role("button", name="Remove")).to_have_count(0)
    liam.page.keyboard.press("Escape")
    asked = settings(kira)
    asked.get_by_label("Who may add people").select_option("Everyone")
    expect(his.get_by_role("button", name="Add people")).to_be_visible()
    asked.get_by_label("Who may write").select_option("Admins")
    liam.say("May I?")
    expect(liam.bubble("May I?").locator("..")).to_contain_text("not allowed", ignore_case=True)
    asked.get_by_label("Who may write").select_option("Everyone")
    asked.get_by_label("Locked").check()
    expect(told(liam, "The conversation was locked")).to_be_visible()
    asked.get_by_label("Locked").uncheck()
    expect(told(liam, "The conversation was unlocked")).to_be_visible()


def test_UI_04_a_group_has_a_picture(server: Server, person: People) -> None:
    nora, otto = person(server, "nora"), person(server, "otto")
    nora.begin("Otto", "Pia", title="Painters")
    nora.say("Welcome")
    otto.open("Painters")
    asked = settings(nora)
    asked.get_by_label("Picture of the group").set_input_files(picture())
    shown = otto.row("Painters").locator(".avatar img")
    expect(shown).to_have_js_property("naturalWidth", 64)
    otto.page.reload()
    expect(shown).to_have_js_property("naturalWidth", 64)
    asked.get_by_role("button", name="Remove it").click()
    expect(shown).to_have_count(0)
    expect(told(otto, "Nora changed the picture")).to_have_count(2)


def test_UI_04_what_was_shared_and_pinned_is_found_again(server: Server, person: People) -> None:
    ruth, sven = person(server, "ruth"), person(server, "sven")
    ruth.begin("Sven")
    ruth.say("Remember this")
    ruth.act("Remember this", "More", "Pin")
    sven.open("Ruth")
    about = details(sven)
    pinned = about.get_by_role("region", name="Pinned messages")
    expect(pinned).to_contain_text("Remember this")
    expect(about.get_by_text("online", exact=True)).to_be_visible()
    shared = about.get_by_role("region", name="Pictures and files")
    expect(shared).to_have_count(0)
    ruth.page.set_input_files("input[type=file]", picture())
    ruth.say("Look")
    expect(shared.locator(".picture img")).to_have_js_property("complete", True)
    pinned.get_by_role("button", name="Remember this").click()
    expect(sven.bubble("Remember this")).to_have_attribute("data-sought", "true")
    shared.get_by_role("button", name="Ruth,").click()
    expect(sven.bubble("Look")).to_have_attribute("data-sought", "true")
    ruth.act("Remember this", "More", "Unpin")
    expect(pinned).to_have_count(0)
    ruth.act("Look", "More", "Delete for everyone", "Delete")
    expect(shared).to_have_count(0)


@pytest.mark.parametrize("colors", ["light", "dark"])
def test_UI_04_nobody_is_kept_out_of_the_panel(server: Server, person: People, colors: str) -> None:
    tilda = person(server, f"tilda{colors}", color_scheme=colors, **PHONE)
    tilda.begin("Ann Abel", "Bob Brandt", title="Examined")
    tilda.page.set_input_files("input[type=file]", picture())
    tilda.say("Look")
    expect(tilda.page.locator(".bubble .picture img")).to_be_visible()
    tilda.say("Pinned")
    tilda.bubble("Pinned").tap()
    tilda.act("Pinned", "More", "Pin")
    about = details(tilda)
    expect(about.get_by_role("region", name="Pinned messages")).to_be_visible()
    expect(about.locator(".media .picture img")).to_be_visible()
    assert tilda.page.evaluate("document.documentElement.scrollWidth") <= 390
    examine(tilda.page, "details")
    about.get_by_role("button", name="Mute").click()
    expect(tilda.page.get_by_role("button", name="Mute for an hour")).to_be_in_viewport(ratio=1)
    examine(tilda.page, "a menu")
    tilda.page.keyboard.press("Escape")
    expect(settings(tilda)).to_be_visible()
    examine(tilda.page, "the group's settings")
    tilda.page.keyboard.press("Escape")
    about.get_by_role("region", name="Pinned messages").get_by_role("button", name="Pinned").click()
    expect(about).to_have_count(0)  # it would cover the message
    expect(tilda.bubble("Pinned")).to_be_in_viewport()


def test_UI_04_of_a_large_group_members_come_by_pages(person: People) -> None:
    large = Server("--memory", PALAVER_POLICY__MAX_MEMBERS="1000")
    large.start()
    try:
        with speaking(large, "xara") as ask:
            group = {"kind": "group", "members": ["yuri"], "title": "Everybody"}
            c = ask("conversation.create", [group])[0]["c"]
            users = [f"x{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(600)]
            for at in range(0, 600, 100):
                ask("member.add", [{"users": users[at : at + 100]}], c)
        yuri = person(large, "yuri")
        yuri.open("Everybody")
        told = yuri.page.get_by_text("Xara added Xtg, Xth and 98 others")
        expect(told).to_be_visible()
        members = details(yuri).get_by_role("region", name="Members")
        expect(members.get_by_text("602 members")).to_be_visible()
        expect(members.get_by_role("listitem")).to_have_count(12)
        members.get_by_role("button", name="Show all").click()
        expect(members.get_by_role("listitem")).to_have_count(100)
        members.get_by_role("button", name="Load more").click()
        expect(members.get_by_role("listitem")).to_have_count(200)
        members.get_by_label("Find members").fill("xwb")
        expect(members.get_by_role("listitem")).to_have_count(1)
        expect(members).to_contain_text("Xwb")
    finally:
        large.kill()
