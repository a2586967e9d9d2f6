"""Bytes are there as a whole or not at all."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from palaver.engine.files.blobs import LocalBlobs
from palaver.tests.support.engines import refused

KEY = "00000000-0000-7000-8000-0000000000ab"


async def pieces(*chunks: bytes | Exception) -> AsyncIterator[bytes]:
    for chunk in chunks:
        if isinstance(chunk, Exception):
            raise chunk
        yield chunk


def files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


async def test_what_is_put_can_be_got(tmp_path: Path):
    blobs = LocalBlobs(tmp_path / "made when needed")
    assert await blobs.get(KEY) is None
    large = bytes(range(256)) * 10_000
    for content in (b"first", large, b""):
        assert await blobs.put(KEY, pieces(content[:5], content[5:]), len(large)) == len(content)
        found = await LocalBlobs(tmp_path / "made when needed").get(KEY)
        assert found is not None
        assert found.read_bytes() == content
    assert len(files(tmp_path)) == 1


async def test_ATT_05_more_than_was_announced_is_not_kept(tmp_path: Path):
    blobs = LocalBlobs(tmp_path)
    await blobs.put(KEY, pieces(b"12345"), 5)
    no = await refused(blobs.put(KEY, pieces(b"123", b"456"), 5))
    assert (no.code, no.details) == ("ATTACHMENT_TOO_LARGE", {"field": "size", "max_bytes": 5})
    (file,) = files(tmp_path)
    assert file.read_bytes() == b"12345"


async def test_what_breaks_off_changes_nothing(tmp_path: Path):
    blobs = LocalBlobs(tmp_path)
    with pytest.raises(ConnectionError):
        await blobs.put(KEY, pieces(b"123", ConnectionError()), 5)
    assert not files(tmp_path)
