"""Links in a text, marked, so that a client need not look for them (MSG-27).

The rule is that of GitHub's Markdown (its «autolinks»): `http://`, `https://` or `www.`, and
whatever may stand in a URL, without the punctuation behind it. One pass, in linear time: this runs
where a message is decided, while the whole conversation waits.
"""

from __future__ import annotations

import re
from typing import Any

_LINK = re.compile(r"(?<![A-Za-z0-9@/.-])(?:(?i:https?)://|www\.)\w[\w\-.~:/?#\[\]@!$&'()*+,;=%]*")
"""The characters of RFC 3986, and letters of all languages (RFC 3987)."""

_BEHIND = "?!.,:;*_~'"
"""Belongs to the sentence, or marks the link as bold: not to the link if nothing follows."""


def links(text: str, most: int) -> list[dict[str, Any]] | None:
    """The first `most` links of `text`, in order; `offset` and `length` are in characters, that is
    in Unicode code points. None if there are none."""
    if "://" not in text and "www." not in text:  # nearly always
        return None
    found: list[dict[str, Any]] = []
    for match in _LINK.finditer(text):
        if len(found) == most:
            break
        link = _without_punctuation(match[0])
        url = f"http://{link}" if link.startswith("www.") else link
        found.append({"kind": "link", "offset": match.start(), "length": len(link), "url": url})
    return found or None


def _without_punctuation(link: str) -> str:
    """Without what comes after it: closing brackets, too, as far as it does not open them."""
    surplus = {")": link.count(")") - link.count("("), "]": link.count("]") - link.count("[")}
    end = len(link)
    while True:
        last = link[end - 1]
        if surplus.get(last, 0) > 0:
            surplus[last] -= 1
        elif last not in _BEHIND:
            return link[:end]
        end -= 1
