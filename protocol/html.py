"""A text of a message as HTML that is safe to show, for hosts that must (mails, pages) (MSG-02).

The engine serves texts as they were sent, as data; what makes them dangerous is showing them as
HTML. So whoever does that escapes a plain text, and renders a Markdown one without raw HTML and
cleans the result. This is that rule, carried out.
"""

from __future__ import annotations

import html

import nh3
from markdown_it import MarkdownIt

# No images: to show one from elsewhere tells that place who reads what, and when.
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable("image")

_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_TAGS = _HEADINGS | {
    "a",
    "blockquote",
    "br",
    "code",
    "em",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "ul",
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}


def to_html(text: str, format: str | None = None) -> str:
    """`text` as HTML without scripts, styles, images or links other than to the web and to mail.

    `format` is that of the message: None for a plain one. Nothing of the text is lost: raw HTML in
    it shows as what was typed.
    """
    if format != "markdown":
        return html.escape(text).replace("\n", "<br>\n")
    rendered = _MARKDOWN.render(text)
    return nh3.clean(
        rendered,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        attribute_filter=_absolute,
    )


def _absolute(tag: str, name: str, value: str) -> str | None:
    """Without a scheme a link leads to wherever the text is shown: it is none."""
    scheme, colon, _ = value.partition(":")
    return value if name != "href" or (colon and scheme.lower() in _SCHEMES) else None
