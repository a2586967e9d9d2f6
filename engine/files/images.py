"""Pictures: how large they are, small ones of them, and no word of where they were taken."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import ExifTags, Image, ImageOps

from ...protocol.errors import Rejected
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
MAX_FRAMES: Final = 1000
"""Of one that moves and is written anew; they have five times `MAX_PIXELS` together at most."""
_SIDEWAYS: Final = (5, 6, 7, 8)
"""Orientations of which width and height change places. Pillow does that for TIFF itself."""
_COLOURED: Final = ("RGB", "RGBA", "P")
"""Modes whose profile of colours is good for what is made of them, too."""


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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is odd in it: it is only shown
            with _opened(file, mime) as image:
                placeless = _without_place(image, room, mime)
            with _opened(file, mime) as image:  # anew, since of a JPEG less is unpacked for these
                width, height = _upright(image)
                return Seen(width, height, _thumbnails(image, sizes, room), placeless)
    except Rejected:
        raise
    except Exception as error:
        # Decoders raise whatever they meet. What the system refuses has nothing to do with them.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise wrong_type("content", [mime], "the picture cannot be read") from None


def _opened(file: Path, mime: str) -> Image.Image:
    image = Image.open(file, formats=[FORMATS[mime]])
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise wrong_type("content", [mime], f"more than {MAX_PIXELS} pixels")
    return image


def _upright(image: Image.Image) -> tuple[int, int]:
    turned = image.getexif().get(ExifTags.Base.Orientation) in _SIDEWAYS
    return image.size[::-1] if turned and image.format != "TIFF" else image.size


def _thumbnails(image: Image.Image, sizes: Sequence[int], room: Path) -> dict[int, Path]:
    """The largest first and in place, so that no second large one is unpacked."""
    made: dict[int, Path] = {}
    colours = image.info.get("icc_profile") if image.mode in _COLOURED else None
    for size in sorted(sizes, reverse=True):
        image.thumbnail((size, size))
        small = ImageOps.exif_transpose(image)
        if small.mode not in ("RGB", "RGBA"):
            small = small.convert("RGBA" if small.has_transparency_data else "RGB")
        made[size] = room / f"{size}.webp"
        small.save(made[size], "WEBP", quality=80, icc_profile=colours)
    image.load()  # all of it must be there
    return made


def _without_place(image: Image.Image, room: Path, mime: str) -> Path | None:
    """As good as it was, where the format allows that."""
    exif = image.getexif()
    if ExifTags.IFD.GPSInfo not in exif and "xmp" not in image.info:
        return None
    exif.pop(ExifTags.IFD.GPSInfo, None)
    image.info.pop("xmp", None)
    file = room / "placeless"
    colours = image.info.get("icc_profile")
    if mime == "image/jpeg":
        image.format = "JPEG"  # also of one with further pictures behind it, which are left out
        image.save(file, "JPEG", exif=exif, icc_profile=colours, quality="keep")
    else:
        moves = getattr(image, "is_animated", False)
        if moves:
            _check_frames(image, mime)
        image.save(
            file, image.format, exif=exif, icc_profile=colours, save_all=moves, lossless=True
        )
    return file


def _check_frames(image: Image.Image, mime: str) -> None:
    """Looks for one too many only: there may be any number."""
    most = min(MAX_FRAMES, 5 * MAX_PIXELS // (image.width * image.height))
    try:
        image.seek(most)
    except EOFError:
        image.seek(0)
    else:
        raise wrong_type("content", [mime], f"more than {most} frames of that size")
