"""Whether a file is what it is said to be, by its first bytes (ATT-07)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import filetype  # type: ignore[import-untyped]

from ...protocol.uploads import wrong_type

_ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    "audio/x-wav": ("audio/wav",),
    "audio/mp4": ("video/mp4",),
    "video/mp4": ("audio/mp4", "video/3gpp"),
    "video/x-m4v": ("video/mp4",),
    "video/webm": ("audio/webm",),
}
"""What else may lie in a container that looks like this."""
_OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_OLD_OFFICE: Final = (
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
)
_TEXTS: Final = ("text/plain", "text/csv", "image/svg+xml")


def check_content(file: Path, mime: str) -> None:
    """INVALID_FILE_TYPE unless `file` may well be of the media type `mime`. Reads the whole file if
    that is a text: call it in a thread."""
    found = filetype.guess_mime(str(file))
    if found is None and mime in _OLD_OFFICE:
        with file.open("rb") as content:
            found = mime if content.read(len(_OLE)) == _OLE else None
    if found is None and mime in _TEXTS:
        found = mime if _is_text(file, mime) else None
    if found != mime and mime not in _ALSO.get(found or "", ()):
        problem = f"the content is {found}" if found else f"the content is not {mime}"
        raise wrong_type("content", [mime], problem)


def _is_text(file: Path, mime: str) -> bool:
    try:
        with file.open(encoding="utf-8-sig") as text:
            start = text.read(4096)
            rest = start
            while rest and "\0" not in rest:
                rest = text.read(1_048_576)
    except UnicodeDecodeError:
        return False
    return not rest and (mime != "image/svg+xml" or "<svg" in start)
