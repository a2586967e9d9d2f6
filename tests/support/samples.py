"""The beginnings of files, one of each media type that can be uploaded, and of some that cannot."""

import io
import wave
import zipfile
from collections.abc import Mapping
from typing import Any

from PIL import Image

_OFFICE = "application/vnd.openxmlformats-officedocument."


def picture(format: str = "PNG", size: tuple[int, int] = (40, 20), **options: Any) -> bytes:
    """A red one."""
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, format, **options)
    return out.getvalue()


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, "<x/>")
    return out.getvalue()


def office(part: str) -> bytes:
    return archive("[Content_Types].xml", "_rels/.rels", part)


def sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(800))
    return out.getvalue()


def brand(name: bytes) -> bytes:
    """An MPEG-4 container."""
    return b"\0\0\0\x18ftyp" + name + b"\0\0\0\0" + name + b"isom" + bytes(100)


WEBM = bytes.fromhex("1a45dfa3 9f 428681 01 42f781 01 42f281 04 42f381 08 428284") + b"webm"
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1000)

SAMPLES: Mapping[str, bytes] = {
    "image/jpeg": picture("JPEG"),
    "image/png": picture("PNG"),
    "image/gif": picture("GIF"),
    "image/webp": picture("WEBP"),
    "image/bmp": picture("BMP"),
    "image/tiff": picture("TIFF"),
    "image/svg+xml": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "audio/mpeg": b"ID3\x03\0\0\0\0\0\0" + bytes(100),
    "audio/wav": sound(),
    "audio/ogg": b"OggS\0\x02" + bytes(20) + b"\x01\x13OpusHead" + bytes(50),
    "audio/mp4": brand(b"M4A "),
    "audio/aac": b"\xff\xf1P\x80\0" + bytes(50),
    "audio/webm": WEBM + bytes(100),
    "video/mp4": brand(b"mp42"),
    "video/mpeg": b"\0\0\x01\xba" + bytes(50),
    "video/quicktime": b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(50),
    "video/webm": WEBM + bytes(100),
    "video/x-msvideo": b"RIFF\x24\0\0\0AVI LIST" + bytes(50),
    "video/3gpp": brand(b"3gp4"),
    "application/pdf": b"%PDF-1.4\n%\xe2\xe3\n1 0 obj\n",
    "application/msword": OLE,
    "application/vnd.ms-excel": OLE,
    "application/vnd.ms-powerpoint": OLE,
    _OFFICE + "wordprocessingml.document": office("word/document.xml"),
    _OFFICE + "spreadsheetml.sheet": office("xl/workbook.xml"),
    _OFFICE + "presentationml.presentation": office("ppt/presentation.xml"),
    "text/plain": "grüße, 世界\n".encode(),
    "text/csv": b"\xef\xbb\xbfa,b\n1,2\n",
}
EXE = b"MZ\x90\0" + bytes(200)
ELF = b"\x7fELF\x02\x01\x01" + bytes(200)
HTML = b"<!doctype html><script>alert(1)</script>"
