"""A file is what it is said to be, or is refused."""

from pathlib import Path

import pytest

from palaver.engine.files.content import check_content
from palaver.protocol.errors import Rejected
from palaver.protocol.uploads import EXTENSIONS
from palaver.tests.support.samples import ELF, EXE, HTML, SAMPLES, archive


def test_there_is_a_sample_of_every_type():
    assert {*SAMPLES} == {*EXTENSIONS}


@pytest.mark.parametrize("mime", SAMPLES)
def test_ATT_06_it_is_what_it_is_said_to_be(mime: str, tmp_path: Path):
    file = tmp_path / "file"
    file.write_bytes(SAMPLES[mime])
    check_content(file, mime)


@pytest.mark.parametrize("mime", SAMPLES)
@pytest.mark.parametrize(
    "content",
    [EXE, ELF, archive("a.txt"), bytes(100), b"\xff\xfe\x00", b""],
    ids=["exe", "elf", "zip", "zeros", "bytes", "empty"],
)
def test_ATT_07_what_it_is_not_is_refused(mime: str, content: bytes, tmp_path: Path):
    if not content and mime in ("text/plain", "text/csv"):
        return
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(Rejected) as no:
        check_content(file, mime)
    assert no.value.code == "INVALID_FILE_TYPE"
    assert no.value.details == {"field": "content", "allowed": [mime]}


def test_ATT_07_one_picture_is_not_another(tmp_path: Path):
    file = tmp_path / "file"
    for content, mime in ((SAMPLES["image/gif"], "image/png"), (HTML, "image/svg+xml")):
        file.write_bytes(content)
        with pytest.raises(Rejected):
            check_content(file, mime)


@pytest.mark.parametrize(
    ("mime", "head"),
    [
        (
            "audio/webm",
            "1a45dfa39f4286810142f7810142f2810442f381084282847765626d428781044285810218538067",
        ),
        ("audio/mp4", "0000002466747970" + b"isom\0\0\2\0isomiso6iso2vp09mp41".hex()),
        ("audio/ogg", b"OggS\0\2".hex() + "00" * 20 + b"\1\x13OpusHead".hex()),
    ],
)
def test_ATT_07_what_browsers_record_is_taken(mime: str, head: str, tmp_path: Path):
    """None of them says at its beginning that it is without pictures."""
    file = tmp_path / "file"
    file.write_bytes(bytes.fromhex(head))
    check_content(file, mime)


def test_a_text_is_read_to_its_end(tmp_path: Path):
    file = tmp_path / "file"
    file.write_bytes(b"x" * 3_000_000 + b"\0")
    with pytest.raises(Rejected):
        check_content(file, "text/plain")
