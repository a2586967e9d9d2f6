"""What the demo chat (clients/web) shows beside the messages is true, and stays where it is."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from palaver.tests.support.browsing import People, Server, chromium, person, seed, server

__all__ = ["chromium", "person", "server"]


def test_UI_01_what_is_switched_off_is_not_offered(server: Server, person: People) -> None:
    plain = Server("--memory")
    plain.start()
    try:
        ann = person(plain, "ann")
        ann.begin("Bob Brandt")
        ann.page.get_by_role("button", name="About this conversation").click()
        expect(ann.page.get_by_role("button", name="Delete from my inbox")).to_be_visible()
        expect(ann.page.get_by_role("button", name="Block Bob Brandt")).to_have_count(0)
        ann.page.get_by_role("button", name="Settings").click()
        expect(ann.page.get_by_label("Colours")).to_be_visible()
        expect(ann.page.get_by_text("Privacy")).to_have_count(0)
    finally:
        plain.kill()
    ben = person(server, "ben")
    ben.page.get_by_role("button", name="Settings").click()
    expect(ben.page.get_by_label("Others see what I have read")).to_be_visible()
    expect(ben.page.get_by_label("Who may write to me")).to_have_count(0)


def test_UI_01_a_problem_is_told_in_front_of_a_dialog(server: Server, person: People) -> None:
    cara = person(server, "cara")
    cara.page.get_by_role("button", name="New conversation").first.click()
    cara.page.get_by_label("Find people").fill("dana")
    picker = cara.page.locator(".picker")
    picker.get_by_role("button", name="Dana").click()
    cara.page.evaluate(
        "dispatchEvent(new CustomEvent('palaver-told', {detail: {text: 'Oh', problem: true}}))"
    )
    expect(cara.page.locator(".notices:popover-open")).to_contain_text("Oh")


def test_UI_01_nothing_moves_when_several_are_chosen(server: Server, person: People) -> None:
    emil = person(server, "emil")
    emil.page.get_by_role("button", name="New conversation").first.click()
    people = emil.page.locator(".picker .person")
    expect(people.nth(3)).to_be_visible()
    names, places = people.all_inner_texts(), [people.nth(n).bounding_box() for n in range(4)]
    for number in (1, 3):
        people.nth(number).click()
        expect(people.nth(number)).to_have_attribute("aria-pressed", "true")
    assert people.all_inner_texts() == names
    assert [people.nth(n).bounding_box() for n in range(4)] == places
    emil.page.get_by_label("Name of the group").fill("Those")
    emil.page.keyboard.press("Enter")
    expect(emil.row("Those")).to_be_visible()
    expect(emil.input).to_be_visible()


def test_UI_01_a_search_finds_people_and_shows_the_words(server: Server, person: People) -> None:
    long = "A lot is said before the important needle is named at last"
    seed(server, ("fay", "gus"), "Sewing", [long])
    gus = person(server, "gus")
    expect(gus.row("Sewing")).to_be_visible()
    search = gus.page.get_by_label("Search conversations and messages")
    search.fill("needle")
    hit = gus.page.locator(".found .row", has_text="Sewing")
    expect(hit.locator("mark")).to_have_text("needle")
    expect(hit.locator(".line")).to_have_text("Fay: …the important needle is named at last")
    search.fill("neverland")
    expect(gus.page.get_by_text("No message has these words.")).to_be_visible()
    search.fill("Ann Ab")
    found = gus.page.locator(".found .row", has_text="Ann Abel")
    expect(found).to_have_count(1)
    found.click()
    expect(gus.input).to_be_visible()
    gus.say("Hello")
    expect(found).to_have_count(1)  # among the conversations now


def test_UI_01_a_row_says_when_and_what_was_begun(server: Server, person: People) -> None:
    for title in ("Left", "Right"):
        seed(server, ("hal", "ines"), title, ["hello"])
    ines = person(server, "ines")
    ines.open("Left")
    ines.input.fill("I shall")
    ines.row("Right").click()
    expect(ines.row("Left")).to_contain_text("Draft: I shall")
    ines.row("Left").click()
    ines.input.fill("")
    ines.row("Right").click()
    expect(ines.row("Left").locator(".line")).to_have_text("Hal: hello")
    # What moves a row is the time that it shows, before and after the page is loaded again.
    ines.row("Left").click()
    ines.act("hello", "React", "🎉")
    expect(ines.row("Left").locator(".line")).to_have_text("You reacted 🎉")
    # It is said when the row is loaded once more, too, for another view.
    ines.do("Left", "Archive")
    ines.page.locator(".filters").get_by_role("button", name="Archived").click()
    ines.open("Left")
    expect(ines.row("Left").locator(".line")).to_have_text("You reacted 🎉")
    ines.do("Left", "Unarchive")
    ines.page.locator(".filters").get_by_role("button", name="All").click()
    for _ in range(2):
        times = ines.page.locator(".sidebar .row time")
        expect(times).to_have_count(2)
        shown = [times.nth(n).get_attribute("datetime") for n in range(2)]
        assert shown == sorted(shown, key=str, reverse=True)
        expect(ines.page.locator(".sidebar .row .title")).to_have_text(["Left", "Right"])
        ines.page.reload()


def test_UI_01_a_time_is_written_as_people_there_do(server: Server, person: People) -> None:
    seed(server, ("jan", "kay"), "Clock", ["hello"])
    kay = person(server, "kay", locale="en-US")
    expect(kay.row("Clock").locator("time")).to_have_text(re.compile(r"^[1-9][0-2]?:\d\d\s[AP]M$"))
    kay.do("Clock", "Delete")
    expect(kay.page.get_by_role("dialog", name="Delete “Clock” from your inbox?")).to_be_visible()
