"""The blocks of code on the pages that people read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = [
    ROOT / "README.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("clients/*/README.md")),
]


@dataclass(frozen=True)
class Block:
    """`language` is what stands behind the backquotes; "" for an indented block."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def _blocks(page: Path) -> list[Block]:
    tokens = MarkdownIt("commonmark").enable("table").parse(page.read_text())
    return [
        Block(page, each.map[0] + 1, each.info, each.content)
        for each in tokens
        if each.type in ("fence", "code_block") and each.map is not None
    ]


BLOCKS: Final = [block for page in PAGES for block in _blocks(page)]


def of(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]
