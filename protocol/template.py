"""Texts with gaps: `Is {place} still free?` (MSG-30). `{{` and `}}` are braces."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter


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
