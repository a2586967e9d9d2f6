"""The default configuration as a commented TOML file, made from the settings themselves.

What `palaver config` prints. It loads back to the defaults, so that nobody has to guess what a
setting that is left out means; a setting without a default value stands there commented out.
"""

from __future__ import annotations

import inspect
import json
import textwrap
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from .settings import Settings

WIDTH = 88


def default_toml(settings: type[BaseModel] = Settings) -> str:
    """Every setting with its description, as TOML."""
    lines = ["# Every setting of palaver, with its default.", ""]
    sections = []
    for name, field in settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            sections.append((name, section))
        else:
            lines += _setting(name, field)
    for name, section in sections:
        lines += ["", *_section(name, section)]
    return "\n".join(lines) + "\n"


def _section(name: str, section: type[BaseModel]) -> Iterator[str]:
    yield f"[{name}]"
    if summary := inspect.cleandoc(section.__doc__ or "").partition("\n\n")[0]:
        yield from _comment(summary)
    for inner, field in section.model_fields.items():
        yield ""
        yield from _setting(inner, field)


def _setting(name: str, field: FieldInfo) -> Iterator[str]:
    if field.description:
        yield from _comment(field.description)
    if get_origin(field.annotation) is Literal:
        yield from _comment(f"One of: {', '.join(get_args(field.annotation))}")
    default = field.get_default(call_default_factory=True)
    yield f"# {name} =" if default is None else f"{name} = {setting_value(default)}"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(" ".join(text.split()), WIDTH)]


def setting_value(value: Any) -> str:
    """As TOML, which writes these as JSON does."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, list | tuple):
        return f"[{', '.join(setting_value(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {setting_value(item)}' for key, item in value.items())}}}"
    if not isinstance(value, str | int | float):
        raise TypeError(f"a default that TOML has no word for: {value!r}")
    return json.dumps(value, ensure_ascii=False)
