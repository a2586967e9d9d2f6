"""Everything that a socket can do, by HTTP, through the same commands (REST-01, SEND-01).

routes.py      the table: method, path, command
endpoint.py    what one line of it says
desk.py        who asks, how often, how many at once; errors as answers
who.py         bearer tokens, cookies, and whose page asks with one
handler.py     a request to a command, a Reply to a response
query.py       fields from query strings
bodies.py      JSON and msgpack
times.py       ISO 8601
problems.py    RFC 9457
caller.py      the user, as the actors see them
single.py      what no command answers by itself: one message, one draft
sync.py        long polling, for where no WebSocket gets through (CONN-13)
poll.py        who waits in it
cursor.py      what a client knows, between two polls
files.py       what people send besides text
export.py      whole conversations, line by line
answers.py     the shapes of what is answered, by examples
like.py        what such an example leaves open
service/       what the product's own servers ask for
openapi.py     all of that for programs
"""

from .files import is_file
from .mount import EXPOSED, HEADERS, METHODS, add_rest

__all__ = ["EXPOSED", "HEADERS", "METHODS", "add_rest", "is_file"]
