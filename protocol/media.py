"""What the metadata of a message of a given type must say (MSG-01, MSG-22, MSG-29).

Only the fields named here are looked at: others are the product's own and stay as they are. All of
it is kept as it was sent. The bytes themselves are elsewhere, at `url`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from .commands import bad_field
from .errors import invalid

Url = Annotated[str, StringConstraints(max_length=2048, pattern=r"^(?i:https?)://[^\s<>\"\\]+$")]
"""Absolute, by HTTP: a client may follow it, so `javascript:` and the like must not get in."""

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Pixels = Annotated[int, Field(ge=1, le=100_000)]


class _Medium(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True, hide_input_in_errors=True)

    url: Url | None = None


class _Document(_Medium):
    name: str | None = Field(default=None, min_length=1, max_length=255)
    mime: str | None = Field(default=None, max_length=127, pattern=r"^[\w.+-]+/[\w.+-]+$")
    size: int | None = Field(default=None, ge=0, description="bytes")


class Image(_Document):
    width: Pixels | None = None
    height: Pixels | None = None


class Video(Image):
    duration_s: Seconds | None = None


class Voice(_Document):
    """`waveform`: loudness from 0 to 255 at even distances, for the picture of it."""

    duration_s: Seconds
    waveform: list[Annotated[int, Field(ge=0, le=255)]] | None = Field(
        default=None, min_length=1, max_length=256
    )


class File(_Document):
    name: str = Field(min_length=1, max_length=255)


class Linked(_Medium):
    url: Url
    kind: Literal["image", "video", "voice", "file"]


class Media(_Medium):
    """Several at once."""

    urls: list[Linked] = Field(min_length=1, max_length=10)


MEDIA: Mapping[str, type[BaseModel]] = {
    "media": Media,
    "image": Image,
    "voice": Voice,
    "video": Video,
    "file": File,
}


def check_medium(type: str, metadata: dict[str, Any] | None) -> None:
    """`metadata` says what a message of this type has to say; else VALIDATION_FAILED, which names
    the field inside of it."""
    if not metadata:
        raise invalid("metadata", f"must say what this message of type {type} shows")
    try:
        MEDIA[type].model_validate(metadata)
    except ValidationError as error:
        raise bad_field(error, "metadata") from None
