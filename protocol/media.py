"""What a message shows besides its text: by its type (MSG-01, MSG-22, MSG-29), and by attachments
(ATT-04, ATT-20, ATT-27, ATT-29). The bytes themselves are elsewhere, at `url`.

Of the metadata that a type asks for only the fields named here are looked at: others are the
product's own and stay as they are. All of it is kept as it was sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from .commands import bad_field
from .errors import Rejected, invalid
from .policy import AttachmentType, Policy
from .uploads import PATH, Upload

Url = Annotated[str, StringConstraints(max_length=2048, pattern=r"^(?i:https?)://[^\s<>\"\\]+$")]
"""Absolute, by HTTP: a client may follow it, so `javascript:` and the like must not get in."""

Location = Annotated[
    str,
    StringConstraints(
        max_length=2048,
        pattern=r"^(?:(?i:https)://|/)[^/\s\x00-\x1f\x7f<>\"\\][^\s\x00-\x1f\x7f<>\"\\]*$",
    ),
]
"""By HTTPS, or a path where the product itself is served."""

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Pixels = Annotated[int, Field(ge=1, le=100_000)]
Waveform = Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(min_length=1, max_length=256)]


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
    waveform: Waveform | None = None


class File(_Document):
    name: str = Field(min_length=1, max_length=255)


class Linked(_Medium):
    url: Url
    kind: AttachmentType


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


class Poll(BaseModel):
    """What can be voted for (MSG-21). The question is the text of the message."""

    model_config = ConfigDict(extra="allow", strict=True, hide_input_in_errors=True)

    options: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        min_length=2, max_length=12
    )

    @field_validator("options")
    @classmethod
    def _differ(cls, options: list[str]) -> list[str]:
        if len({*options}) < len(options):
            raise ValueError("must differ from each other")
        return options


FORMS: Mapping[str, type[BaseModel]] = {**MEDIA, "poll": Poll}
"""What the metadata of a message must say, by its type."""


def check_form(type: str, metadata: dict[str, Any] | None, *, attached: bool) -> None:
    """`metadata` says what a message of this type has to say; else VALIDATION_FAILED, which names
    the field inside of it. What shows media may have them `attached` instead."""
    if not metadata:
        if attached and type in MEDIA:
            return
        raise invalid("metadata", f"must say what this message of type {type} shows")
    try:
        FORMS[type].model_validate(metadata)
    except ValidationError as error:
        raise bad_field(error, "metadata") from None


class Attachment(Video):
    """One of those that hang on a message of any type: where it lies, and what a client needs to
    show it before it is loaded. `waveform` is that of a voice; `thumbnail_url` leads to a small
    picture of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: AttachmentType
    url: Location
    thumbnail_url: Location | None = None
    waveform: Waveform | None = None


def attached(
    attachments: Sequence[Attachment], uploads: Sequence[Upload], policy: Policy
) -> list[dict[str, Any]]:
    """`attachments` and then `uploads` as their message holds them, if the product takes them and
    they are ready."""
    if len(attachments) + len(uploads) > policy.max_attachments:
        field = "attachments" if attachments else "uploads"
        raise invalid(field, f"at most {policy.max_attachments}")
    for index, each in enumerate(attachments):
        _check_attachment(each, f"attachments.{index}", policy)
    sent = [each.model_dump(exclude_none=True) for each in attachments]
    return sent + [each.attachment() for each in uploads]


def _check_attachment(attachment: Attachment, field: str, policy: Policy) -> None:
    limit = policy.attachment_limits.get(attachment.type)
    if limit is None:
        allowed = list(policy.attachment_limits)
        raise Rejected("INVALID_FILE_TYPE", details={"field": f"{field}.type", "allowed": allowed})
    if attachment.size is not None and attachment.size > limit:
        raise Rejected(
            "ATTACHMENT_TOO_LARGE", details={"field": f"{field}.size", "max_bytes": limit}
        )
    for name in ("url", "thumbnail_url"):
        url: str | None = getattr(attachment, name)
        if url is not None and not url.startswith("/") and not policy.external_attachments:
            raise invalid(f"{field}.{name}", "must be a path of this product")
        if url is not None and url.startswith(PATH):
            raise invalid(f"{field}.{name}", "name files of this server in uploads")


def shown(sent: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All that a message with the payload `sent` shows, in order: what its type says, as far as it
    is known here, then its attachments (GRP-12)."""
    found: list[Mapping[str, Any]] = []
    type: str = sent.get("type", "text")
    metadata: dict[str, Any] | None = sent.get("metadata")
    if type == "media" and metadata:
        found += [{"type": each["kind"], "url": each["url"]} for each in metadata["urls"]]
    elif type in MEDIA and metadata:
        known = MEDIA[type].model_fields.keys() & metadata.keys()
        found.append({"type": type, **{name: metadata[name] for name in known}})
    found += sent.get("attachments", ())
    return found
