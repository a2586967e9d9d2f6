"""`palaver jobs` lists what was given up, and has it tried again."""

import json
from pathlib import Path

import trio
from typer.testing import CliRunner, Result

from palaver.gateway.cli import app
from palaver.persistence.postgres.store import PostgresStore
from palaver.protocol.jobs import Job, Tried

IDS = [f"00000000-0000-5000-8000-00000000000{n}" for n in range(3)]
ROOM = "8a3f0f6e-0000-5000-8000-000000000001"


def jobs(*args: str) -> Result:
    result = CliRunner().invoke(app, ["jobs", *args])
    assert isinstance(result.exception, SystemExit | None)
    assert "secret" not in result.output
    return result


def give_up(dsn: str) -> None:
    data = {"conversation": ROOM, "message": {"text": "secret"}}

    async def prepare() -> None:
        async with PostgresStore(dsn) as store:
            await store.jobs.add([Job(id, "message.send", 1000, data, owner="ann") for id in IDS])
            taken = await store.jobs.take(1000, 10, 2000, 3)
            await store.jobs.settle([Tried(job, "PERMISSION_DENIED") for job in taken.jobs])

    trio.run(prepare)


def test_AUTO_07_jobs_that_were_given_up_are_listed_and_tried_again(fresh_database: str):
    give_up(fresh_database)
    dsn = ("--dsn", fresh_database)
    found = json.loads(jobs("list", "--json", *dsn).stdout)
    assert [row["id"] for row in found] == IDS
    assert found[0] == {
        "id": IDS[0],
        "kind": "message.send",
        "due": "1970-01-01T00:00:01.000+00:00",
        "attempts": 1,
        "error": "PERMISSION_DENIED",
        "conversation": ROOM,
    }
    assert jobs("retry", IDS[0], *dsn).stdout == "1 will be tried again.\n"
    assert len(jobs("list", *dsn).stdout.splitlines()) == 2
    assert jobs("retry", "--all", *dsn).stdout == "2 will be tried again.\n"
    assert jobs("list", *dsn).stdout == "No job was given up.\n"

    async def due() -> list[str]:
        async with PostgresStore(fresh_database) as store:
            return [job.id for job in (await store.jobs.take(2**42, 10, 2**42, 3)).jobs]

    assert trio.run(due) == IDS


def test_what_cannot_be_done_is_said_in_words(tmp_path: Path):
    for args, words in (
        (("retry",), "--all"),
        (("retry", "nonsense"), "no id of a job"),
        (("list", "--data", str(tmp_path)), "not running"),
        (("list", "--dsn", "postgresql://ann@127.0.0.1:1/palaver"), "cannot be used"),
    ):
        result = jobs(*args)
        assert result.exit_code == 2
        assert words in result.output
