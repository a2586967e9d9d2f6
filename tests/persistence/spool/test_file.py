"""The file: all of a change or nothing; and what is no sound spool is refused and kept as it is."""

import os
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from palaver.persistence.spool import SpoolFile, SpoolRefused, SpoolUnavailable
from palaver.persistence.spool.file import NAME
from palaver.persistence.spool.glance import glance, refusals
from palaver.persistence.spool.record import Entry, UnreadableRecord, entry, write_of
from palaver.protocol.events import Event
from palaver.protocol.features.messages import MessageSent
from palaver.protocol.records import Write
from palaver.tests.persistence.contract.chat import nobody


def write(n: int, text: str = "hello") -> Write:
    event = Event(f"c{n % 3}", n, f"e{n}", MessageSent(text=text), "ann", n, None, n)
    return Write(event.conversation, nobody, [event])


def entries(*ns: int) -> list[Entry]:
    return [entry(n, 7, 1000 + n, write(n, "word " * n)) for n in ns]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def saved(directory: Path) -> dict[str, bytes]:
    """All that may hold messages: not the index of the log, nor an empty log, which come of
    looking."""
    files = {path.name: path.read_bytes() for path in directory.iterdir()}
    return {name: data for name, data in files.items() if data and not name.endswith("-shm")}


def test_what_goes_in_comes_out_in_order_and_stays_over_a_restart(directory: Path):
    with SpoolFile(directory) as spool:
        assert (spool.last, spool.entries(0, 10)) == (0, [])
        spool.change(add=entries(1, 2, 3))
        spool.change(add=entries(4), remove=[2])
    with SpoolFile(directory) as spool:
        assert spool.last == 4
        assert spool.entries(0, 10) == entries(1, 3, 4)
        assert spool.entries(1, 1) == entries(3)
        found = spool.summary()
        assert (found.waiting, found.conversations, found.oldest) == (3, 2, 1001)
        assert found.bytes == sum(len(each.record) for each in entries(1, 3, 4))


def test_only_its_owner_may_look_into_it(directory: Path):
    with SpoolFile(directory):
        assert directory.stat().st_mode & 0o777 == 0o700


def test_it_is_on_disk_before_it_counts(directory: Path):
    with SpoolFile(directory) as spool:
        (mode,) = spool._db.execute("PRAGMA journal_mode").fetchone()
        (synchronous,) = spool._db.execute("PRAGMA synchronous").fetchone()
        assert (mode, synchronous) == ("wal", 2)


def test_what_was_refused_is_kept_with_its_problem(directory: Path):
    with SpoolFile(directory) as spool:
        spool.change(add=entries(1, 2))
        spool.refuse([(2, "too wide")])
        assert spool.entries(0, 10) == entries(1)
        assert (spool.last, spool.summary().refused) == (2, 1)
        assert refusals(directory, 9) == [(2, 1002, "c2", "too wide")]


def test_a_change_happens_whole_or_not_at_all(directory: Path):
    with SpoolFile(directory) as spool:
        spool.change(add=entries(1))
        with pytest.raises(SpoolUnavailable, match="UNIQUE"):
            spool.change(add=entries(2, 3, 1), remove=[1])
        assert spool.entries(0, 10) == entries(1)


def test_a_full_disk_changes_nothing_and_is_told(directory: Path):
    with SpoolFile(directory) as spool:
        spool.change(add=entries(1))
        (pages,) = spool._db.execute("PRAGMA page_count").fetchone()
        spool._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(SpoolUnavailable, match="full"):
            spool.change(add=[entry(n, 1, n, write(n, "word " * 200)) for n in range(2, 99)])
        assert spool.entries(0, 99) == entries(1)
        spool._db.execute("PRAGMA max_page_count = 100000")
        spool.change(add=entries(2, 3))
        assert spool.entries(0, 99) == entries(1, 2, 3)


def test_the_disk_gets_back_what_is_free(directory: Path):
    with SpoolFile(directory) as spool:
        spool.change(add=[entry(n, 1, n, write(n, "x" * 10_000)) for n in range(1, 200)])
        spool.shrink()
        grown = (directory / NAME).stat().st_size
        spool.change(remove=range(1, 199))
        spool.shrink()
        assert grown > 1_900_000
        assert sum(path.stat().st_size for path in directory.iterdir()) < 200_000
        assert [each.n for each in spool.entries(0, 9)] == [199]


def test_what_was_stored_does_not_linger_in_the_file(directory: Path):
    with SpoolFile(directory) as spool:
        spool.change(add=[entry(1, 1, 1, write(1, "secret words"))])
        spool.change(remove=[1])
        spool.shrink()
        assert not any(b"secret words" in data for data in saved(directory).values())


def test_it_belongs_to_one_database_while_something_waits(directory: Path):
    with SpoolFile(directory) as spool:
        spool.belong("one")
        spool.belong("two")
        spool.change(add=entries(1))
        spool.belong("two")
        with pytest.raises(SpoolRefused, match="1 writes that wait for another database"):
            spool.belong("one")
        assert spool.summary().installation == "two"
        assert spool.entries(0, 9) == entries(1)
        spool.change(remove=[1])
        spool.belong("one")


