"""Texts with gaps: `Is {place} still free?` (MSG-30). `{{` and `}}` are braces."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict


def variables(template: str) -> list[str]:
    """The names of its gaps, each once, in order. `ValueError` if it is no template."""
    names = []
    for _, name, form, conversion in Formatter().parse(template):
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            raise ValueError(f"{{{name}}} must be a plain name")
        names.append(name)
    return list(dict.fromkeys(names))


def filled(template: str, values: Mapping[str, str]) -> str:
    """`template` with `values` in its gaps, as they are. `KeyError` names one that is missing."""
    return "".join(
        text + ("" if name is None else values[name])
        for text, name, _, _ in Formatter().parse(template)
    )


def _check(template: str) -> str:
    variables(template)
    return template


Template = Annotated[str, AfterValidator(_check)]


class EventTemplate(BaseModel):
    """How an event of the product's is told (AUTO-01): by a system message of this `text`. If there
    is no conversation to tell it in, it `opens` one of that kind, by this `title` (CONV-27)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Template
    opens: Literal["group", "thread"] | None = None
    title: Template = ""
