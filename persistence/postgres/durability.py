"""Whether a commit of this server is on disk when it is answered: a reply promises no less."""

from __future__ import annotations

from .connection import connect
from .errors import database_errors

_RISKS = {
    "fsync": "a crash of its machine can lose or corrupt messages that were replied to",
    "full_page_writes": "a crash of its machine can corrupt what is stored",
    "synchronous_commit": "a crash of the server can lose messages that were replied to",
}
"""What it means if one of these is off. The last is a matter of the connection; ours say `on`
themselves (`connection.settings`), which only a pooler in between can undo."""


def risks(values: dict[str, str]) -> list[str]:
    """In words, for each of these settings that is off."""
    return [
        f"Postgres runs with {name} = off: {risk}. Set {name} = on in its configuration."
        for name, risk in _RISKS.items()
        if values.get(name) == "off"
    ]


async def weaknesses(dsn: str, timeout_s: float) -> list[str]:
    """What makes commits of the server at `dsn` less than durable, each in words; normally none.

    Runs in the asyncio thread. Raises `DatabaseError`.
    """
    with database_errors():
        connection = await connect(dsn, timeout_s)
    try:
        with database_errors():
            rows = await connection.fetch(
                "SELECT name, setting FROM pg_settings WHERE name = ANY($1::text[])", list(_RISKS)
            )
    finally:
        with database_errors():
            await connection.close(timeout=timeout_s)
    return risks({row["name"]: row["setting"] for row in rows})
