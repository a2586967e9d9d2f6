"""The embedded Postgres: the programs of a wheel, run by ourselves as an account that is not root.

server.py          EmbeddedPostgres: from nothing, or from a crash, to a server at a DSN
configuration.py   what it is told
programs.py        where its programs are
account.py         who runs it
socket.py log.py   where it listens, what it says
running.py         the same of another process, for who only looks
"""

from .server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres"]
