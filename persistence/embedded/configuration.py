"""What the embedded Postgres is told: its configuration, who may connect, what is created."""

from __future__ import annotations

from pathlib import Path

DATABASE = "palaver"
USER = "palaver"

SETTINGS = """\
# Written by palaver at every start; local.conf beside this file, if there is one, comes after.
hba_file = {hba}
ident_file = {ident}
listen_addresses = ''
unix_socket_directories = {socket}
unix_socket_permissions = 0700
cluster_name = 'palaver'
max_connections = 40
shared_buffers = 128MB
# Not in /dev/shm: Docker makes it small, and logind empties it when the user logs out.
dynamic_shared_memory_type = mmap
# Short statements only: planning for more cores or a compiler costs more than it can win.
max_parallel_workers_per_gather = 0
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_line_prefix = '%m [%p] '
log_checkpoints = off
log_startup_progress_interval = 2s
# The log is no place for what people wrote: no statements, no rows in the details of errors.
log_min_error_statement = panic
log_error_verbosity = terse
{local}
# Not negotiable.
fsync = on
full_page_writes = on
"""
ACCESS = f"local all,replication {USER},postgres peer map=palaver\n"
CREATE = f"CREATE ROLE {USER} LOGIN CREATEDB;\nCREATE DATABASE {DATABASE} OWNER {USER};\n"


def quoted(path: Path) -> str:
    return "'" + str(path).replace("\\", "\\\\").replace("'", "''") + "'"
