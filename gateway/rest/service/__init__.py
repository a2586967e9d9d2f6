"""What the product's own servers ask for, under a key of theirs: as the host, over HTTP.

There is nothing here without `auth.service_keys`. It goes by the same commands as
`Engine.as_host()`, and what the host tells by the same models as `host_calls.py`.

keys.py       whose key it is
service.py    every request: the key, its rate; errors as answers
caller.py     the host, as a handler sees it
routes.py     the table: method, path, command
calls.py      what is not a command: tokens, sessions, connections; what has changed
openapi.py    all of that for programs
mount.py      put on the HTTP side
"""

from .mount import add_service
from .openapi import add_operations

__all__ = ["add_operations", "add_service"]
