"""The demo chat (clients/web) on a telephone, in Chromium that plays one."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from palaver.tests.support.browsing import PHONE, People, Server, chromium, person, seed, server

__all__ = ["chromium", "person", "server"]


def test_UI_07_a_telephone(server: Server, person: People) -> None:
    sam, tia = person(server, "sam", **PHONE), person(server, "tia", **PHONE)
    sam.begin("Tia", "Uli", title="A group with a name that is far too long for a telephone")
    sam.say("W" * 400)
    sam.say("A very long text. " * 200)
    tia.open("A group")
    expect(tia.page.get_by_role("navigation")).to_be_hidden()
    tia.say("Short")
    expect(sam.bubble("Short")).to_be_in_viewport()
    tia.page.get_by_role("button", name="Show all of it").tap()
    expect(tia.page.get_by_role("button", name="Show all of it")).to_have_count(0)
    tia.bubble("WWW").tap()
    tia.bubble("WWW").get_by_role("button", name="More").tap()
    expect(tia.page.get_by_role("button", name="Delete for me")).to_be_in_viewport(ratio=1)
    tia.page.keyboard.press("Escape")
    tia.page.get_by_role("button", name="About this conversation").tap()
    expect(tia.page.get_by_role("complementary")).to_be_in_viewport()
    tia.page.get_by_role("complementary").get_by_role("button", name="Close").tap()
    for window in (sam, tia):
        wide = window.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390
    tia.page.get_by_role("button", name="Back to the inbox").tap()
    expect(tia.page.get_by_role("navigation")).to_be_visible()


def test_UI_07_back_leads_to_the_inbox_and_says_what_waits_there(
    server: Server, person: People
) -> None:
    for title in ("One", "Two"):
        seed(server, ("dora", "emil"), title, ["hello"])
    emil = person(server, "emil", **PHONE)
    inbox = emil.page.get_by_role("navigation")
    emil.open("One")
    expect(inbox).to_be_hidden()
    back = emil.page.get_by_role("button", name="Back to the inbox")
    expect(back).to_have_accessible_name("Back to the inbox, 1 unread")
    emil.page.go_back()  # as the telephone's own button does
    expect(inbox).to_be_visible()
    emil.page.go_forward()
    expect(inbox).to_be_hidden()
    emil.page.reload()
    expect(emil.page.get_by_role("main", name="One")).to_be_visible()
    back.tap()
    expect(inbox).to_be_visible()
    # By a link there is nothing to go back to but the inbox.
    emil.open("Two")
    address = emil.page.url
    linked = emil.page.context.new_page()
    linked.goto(address.replace("?as=emil", "?as=emil&linked"))
    expect(linked.get_by_role("main", name="Two")).to_be_visible()
    linked.get_by_role("button", name="Back to the inbox").tap()
    expect(linked.get_by_role("navigation")).to_be_visible()
    expect(linked).not_to_have_url(re.compile("#"))
