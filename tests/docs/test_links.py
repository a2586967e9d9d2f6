"""The pages lead to one another, and the site has all of them."""

import re
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from palaver.tests.docs.blocks import PAGES, ROOT


def anchors(page: Path) -> set[str]:
    """Of headings, as both GitHub and the site make them, and those that are set."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    slugs = {
        re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", re.sub(r"<.*?>", "", each)).strip().lower())
        for each in headings
    }
    return slugs | set(re.findall(r'<a id="(.*?)">', text))


ANCHORS = {page: anchors(page) for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), target
        assert not anchor or anchor in ANCHORS[place], target


def test_every_page_is_in_the_menu_of_the_site():
    menu = re.findall(r"[\w-]+\.md", str(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    assert sorted(menu) == sorted(page.name for page in PAGES if page.parent.name == "docs")
