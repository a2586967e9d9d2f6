"""What can go wrong with the database, in five kinds: each says what to do about it.

    Exception
     └─ DatabaseError            something nobody foresaw (a wrong statement, a missing table)
         ├─ DatabaseUnavailable  away: keep the work, spool it, try again when it is back
         │   └─ DatabaseFull     away until somebody makes room
         ├─ TransientConflict    rolled back in favour of another transaction: repeat at once
         └─ RowRefused           this row can never be stored: fail it alone, never repeat it

After `DatabaseUnavailable` it is not known whether the statement took effect: the connection may
have been lost after the commit. After the others it did not.

asyncpg, the socket layer and the asyncio thread raise some two hundred types; `database_errors`
is the one place that knows them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from ..asyncio_thread import AsyncioThreadError


class DatabaseError(Exception):
    """Base of the family. The text names no values of the row: it may go to logs.

    `sqlstate` is Postgres' five-character code, and `constraint` the name of the violated
    constraint; `None` where the error is not Postgres' own or there is no such name.
    """

    def __init__(
        self, message: str, *, sqlstate: str | None = None, constraint: str | None = None
    ) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.constraint = constraint

    @property
    def is_of_schema(self) -> bool:
        """A table, a column or a right is missing: it is about all rows, not about this one."""
        return self.sqlstate is not None and self.sqlstate.startswith("42")


class DatabaseUnavailable(DatabaseError):
    """Not there, not yet there, no longer there, or too busy to answer. Retryable."""


class DatabaseFull(DatabaseUnavailable):
    """Postgres' disk is full. Retryable, but only a human or a clean-up ends it."""


class TransientConflict(DatabaseError):
    """Deadlock, serialisation failure, lock not available, stale plan. Retryable at once."""


class RowRefused(DatabaseError):
    """The values can never be stored as they are. Not retryable."""


# The longest prefix of the SQLSTATE decides: a single code before its class.
_BY_SQLSTATE: dict[str, type[DatabaseError]] = {
    "08": DatabaseUnavailable,  # connection exceptions
    "21000": RowRefused,  # the same key twice in one batch
    "22": RowRefused,  # data exceptions
    "23": RowRefused,  # integrity constraints
    "25006": DatabaseUnavailable,  # read-only: a standby, or a fail-over under way
    "25P03": DatabaseUnavailable,  # idle_in_transaction_session_timeout
    "25P04": DatabaseUnavailable,  # transaction_timeout
    "40": TransientConflict,  # serialization_failure, deadlock_detected, …
    "40002": RowRefused,  # a deferred constraint, at commit
    "40003": DatabaseUnavailable,  # statement_completion_unknown
    "53": DatabaseUnavailable,  # insufficient resources, too_many_connections
    "53100": DatabaseFull,
    "54": RowRefused,  # program limits: the row is too wide, the index entry too long
    "55P03": TransientConflict,  # lock_not_available
    "57": DatabaseUnavailable,  # shutdown, cannot_connect_now, query_canceled (timeouts)
    "57P04": DatabaseError,  # database_dropped
    "58": DatabaseUnavailable,  # system and I/O errors
}


@contextmanager
def database_errors() -> Iterator[None]:
    """Raise what the block's database call raises as one of the family, the original as its cause.

    Wrap nothing but the call: an `OSError` or a `TimeoutError` of anything else would be taken
    for the database's. `Cancelled` and every error that has nothing to do with databases pass.
    """
    try:
        yield
    except Exception as error:
        translated = translate(error)
        if translated is None:
            raise
        raise translated from error


def translate(error: Exception) -> DatabaseError | None:
    """The member of the family that `error` is, or `None` if it is not about a database."""
    match error:
        case asyncpg.InvalidCachedStatementError() | asyncpg.OutdatedSchemaCacheError():
            # A migration changed a table under a prepared statement; the next try prepares anew.
            return TransientConflict("the prepared statement is out of date")
        case asyncpg.PostgresError():  # also what asyncpg itself cannot encode: class 22
            return _from_postgres(error)
        case asyncpg.InterfaceError() if "clos" in str(error) or "released" in str(error):
            # The only sign of a lost connection or a closed pool that asyncpg gives here.
            return DatabaseUnavailable(str(error))
        case asyncpg.TargetServerAttributeNotMatched():
            return DatabaseUnavailable("no server of the wanted kind (primary) answers")
        case asyncpg.InterfaceError() | asyncpg.InternalClientError():
            return DatabaseError(str(error))
        case AsyncioThreadError():
            return DatabaseUnavailable(str(error))
        case TimeoutError():  # before OSError, of which it is a kind; its text is empty
            return DatabaseUnavailable("the database did not answer in time")
        case OSError() | EOFError():
            return DatabaseUnavailable(f"the database cannot be reached: {error}")
    return None


def _from_postgres(error: asyncpg.PostgresError) -> DatabaseError:
    code = error.sqlstate or ""
    kind = _BY_SQLSTATE.get(code) or _BY_SQLSTATE.get(code[:2]) or DatabaseError
    constraint = error.constraint_name
    # The message of a class 22 error quotes the value; details, never taken over, quote rows.
    what = type(error).__name__ if kind is RowRefused else str(error.args[0])
    if constraint:
        what += f" by {constraint}"
    return kind(f"{what} ({code})", sqlstate=code or None, constraint=constraint)
