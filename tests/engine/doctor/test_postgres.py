"""What is wrong with a database, out of what was found there."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from palaver.engine.doctor import postgres
from palaver.engine.doctor.finding import Finding
from palaver.engine.doctor.postgres import check_postgres, masked
from palaver.engine.sections import Storage
from palaver.engine.settings import Settings
from palaver.persistence.postgres.durability import risks
from palaver.persistence.postgres.examination import Examination

SOUND = Examination(
    version=16,
    database="chat",
    encoding="UTF8",
    collation="C",
    time_zone="Asia/Tokyo",
    risks=[],
    standby=False,
    read_only=False,
    permitted=True,
    connections=97,
    others=5,
    trigrams=True,
    clock_ahead_s=0.01,
    clock_error_s=0.001,
    commit_s=(0.001, 0.002),
    missing=[],
    refused=None,
)
Check = Callable[[Examination], Iterable[Finding]]


def check_connections(found: Examination) -> Iterable[Finding]:
    return postgres.check_connections(found, Settings(storage=Storage(pool=8, writers=1)))


CHECKS: list[Check] = [
    postgres.check_server,
    postgres.check_schema,
    check_connections,
    postgres.check_clock,
    postgres.check_commits,
    postgres.check_search,
]


def found(server: Examination) -> list[Finding]:
    return [finding for check in CHECKS for finding in check(server)]


def test_a_sound_server_has_nothing_wrong():
    assert {finding.level for finding in found(SOUND)} == {"ok"}


@pytest.mark.parametrize(
    ("flaw", "level", "about"),
    [
        ({"version": 13}, "problem", "Postgres"),
        ({"encoding": "LATIN1"}, "problem", "encoding"),
        ({"standby": True, "commit_s": ()}, "problem", "writing"),
        ({"read_only": True, "commit_s": ()}, "problem", "writing"),
        ({"permitted": False}, "problem", "writing"),
        ({"risks": risks({"fsync": "off"})}, "problem", "durability"),
        ({"risks": risks({"synchronous_commit": "off"})}, "problem", "durability"),
        ({"missing": ["0001 conversations"]}, "warning", "migrations"),
        ({"refused": "the database is newer. Start a newer one."}, "problem", "migrations"),
        ({"connections": 11}, "problem", "connections"),
        ({"connections": 16}, "warning", "connections"),
        ({"clock_ahead_s": 1.5}, "warning", "clock"),
        ({"clock_ahead_s": -90.0}, "warning", "clock"),
        ({"commit_s": (0.03, 0.04, 0.001)}, "warning", "commits"),
    ],
)
def test_each_flaw_is_named_once_with_what_to_do(flaw: dict[str, Any], level: str, about: str):
    (finding,) = (each for each in found(replace(SOUND, **flaw)) if each.level != "ok")
    assert (finding.level, finding.about) == (level, about)
    assert finding.advice


def test_a_slow_network_is_no_wrong_clock():
    far = replace(SOUND, clock_ahead_s=1.5, clock_error_s=2.0)
    assert [finding.level for finding in postgres.check_clock(far)] == ["ok"]


@pytest.mark.parametrize(
    ("dsn", "shown"),
    [
        ("postgresql://ann:hush@db:5433/chat", "postgresql://ann@db:5433/chat"),
        ("postgresql://db/chat?password=hush&user=ann", "postgresql://db/chat"),
        (
            "postgresql://palaver@/palaver?host=/run/x&port=5432",
            "postgresql://palaver@/run/x/palaver",
        ),
        ("postgresql://ann:hu/sh@db:54x/chat", "storage.dsn"),
    ],
)
def test_SEC_15_a_password_is_never_shown(dsn: str, shown: str):
    assert masked(dsn) == shown


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://ann:hush@127.0.0.1:1/chat",
        "postgresql://ann:hu/sh@db:5432/chat",
        "hush://ann:hush@db/chat",
        "postgresql://ann:hush@/chat?host=/nowhere",
    ],
)
async def test_a_server_that_cannot_be_used_is_a_problem_without_its_password(dsn: str):
    (finding,) = await check_postgres(dsn, Settings())
    assert finding.level == "problem"
    assert "hu" not in finding.what.replace("storage.dsn", "").replace("authentication", "")
