"""Where a link begins and where it ends (MSG-27)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.protocol.entities import links


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://example.org", ["https://example.org"]),
        ("HTTPS://example.org", ["HTTPS://example.org"]),
        ("http://localhost:8000/x", ["http://localhost:8000/x"]),
        ("see www.example.org, ok", ["www.example.org"]),
        ("https://a.org/?q=1&r=%20#x-y_z", ["https://a.org/?q=1&r=%20#x-y_z"]),
        ("https://a.org, https://b.org; (https://c.org).", ["https://a.org", "https://b.org"]),
        ("https://en.wikipedia.org/wiki/X_(Y)", ["https://en.wikipedia.org/wiki/X_(Y)"]),
        ("(https://a.org/X_(Y)).", ["https://a.org/X_(Y)"]),
        ("[text](https://a.org/b)", ["https://a.org/b"]),
        ("**https://a.org** ~~https://b.org~~", ["https://a.org", "https://b.org"]),
        ("<https://a.org> \"https://b.org\" 'https://c.org'", ["https://a.org", "https://b.org"]),
        ("https://a.org?x[]=1 [https://b.org]", ["https://a.org?x[]=1", "https://b.org"]),
        ("https://例え.テスト/あ、次", ["https://例え.テスト/あ"]),
        ("看https://a.org", ["https://a.org"]),
        ("https://a.org/\u202egpj.exe", ["https://a.org/"]),
        ("https://a.org|https://b.org", ["https://a.org", "https://b.org"]),
        ("https://a.org/#", ["https://a.org/#"]),
        ("javascript:alert(1) ftp://a.b //a.org data:x mailto:a@b.c a@www.b.c", []),
        ("https:// http://) www. www.) xhttps://a.org 1www.a.org", []),
        ("e.g. this, README.md, 3.5, v1.2.3", []),
        ("", []),
    ],
)
def test_MSG_27_links_in_a_text(text: str, found: list[str]):
    entities = links(text, 2) or []
    assert [text[e["offset"] : e["offset"] + e["length"]] for e in entities] == found
    for entity in entities:
        assert entity["kind"] == "link"
        assert entity["url"].lower().startswith(("https://", "http://"))


@given(st.text(st.sampled_from("wW.htps:/()[]*_?'ä a@1\n"), max_size=60), st.integers(0, 3))
def test_MSG_27_entities_lie_within_the_text_in_order_and_apart(text: str, most: int):
    text = text.replace("h", "https://")
    end = 0
    entities = links(text, most)
    assert entities is None or 0 < len(entities) <= most
    for entity in entities or []:
        assert end <= entity["offset"]
        end = entity["offset"] + entity["length"]
        assert end <= len(text)
        assert entity["url"].endswith(text[entity["offset"] : end])


HOSTILE = [
    "http://",
    "www.",
    "https://a",
    "https://a.b/))))",
    "https://a.b/((((",
    "a.com|",
    "http://a.com/a--^www.",
    "@a",
    "https://a@",
    "]",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_MSG_27_a_long_text_is_looked_through_in_one_pass(piece: str):
    """Looking at what follows again for each beginning of a link, it would not end today."""
    text = "https://a.b/" + piece * (200_000 // len(piece))
    assert links(text, 1_000_000) is not None
