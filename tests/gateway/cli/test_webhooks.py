"""`palaver webhooks replay` has stored events told again."""

from pathlib import Path

import pytest
import trio
from typer.testing import CliRunner, Result

from palaver.engine import Engine, Settings
from palaver.gateway.cli import app
from palaver.persistence.postgres.store import PostgresStore
from palaver.protocol.jobs import LOW, Job
from palaver.tests.support.hosts import SECRET

CONFIG = f"""
[webhooks]
url = "http://127.0.0.1:1/"
secret = "{SECRET}"
events = ["message.sent"]
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "palaver.toml"
    path.write_text(CONFIG)
    return str(path)


def replay(*args: str) -> Result:
    result = CliRunner().invoke(app, ["webhooks", "replay", *args])
    assert isinstance(result.exception, SystemExit | None)
    return result


def test_AUTO_07_stored_events_are_told_again(fresh_database: str, config: str, tmp_path: Path):
    async def say() -> tuple[str, list[str]]:
        storage = {"dsn": fresh_database, "data": tmp_path / "data", "spool_bytes": 0}
        async with Engine(Settings.model_validate({"storage": storage})) as engine:
            ann = engine.as_user("ann")
            rooms = [await ann.create_group("Ops", ["bob"]) for _ in range(2)]
            sent = [(await ann.send(room, f"{n}")).id for room in rooms for n in range(2)]
            await ann.edit(rooms[0], sent[0], "of a kind that is not told")
            return rooms[0], sent

    async def due() -> list[Job]:
        async with PostgresStore(fresh_database) as store:
            return (await store.jobs.take(2**42, 10, 2**42 + 1, 3)).jobs

    room, sent = trio.run(say)
    dsn = ("--dsn", fresh_database, "--config", config)
    assert replay("--since", "2999-01-01", *dsn).stdout == "0 will be told again.\n"
    assert replay("--since", "1h", "--conversation", room, *dsn).stdout == "2 will be told again.\n"
    assert [job.data["event_id"] for job in trio.run(due)] == sent[:2]
    assert replay("--since", "2020-01-01T00:00:00Z", *dsn).stdout == "4 will be told again.\n"
    jobs = trio.run(due)
    assert {job.data["event_id"] for job in jobs} == set(sent)
    assert {(job.kind, job.priority) for job in jobs} == {("webhook", LOW)}
    assert jobs[0].data.keys() == {"conversation", "event_id", "seq"}


def test_what_cannot_be_done_is_said_in_words(config: str):
    dsn = ("--dsn", "postgresql://ann@127.0.0.1:1/palaver")
    for args, words in (
        (("--since", "1h", *dsn), "webhooks.events is empty"),
        (("--since", "soon", *dsn), "soon"),
        (("--since", "1h", "--conversation", "x", *dsn), "no id of a conversation"),
        (("--since", "1h", "--config", config, *dsn), "cannot be used"),
    ):
        result = replay(*args)
        assert result.exit_code == 2
        assert words in result.output
