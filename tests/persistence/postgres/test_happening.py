"""An engine over Postgres: what happened in the product is told once, whatever restarts."""

from pathlib import Path
from typing import Any

from palaver.engine import Engine, Settings

EVENT: dict[str, Any] = {
    "id": "evt_1",
    "context": {"listing": "5", "application": "a7"},
    "users": ["ann", "bob"],
    "variables": {"seeker": "Ann", "listing": "Elm Street 5"},
}


def over(dsn: str, data: Path) -> Engine:
    storage: Any = {"dsn": dsn, "data": data, "spool_bytes": 0}
    return Engine(Settings(profile="rental", storage=storage))


async def test_AUTO_01_over_postgres_and_a_restart(fresh_database: str, tmp_path: Path):
    async with over(fresh_database, tmp_path) as engine:
        told = await engine.happened("application_submitted", **EVENT)
        assert await engine.happened("application_submitted", **EVENT) == told
    async with over(fresh_database, tmp_path) as engine:
        assert await engine.happened("application_submitted", **EVENT) == told
        (filled,) = await engine.happened(
            "listing_filled",
            id="evt_2",
            context={"listing": "5"},
            variables={"listing": "Elm Street 5"},
        )
        texts = [each["text"] for each in await engine.as_user("bob").history(told[0].conversation)]
        assert texts == ["Ann has applied for Elm Street 5.", "Elm Street 5 has been let."]
        assert filled.conversation == told[0].conversation
