"""Pictures are measured, made small, and tell nobody where they were taken."""

import io
from pathlib import Path

import pytest
from PIL import ExifTags, Image, ImageOps
from PIL.ImageCms import ImageCmsProfile, createProfile
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from palaver.engine.files import images
from palaver.engine.files.images import FORMATS, Seen, look_at
from palaver.protocol.errors import Rejected
from palaver.tests.support.samples import picture

PLACE: dict[int, object] = {
    ExifTags.GPS.GPSLatitudeRef: "N",
    ExifTags.GPS.GPSLatitude: (48.0, 12.0, 30.0),
}
SIDEWAYS = 6


def exif(*, place: bool = True, orientation: int = 1) -> Image.Exif:
    made = Image.Exif()
    made[ExifTags.Base.Orientation] = orientation
    made[ExifTags.Base.Make] = "Camera"
    if place:
        made.get_ifd(ExifTags.IFD.GPSInfo).update(PLACE)
    return made


def look(tmp_path: Path, content: bytes, mime: str, sizes: tuple[int, ...] = (300,)) -> Seen:
    file, room = tmp_path / "file", tmp_path / "room"
    file.write_bytes(content)
    room.mkdir(exist_ok=True)
    return look_at(file, mime, sizes, room)


@pytest.mark.parametrize("mime", FORMATS)
def test_ATT_13_small_pictures_are_made(mime: str, tmp_path: Path):
    seen = look(tmp_path, picture(FORMATS[mime], (1000, 500)), mime, (150, 300))
    assert (seen.width, seen.height) == (1000, 500)
    for size, file in seen.thumbnails.items():
        with Image.open(file) as small:
            assert (small.format, small.size) == ("WEBP", (size, size // 2))
            red = small.convert("RGB").getpixel((9, 9))
            assert isinstance(red, tuple)
            assert red[0] > 200 > 50 > red[1]


def test_ATT_13_a_small_picture_is_not_made_larger(tmp_path: Path):
    seen = look(tmp_path, picture(size=(40, 20)), "image/png")
    with Image.open(seen.thumbnails[300]) as small:
        assert small.size == (40, 20)


@pytest.mark.parametrize("mime", ["image/jpeg", "image/png", "image/webp", "image/tiff"])
def test_ATT_16_the_place_is_taken_out(mime: str, tmp_path: Path):
    tags = ImageFileDirectory_v2()
    tags[ExifTags.IFD.GPSInfo] = {int(tag): value for tag, value in PLACE.items()}
    named = {"tiffinfo": tags} if mime == "image/tiff" else {"exif": exif()}
    content = picture(FORMATS[mime], (200, 100), **named)
    with Image.open(io.BytesIO(content)) as image:
        assert image.getexif().get_ifd(ExifTags.IFD.GPSInfo), "it is there to begin with"
    seen = look(tmp_path, content, mime)
    assert seen.placeless is not None
    for file in (seen.placeless, *seen.thumbnails.values()):
        with Image.open(file) as image:
            assert not image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
            assert image.size == (200, 100)
    with Image.open(seen.placeless) as image:
        assert image.format == FORMATS[mime]


@pytest.mark.parametrize("mime", ["image/jpeg", "image/png", "image/webp"])
def test_ATT_16_the_place_in_xmp_is_taken_out(mime: str, tmp_path: Path):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" exif:GPSLatitude="48,12N"/>'
    content = picture(FORMATS[mime], (200, 100), xmp=xmp) if mime != "image/png" else _png(xmp)
    assert b"GPSLatitude" in content
    seen = look(tmp_path, content, mime)
    assert seen.placeless is not None
    assert b"GPSLatitude" not in seen.placeless.read_bytes()


def _png(xmp: bytes) -> bytes:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp.decode())
    return picture("PNG", (200, 100), pnginfo=info)


def test_what_names_no_place_is_served_as_it_came(tmp_path: Path):
    content = picture("JPEG", exif=exif(place=False))
    assert look(tmp_path, content, "image/jpeg").placeless is None
    assert (tmp_path / "file").read_bytes() == content


def test_what_was_taken_sideways_is_measured_upright(tmp_path: Path):
    content = picture("JPEG", (200, 100), exif=exif(orientation=SIDEWAYS))
    seen = look(tmp_path, content, "image/jpeg")
    assert (seen.width, seen.height) == (100, 200)
    with Image.open(seen.thumbnails[300]) as small:
        assert small.size == (100, 200)
    assert seen.placeless is not None
    with Image.open(seen.placeless) as image:
        assert image.getexif()[ExifTags.Base.Orientation] == SIDEWAYS


@pytest.mark.parametrize("mime", FORMATS)
def test_ATT_07_what_is_cut_off_is_no_picture(mime: str, tmp_path: Path):
    content = picture(FORMATS[mime], (500, 500))
    with pytest.raises(Rejected) as no:
        look(tmp_path, content[: len(content) // 3], mime)
    assert no.value.code == "INVALID_FILE_TYPE"


def test_a_picture_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(images, "MAX_PIXELS", 100 * 100)
    with pytest.raises(Rejected) as no:
        look(tmp_path, picture(size=(101, 100)), "image/png")
    assert no.value.code == "INVALID_FILE_TYPE"
    look(tmp_path, picture(size=(100, 100)), "image/png")


def test_of_a_large_picture_only_small_copies_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    copied: list[int] = []
    really = ImageOps.exif_transpose

    def turned(image: Image.Image) -> Image.Image:
        copied.append(max(image.size))
        return really(image)

    monkeypatch.setattr(ImageOps, "exif_transpose", turned)
    seen = look(tmp_path, picture(size=(2000, 1000)), "image/png", (150, 600, 300))
    assert list(seen.thumbnails) == [600, 300, 150]
    assert copied == [600, 300, 150]


@pytest.mark.parametrize("mime", ["image/jpeg", "image/webp"])
def test_colours_stay_as_they_were(mime: str, tmp_path: Path):
    profile = ImageCmsProfile(createProfile("sRGB")).tobytes()
    content = picture(FORMATS[mime], (200, 100), exif=exif(), icc_profile=profile)
    seen = look(tmp_path, content, mime)
    assert seen.placeless is not None
    for file in (seen.placeless, *seen.thumbnails.values()):
        with Image.open(file) as image:
            assert image.info["icc_profile"] == profile


def test_ATT_16_of_a_jpeg_with_pictures_behind_it_the_first_stays_as_good_as_it_was(tmp_path: Path):
    """Telephones put a preview there, which names the place, too."""
    second = Image.new("RGB", (200, 100), "blue")
    content = picture(
        "MPO", (200, 100), save_all=True, append_images=[second], exif=exif(), quality=98
    )
    seen = look(tmp_path, content, "image/jpeg")
    assert seen.placeless is not None
    with Image.open(io.BytesIO(content)) as before, Image.open(seen.placeless) as after:
        assert (before.format, after.format) == ("MPO", "JPEG")
        assert after.quantization == before.quantization  # type: ignore[attr-defined]


def test_a_tiff_that_was_taken_sideways_is_measured_upright(tmp_path: Path):
    content = picture("TIFF", (200, 100), exif=exif(orientation=SIDEWAYS))
    seen = look(tmp_path, content, "image/tiff")
    with Image.open(seen.thumbnails[300]) as small:
        assert (seen.width, seen.height) == small.size == (100, 200)


def test_what_moves_and_names_a_place_has_so_many_frames_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    frames = [Image.new("RGB", (40, 20), colour) for colour in ("blue", "green")]
    content = picture("WEBP", save_all=True, append_images=frames, exif=exif())
    seen = look(tmp_path, content, "image/webp")
    assert seen.placeless is not None
    with Image.open(seen.placeless) as image:
        assert image.n_frames == 3  # type: ignore[attr-defined]
    monkeypatch.setattr(images, "MAX_FRAMES", 2)
    with pytest.raises(Rejected, match="frames"):
        look(tmp_path, content, "image/webp")


def test_whatever_a_decoder_raises_is_told_of_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object, **__: object) -> Image.Image:
        raise RuntimeError("WebPEncodingError: 5")

    monkeypatch.setattr(Image, "open", broken)
    with pytest.raises(Rejected) as no:
        look(tmp_path, picture(), "image/png")
    assert no.value.code == "INVALID_FILE_TYPE"


def test_where_nothing_can_be_written_the_picture_is_not_to_blame(tmp_path: Path):
    file = tmp_path / "file"
    file.write_bytes(picture())
    with pytest.raises(FileNotFoundError):
        look_at(file, "image/png", (300,), tmp_path / "nowhere")