def test_looking_is_possible_while_it_is_used_and_changes_nothing(directory: Path):
    assert glance(directory) is None
    assert not directory.exists()
    with SpoolFile(directory) as spool:
        spool.change(add=entries(1, 2))
        before = saved(directory)
        assert glance(directory) == spool.summary()
        assert saved(directory) == before
        spool.change(add=entries(3))
        summary = spool.summary()
    assert glance(directory) == summary


def test_two_that_write_do_each_other_no_harm(directory: Path):
    with SpoolFile(directory) as one, SpoolFile(directory) as other:
        one.change(add=entries(1))
        with pytest.raises(SpoolUnavailable):
            other.change(add=entries(1))
        other.change(add=entries(2))
        assert one.entries(0, 9) == other.entries(0, 9) == entries(1, 2)


def test_a_kill_in_the_middle_of_making_it_leaves_none(directory: Path):
    directory.mkdir()
    (directory / f"{NAME}.new").write_bytes(b"half")
    with SpoolFile(directory) as spool:
        spool.change(add=entries(1))
    assert {path.name for path in directory.iterdir()} == {NAME}


def test_what_a_kill_leaves_is_whole(directory: Path, tmp_path: Path):
    with SpoolFile(directory) as spool:
        spool.change(add=entries(1, 2))
        shutil.copytree(directory, tmp_path / "copy")
        spool.change(add=entries(3))
    with SpoolFile(tmp_path / "copy") as spool:
        assert spool.entries(0, 9) == entries(1, 2)


# What is no spool.


def refused(directory: Path) -> str:
    """Why it cannot be opened; nothing that it holds is touched by the attempt."""
    before = saved(directory)
    with pytest.raises(SpoolRefused) as error:
        SpoolFile(directory)
    assert saved(directory) == before
    assert str(directory) in str(error.value)
    return str(error.value)


def test_a_text_file_is_refused(directory: Path):
    directory.mkdir()
    (directory / NAME).write_text("dear diary\n" * 200)
    assert "is damaged (file is not a database)" in refused(directory)


def test_an_empty_file_is_refused(directory: Path):
    directory.mkdir()
    (directory / NAME).touch()
    assert "is not a spool of palaver" in refused(directory)


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_database_of_somebody_else_is_refused(directory: Path, mode: str):
    directory.mkdir()
    with closing(sqlite3.connect(directory / NAME)) as other:
        other.execute(f"PRAGMA journal_mode = {mode}")
        other.execute("CREATE TABLE waiting (n)")
        other.commit()
        assert "is not a spool of palaver" in refused(directory)


def test_a_spool_of_another_version_is_refused(directory: Path):
    with SpoolFile(directory) as spool:
        spool.change(add=entries(1))
        spool._db.execute("PRAGMA user_version = 2")
    assert "another format (2, not 1)" in refused(directory)


def test_a_log_without_its_file_is_refused(directory: Path, tmp_path: Path):
    with SpoolFile(directory) as spool:
        spool.change(add=entries(1))
        shutil.copytree(directory, tmp_path / "copy")
    (tmp_path / "copy" / NAME).unlink()
    assert "its write-ahead log is there" in refused(tmp_path / "copy")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(SpoolRefused, match="cannot be used"):
        SpoolFile(tmp_path / "spool")
    tmp_path.chmod(0o700)


def test_a_file_in_place_of_the_directory_is_refused(directory: Path):
    directory.touch()
    with pytest.raises(SpoolRefused, match="cannot be used"):
        SpoolFile(directory)


TEXTS = {n: write(n, f"{n} " * 300) for n in range(1, 40)}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A spool of some pages, closed in good order."""
    directory = tmp_path_factory.mktemp("sound") / "spool"
    with SpoolFile(directory) as spool:
        spool.belong("here")
        spool.change(add=[entry(n, 7, n, each) for n, each in TEXTS.items()])
        spool.change(remove=range(5, 10))
        spool.refuse([(3, "too wide")])
    return (directory / NAME).read_bytes()


def look(directory: Path, data: bytes) -> str:
    """Refused and kept, or every entry that it gives is one that was put in."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    (directory / NAME).write_bytes(data)
    try:
        spool = SpoolFile(directory)
    except SpoolRefused:
        assert saved(directory) == ({NAME: data} if data else {})
        return "refused"
    with spool:
        try:
            found = spool.entries(0, 100)
        except SpoolRefused:
            return "refused"
        for each in found:
            try:
                assert write_of(each).events == TEXTS[each.n].events
            except UnreadableRecord:
                return "unreadable"
        expected = [n for n in TEXTS if n != 3 and not 5 <= n < 10]
        assert [each.n for each in found] == expected
    return "sound"


def test_cut_anywhere_it_is_refused_and_kept(directory: Path, sound: bytes):
    assert look(directory, sound) == "sound"
    places = {*range(0, 200, 7), *range(0, len(sound), 997), len(sound) - 1}
    assert {look(directory, sound[:place]) for place in sorted(places)} <= {"refused", "unreadable"}


def test_with_flipped_bits_it_never_gives_what_was_not_put_in(directory: Path, sound: bytes):
    chance = random.Random(4)
    places = [*range(100), *(chance.randrange(len(sound)) for _ in range(250))]
    seen = set()
    for place in places:
        data = bytearray(sound)
        data[place] ^= 1 << chance.randrange(8)
        seen.add(look(directory, bytes(data)))
    assert seen == {"refused", "unreadable", "sound"}  # free pages may hold anything
