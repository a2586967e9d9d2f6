"""What is wrong with an installation, in words: one idea, one check.

Checks look and measure; they change nothing, start nothing, and say no secret.

interpreter.py      Python and the libraries
machine.py          open files
disk.py             room, and the time of an fsync
directory.py        whose it is, who holds it, the embedded programs
postgres.py         the database
spool.py            what waits for it
finding.py          what a check says
"""

from __future__ import annotations

from ...persistence.embedded.running import running_dsn
from ..places import data_directory
from ..settings import Settings
from ..storage import StartupError
from .directory import check_lock, check_permissions, check_programs, holder
from .disk import check_fsync, check_space
from .finding import Finding, Level, ok, problem, warning
from .interpreter import check_libraries, check_python
from .machine import check_open_files
from .postgres import check_postgres
from .spool import check_spool

__all__ = ["Finding", "Level", "check_program", "examine", "ok", "problem", "warning"]


def check_program() -> list[Finding]:
    """What needs no settings."""
    return [*check_python(), *check_libraries()]


async def examine(settings: Settings) -> list[Finding]:
    """What an engine with `settings` would find on this machine and in its database."""
    storage = settings.storage
    findings = [*check_open_files(settings)]
    if storage.memory:
        advice = "Unset storage.memory to keep messages."
        return [*findings, warning("storage", "in memory: all is gone when it stops", advice)]
    findings += check_programs(settings)
    try:
        directory = data_directory(settings)
    except StartupError as error:
        return [*findings, problem("data directory", str(error), "Name one with --data.")]
    if directory is not None and (storage.dsn is None or storage.spool_bytes):
        findings += check_permissions(directory)
        findings += check_lock(directory)
        findings += check_space(directory)
        findings += check_fsync(directory)
        findings += check_spool(directory / "spool")
    if storage.dsn is not None:
        return [*findings, *await check_postgres(storage.dsn.get_secret_value(), settings)]
    try:
        # Without an engine it may run all the same, or only seem to; a start sees to that.
        dsn = running_dsn(directory) if directory is not None and holder(directory) else None
    except OSError as error:
        reason = error.strerror or str(error)
        advice = "Run as the user that runs the engine, or as root."
        return [*findings, problem("Postgres", f"its data cannot be read ({reason})", advice)]
    if dsn is None:
        said = "the embedded one runs with an engine, and none is running; look again then"
        return [*findings, ok("Postgres", said)]
    return [*findings, *await check_postgres(dsn, settings)]
