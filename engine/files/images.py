"""Pictures: how large they are, small ones of them, and no word of where they were taken."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import ExifTags, Image, ImageOps

from ...protocol.uploads import wrong_type

FORMATS: Final = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
}
MAX_PIXELS: Final = 100_000_000
"""Of one that is unpacked; a few bytes may claim any number."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The size in pixels, as it is to be shown; the small pictures, by their longer sides; and the
    picture itself anew, if it named the place where it was taken."""

    width: int
    height: int
    thumbnails: dict[int, Path]
    placeless: Path | None


def look_at(file: Path, mime: str, sizes: Sequence[int], room: Path) -> Seen:
    """The picture in `file`. What is made of it is in the directory `room`: thumbnails (ATT-13),
    and the same without the place where it was taken (ATT-16). INVALID_FILE_TYPE if there is no
    picture. Call it in a thread."""
    try:
        with warnings.catch_warnings(), Image.open(file, formats=[FORMATS[mime]]) as image:
            warnings.simplefilter("ignore")  # of what is odd in it: it is only shown
            if image.width * image.height > MAX_PIXELS:
                raise wrong_type("content", [mime], f"more than {MAX_PIXELS} pixels")
            upright = ImageOps.exif_transpose(image)
            thumbnails = {size: _thumbnail(upright, size, room) for size in sizes}
            return Seen(upright.width, upright.height, thumbnails, _without_place(image, room))
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        raise wrong_type("content", [mime], "the picture cannot be read") from None


def _thumbnail(image: Image.Image, size: int, room: Path) -> Path:
    small = image.copy()
    small.thumbnail((size, size))
    if small.mode not in ("RGB", "RGBA"):
        small = small.convert("RGBA" if small.has_transparency_data else "RGB")
    file = room / f"{size}.webp"
    small.save(file, "WEBP", quality=80)
    return file


def _without_place(image: Image.Image, room: Path) -> Path | None:
    """As good as it was, where the format allows that."""
    exif = image.getexif()
    if ExifTags.IFD.GPSInfo not in exif and "xmp" not in image.info:
        return None
    exif.pop(ExifTags.IFD.GPSInfo, None)
    image.info.pop("xmp", None)
    same = {"quality": "keep"} if image.format == "JPEG" else {"lossless": True}
    file = room / "placeless"
    image.save(file, image.format, exif=exif, save_all=getattr(image, "is_animated", False), **same)
    return file
