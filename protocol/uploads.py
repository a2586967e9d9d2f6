"""Files that wait to be sent, or were: announced, then filled, then looked at, then ready (ATT-01).

    announced ──bytes──▶ (its blob) ──completed──▶ ready: messages may have it

What may be uploaded the policy says; what a file really is, whoever looked at its content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pathvalidate import sanitize_filename

from .errors import Rejected, invalid
from .immutable import immutable
from .policy import AttachmentType, Policy

PATH: Final = "/v1/files/"
"""Under it files are served; no product has anything else there."""
MAX_NAME_CHARS: Final = 255
_FILE: Final = re.compile(re.escape(PATH) + r"([0-9a-f-]{36})(?:/([0-9]{1,4}))?")

EXTENSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/png": ("png",),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "image/svg+xml": ("svg",),
    "image/bmp": ("bmp", "dib"),
    "image/tiff": ("tif", "tiff"),
    "audio/mpeg": ("mp3", "mpga"),
    "audio/wav": ("wav",),
    "audio/ogg": ("ogg", "oga", "opus"),
    "audio/mp4": ("m4a", "mp4"),
    "audio/aac": ("aac",),
    "audio/webm": ("webm", "weba"),
    "video/mp4": ("mp4", "m4v"),
    "video/mpeg": ("mpg", "mpeg"),
    "video/quicktime": ("mov", "qt"),
    "video/webm": ("webm",),
    "video/x-msvideo": ("avi",),
    "video/3gpp": ("3gp",),
    "application/pdf": ("pdf",),
    "application/msword": ("doc",),
    "application/vnd.ms-excel": ("xls",),
    "application/vnd.ms-powerpoint": ("ppt",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("docx",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("xlsx",),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("pptx",),
    "text/plain": ("txt", "text", "log", "md"),
    "text/csv": ("csv",),
}
"""The media types that are known, with the endings that their files have (ATT-06)."""


@immutable
class Content:
    """What was found in a file, of which `size` bytes are kept. `width` and `height` in pixels;
    `thumbnails` are the longer sides of the small pictures that there are of it."""

    size: int
    sha256: bytes
    width: int | None = None
    height: int | None = None
    thumbnails: tuple[int, ...] = ()


@immutable
class Upload:
    """A file of `owner`, `size` bytes of the media type `mime`. `name` is safe anywhere,
    `original_name` is what it was called where it came from. `content` None: it is not ready."""

    id: str
    owner: str
    type: AttachmentType
    mime: str
    size: int
    name: str
    original_name: str
    created_at: int
    content: Content | None = None

    def attachment(self) -> dict[str, Any]:
        """As a message has it. Raises ATTACHMENT_NOT_READY."""
        content = self.content
        if content is None:
            raise Rejected("ATTACHMENT_NOT_READY", details={"upload": self.id})
        said = {
            "type": self.type,
            "url": PATH + self.id,
            "thumbnail_url": thumbnail_path(self.id, content.thumbnails),
            "name": self.name,
            "mime": self.mime,
            "size": content.size,
            "width": content.width,
            "height": content.height,
        }
        return {name: value for name, value in said.items() if value is not None}


def announced(
    id: str, owner: str, name: str, mime: str, size: int, now: int, policy: Policy
) -> Upload:
    """An upload that the product allows; else INVALID_FILE_TYPE with what is `allowed`,
    ATTACHMENT_TOO_LARGE with `max_bytes`, or VALIDATION_FAILED (ATT-05, 06, 07)."""
    type = _type_of(mime, policy)
    safe = safe_name(name)
    ending = safe.rpartition(".")[2].lower() if "." in safe else ""
    endings = EXTENSIONS.get(mime, ())  # none are known of a type that a product has added
    if endings and ending and ending not in endings:
        raise wrong_type("name", endings, f"a file of type {mime} is not called so")
    limit = policy.attachment_limits[type]
    if size > limit:
        raise too_large("size", limit)
    return Upload(id, owner, type, mime, size, safe, name, now)


def _type_of(mime: str, policy: Policy) -> AttachmentType:
    for type, mimes in policy.attachment_types.items():
        if mime in mimes and type in policy.attachment_limits:
            return type
    allowed = [
        each
        for type, mimes in policy.attachment_types.items()
        if type in policy.attachment_limits
        for each in mimes
    ]
    raise wrong_type("mime", allowed)


def wrong_type(field: str, allowed: object, problem: str | None = None) -> Rejected:
    """INVALID_FILE_TYPE, with what would be `allowed` in its place."""
    details = {"field": field, "allowed": list(allowed)}  # type: ignore[call-overload]
    return Rejected("INVALID_FILE_TYPE", problem and f"{field}: {problem}", details=details)


def too_large(field: str, max_bytes: int) -> Rejected:
    return Rejected("ATTACHMENT_TOO_LARGE", details={"field": field, "max_bytes": max_bytes})


def safe_name(original: str) -> str:
    """`original` without what means something to a file system, a shell or a header (ATT-08)."""
    name = sanitize_filename(
        original.replace("\\", "/").rpartition("/")[2], platform="universal", max_len=MAX_NAME_CHARS
    )
    name = name.strip(" .")
    if not name:
        raise invalid("name", "nothing is left of it that a file may be called")
    return name


def thumbnail_path(id: str, sizes: tuple[int, ...]) -> str | None:
    """The middle one of the small pictures: what a list of messages shows."""
    return f"{PATH}{id}/{sizes[len(sizes) // 2]}" if sizes else None


def served_here(url: str) -> tuple[str, int | None] | None:
    """The upload that `url` is of, and the size of the thumbnail that it is; None if it is none."""
    match = _FILE.fullmatch(url)
    return (match[1], match[2] and int(match[2])) if match else None  # type: ignore[return-value]
