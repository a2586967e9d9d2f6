"""What the site of the docs needs besides Markdown; hooks of mkdocs."""

import re
from pathlib import Path
from typing import Any

OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./[^)]*\)")
HOME = "getting-started"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Without links to sources, which the site does not have."""
    return OUTSIDE.sub(r"\1", markdown)


def on_post_build(config: Any) -> None:
    """The site begins with its first page."""
    page = f'<!doctype html><meta http-equiv="refresh" content="0; url={HOME}.html">'
    Path(config["site_dir"], "index.html").write_text(page)
