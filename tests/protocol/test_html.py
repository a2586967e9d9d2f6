"""Texts as HTML: what is hostile shows as what was typed, and does nothing (MSG-02, SEC-07)."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.protocol.html import to_html

HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    '[x](https://a.org "onclick=alert(1)")',
    '[x](https://a.org"onmouseover="alert(1))',
    "![x](https://tracker.example/pixel.png)",
    "<https://a.org/onmouseover=alert(1)>",
    "<javascript:alert(1)>",
    "<style>*{display:none}</style>",
    "<iframe src=https://evil.example></iframe>",
    "<!--<script>--><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "```html\n<script>alert(1)</script>\n```",
    "`<script>alert(1)</script>`",
    "<math><mi//xlink:href='data:x,<script>alert(4)</script>'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "[r]: javascript:alert(1)\n[r]",
    "\x00<script\x00>",
    "<details open ontoggle=alert(1)>",
    "<form action=javascript:alert(1)><button>x",
]
TAGS = {"a", "blockquote", "br", "code", "em", "hr", "li", "ol", "p", "pre", "strong", "ul"}
TAGS |= {"h1", "h2", "h3", "h4", "h5", "h6"}


class Seen(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.attributes: list[tuple[str, str]] = []
        self.tags: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError("a declaration")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError("a declaration")


def is_harmless(html: str) -> bool:
    seen = Seen(html)
    links = [value for name, value in seen.attributes if name == "href"]
    return (
        seen.tags <= TAGS
        and {name for name, _ in seen.attributes} <= {"href", "title", "rel", "start"}
        and all(link.startswith(("http://", "https://", "mailto:")) for link in links)
    )


@pytest.mark.parametrize("format", [None, "markdown"])
@pytest.mark.parametrize("text", HOSTILE)
def test_SEC_07_hostile_text_does_nothing(text: str, format: str | None):
    html = to_html(text, format)
    assert is_harmless(html)
    assert "alert(1)" not in text or "alert(1)" in html, "nothing of it is lost"


@given(
    st.lists(st.sampled_from([*HOSTILE, "<", ">", '"', "[", "](", ")", "`", "\n", "a"])).map(
        "".join
    )
)
def test_SEC_07_nor_does_any_mixture_of_it(text: str):
    assert is_harmless(to_html(text, "markdown"))
    plain = Seen(to_html(text))
    assert plain.tags <= {"br"}


@pytest.mark.parametrize("target", ["", "/admin", "//evil.example", "?x", "#top", "a/b:c"])
def test_SEC_07_what_leads_nowhere_is_no_link(target: str):
    html = to_html(f"[here]({target})", "markdown")
    assert "here" in html
    assert [name for name, _ in Seen(html).attributes if name == "href"] == []


def test_MSG_02_markdown_is_kept():
    html = to_html(
        "# Hi\n\n**bold** _it_ `a < b`\n> said\n\n- [x](https://a.org/?a=1&b=2)", "markdown"
    )
    assert {"h1", "strong", "em", "code", "blockquote", "ul", "li", "a"} <= Seen(html).tags
    assert 'href="https://a.org/?a=1&amp;b=2"' in html
    assert "noopener" in html


def test_MSG_02_a_plain_text_shows_as_it_is():
    text = "**not bold** <b>nor this</b> & that\nnext"
    seen = Seen(to_html(text))
    assert seen.tags == {"br"}
    assert seen.text.replace("\n", "") == text.replace("\n", "")
