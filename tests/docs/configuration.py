"""docs/configuration.md: every setting, made from the settings themselves like `palaver config`.

`make configuration` writes it; a test says if it is not current.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from palaver.engine.default_config import setting_value
from palaver.engine.settings import Settings

PAGE: Final = Path(__file__).parents[2] / "docs/configuration.md"

HEAD: Final = """\
# Every setting

<!-- Made by `make configuration` from the settings; not to be edited. -->

The same as a TOML file to start from: `palaver config > palaver.toml`, then
`palaver serve --config palaver.toml`. The environment overrides the file
(`PALAVER_POLICY__MAX_CHARS=1000`), flags of `palaver serve` override both, and below all of them
lies a [profile](profiles.md). Embedded, a section is an argument:
`Settings(policy={"max_chars": 1000})`. Unknown names are errors. Times are in seconds and sizes in
bytes unless a name says otherwise.
"""


def page() -> str:
    return "\n".join([HEAD, *_lines()]) + "\n"


def _lines() -> Iterator[str]:
    sections: list[tuple[str, type[BaseModel]]] = []
    plain: list[tuple[str, FieldInfo]] = []
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            sections.append((name, section))
        else:
            plain.append((name, field))
    yield from _table(plain)
    for name, section in sections:
        yield f"## {name}\n"
        if summary := inspect.cleandoc(section.__doc__ or "").partition("\n\n")[0]:
            yield " ".join(summary.split()) + "\n"
        yield from _table(list(section.model_fields.items()))


def _table(fields: list[tuple[str, FieldInfo]]) -> Iterator[str]:
    yield "| setting | default | |\n|---|---|---|"
    for name, field in fields:
        default = field.get_default(call_default_factory=True)
        shown = "" if default is None else f"`{setting_value(default)}`"
        told = [" ".join(field.description.split())] if field.description else []
        if values := values_of(field.annotation):
            told.append(f"One of {', '.join(f'`{value}`' for value in values)}")
        about = ". ".join(told)
        yield (
            "| "
            + " | ".join(text.replace("|", "\\|") for text in (f"`{name}`", shown, about))
            + " |"
        )
    yield ""


def values_of(annotation: Any) -> tuple[Any, ...]:
    """Those of a choice, also of one that may be left out."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return tuple(annotation)
    if get_origin(annotation) is types.UnionType:
        return next((found for each in get_args(annotation) if (found := values_of(each))), ())
    return ()


if __name__ == "__main__":
    PAGE.write_text(page())
