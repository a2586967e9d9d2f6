"""What is wrong with settings, as a sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError


def bad_setting(error: ValidationError, settings: type[BaseModel]) -> str:
    """The first bad setting by its name, and what is allowed; for an unknown one, what was perhaps
    meant."""
    first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] != "extra_forbidden":
        return f"setting {name}: {first['msg'].removeprefix('Value error, ')}"
    nearest = difflib.get_close_matches(name, list(_names(settings)), n=1, cutoff=0.5)
    hint = f" Did you mean {nearest[0]}?" if nearest else ""
    return f"there is no setting {name}.{hint} `palaver config` lists them all."


def _names(settings: Any, prefix: str = "") -> Iterator[str]:
    for name, field in settings.model_fields.items():
        yield prefix + name
        if hasattr(field.annotation, "model_fields"):
            yield from _names(field.annotation, f"{prefix}{name}.")
