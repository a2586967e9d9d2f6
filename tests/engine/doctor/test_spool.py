"""What waits in a spool is said, and looking changes nothing."""

import time
from pathlib import Path

from palaver.engine.doctor.spool import check_spool
from palaver.persistence.spool import SpoolFile
from palaver.persistence.spool.record import Entry


def waiting(n: int) -> Entry:
    return Entry(n, 1, int(time.time() * 1000) - 90_000, "c", 0, b"")


def levels(directory: Path) -> list[str]:
    return [finding.level for finding in check_spool(directory)]


def test_no_spool_and_an_empty_one_are_in_order(tmp_path: Path):
    assert levels(tmp_path) == ["ok"]
    assert list(tmp_path.iterdir()) == []
    with SpoolFile(tmp_path):
        pass
    assert levels(tmp_path) == ["ok"]


def test_what_waits_and_what_was_refused_is_counted_while_it_is_used(tmp_path: Path):
    with SpoolFile(tmp_path) as spool:
        spool.change(add=[waiting(1), waiting(2), waiting(3)])
        (finding,) = check_spool(tmp_path)
        assert finding.level == "warning"
        assert finding.what.startswith("3 writes wait for Postgres, the oldest for 9")
        spool.refuse([(1, "too wide"), (2, "too wide")])
        refused, left = check_spool(tmp_path)
        assert (refused.level, left.level) == ("warning", "warning")
        assert "refused 2 writes" in refused.what
        assert "1 writes wait" in left.what
        assert spool.summary().waiting == 1


def test_a_damaged_spool_is_a_problem(tmp_path: Path):
    (tmp_path / "spool.sqlite").write_bytes(b"this is no database" * 100)
    assert levels(tmp_path) == ["problem"]


def test_a_spool_that_cannot_be_seen_is_a_problem(tmp_path: Path):
    (tmp_path / "spool").touch()
    assert levels(tmp_path / "spool") == ["problem"]
