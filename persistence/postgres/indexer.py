"""Fills the table `search` from the log, behind everything else (SRCH-11).

The writer names the conversations that it has stored something of; what one of them has after its
position in `search_position` is then brought in, a bounded number of rows per statement, together
with the new position. Whatever was left over, by a crash or an older version, is found at the start
by comparing positions with heads; so nothing is ever left out, and doing it again does no harm.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final, NoReturn

import structlog
import trio

from ...protocol.errors import Rejected
from .database import Database
from .errors import DatabaseError
from .incarnation import Incarnation

_log = structlog.get_logger(__name__)

_GATHER_S: Final = 0.25
"""From the first news to the statement: half of a second would still find a message in time."""
_ROWS: Final = 1000
_CONVERSATIONS: Final = 100
"""Of one statement, at most."""
_AGAIN_S: Final = 1.0
_AFTER_MISTAKE_S: Final = 60.0

MAX_WORDS_OF: Final = 50_000
"""Characters of a text whose words are found: more might not fit into a tsvector, 1 MB."""

_BEHIND: Final = """
    SELECT head.conversation
    FROM conversation_head AS head
    LEFT JOIN search_position AS position ON position.conversation = head.conversation
    WHERE head.seq > coalesce(position.seq, 0)
"""

# $1 incarnation, $2 conversations, $3 rows of each. Locking the incarnation makes the next engine
# wait for this statement, as it waits for batches; so two never index at once.
INDEX: Final = f"""
    WITH current AS MATERIALIZED (
        SELECT id FROM incarnation WHERE id = $1 AND ended_at IS NULL FOR SHARE
    ),
    news AS MATERIALIZED (
        SELECT l.conversation, l.seq, l.message_id, coalesce(l.message_seq, l.seq) AS message_seq
        FROM current
        CROSS JOIN unnest($2::uuid[]) AS told (conversation)
        LEFT JOIN search_position AS position ON position.conversation = told.conversation
        CROSS JOIN LATERAL (
            SELECT * FROM log
            WHERE log.conversation = told.conversation AND log.seq > coalesce(position.seq, 0)
            ORDER BY log.seq
            LIMIT $3
        ) AS l
    ),
    moved AS (
        INSERT INTO search_position AS old
        SELECT conversation, max(seq) FROM news GROUP BY conversation
        ON CONFLICT (conversation) DO UPDATE SET seq = greatest(old.seq, excluded.seq)
    ),
    touched AS MATERIALIZED (
        SELECT DISTINCT conversation, message_seq AS seq FROM news WHERE message_id IS NOT NULL
    ),
    now AS MATERIALIZED (
        SELECT
            l.conversation, l.seq, l.at, l.sender, l.audience,
            CASE WHEN o.deleted_at IS NULL THEN nullif(coalesce(o.text, l.body), '') END AS text
        FROM touched
        JOIN log AS l ON l.conversation = touched.conversation AND l.seq = touched.seq
        LEFT JOIN overlay AS o ON o.conversation = l.conversation AND o.seq = l.seq
    ),
    removed AS (
        DELETE FROM search USING now
        WHERE search.conversation = now.conversation AND search.seq = now.seq AND now.text IS NULL
    ),
    stored AS (
        INSERT INTO search AS old (conversation, seq, at, sender, audience, text, tsv)
        SELECT
            conversation, seq, at, sender, audience, text,
            to_tsvector('english', left(text, {MAX_WORDS_OF}))
                || array_to_tsvector(ARRAY[' ' || conversation])
        FROM now
        WHERE text IS NOT NULL
        ON CONFLICT (conversation, seq) DO UPDATE SET text = excluded.text, tsv = excluded.tsv
        WHERE old.text <> excluded.text
    )
    SELECT conversation FROM news GROUP BY conversation HAVING count(*) >= $3
"""


class Indexer:
    """Works while `run` runs, on one connection of the readers at a time. News come before what was
    left over, and while there is much to do it rests for as long as each statement took."""

    def __init__(self, database: Database, incarnation: Incarnation) -> None:
        self._database = database
        self._incarnation = incarnation
        self._waiting: dict[str, None] = {}
        self._behind: deque[str] = deque()
        self._busy = True  # until the first look at what is behind
        self._news = trio.Event()
        self._hurry = trio.Event()
        self._idle = trio.Event()

    def told(self, conversations: Iterable[str]) -> None:
        """Something of them was stored."""
        self._waiting.update(dict.fromkeys(conversations))
        self._news.set()

    async def caught_up(self) -> None:
        """Return when everything that was told is in the table."""
        while self._busy or self._waiting or self._behind:
            self._hurry.set()
            await self._idle.wait()
        await trio.lowlevel.checkpoint()

    async def run(self) -> NoReturn:
        await self._take_stock()
        while True:
            if not self._waiting and not self._behind:
                self._rest()
                await self._news.wait()
                with trio.move_on_after(_GATHER_S):
                    await self._hurry.wait()
            self._busy = True
            began = trio.current_time()
            chosen = self._choose()
            try:
                self._behind.extend(await self._index(chosen))
            except Rejected:
                self._behind.extend(chosen)
                await trio.sleep(_AGAIN_S)
            if self._waiting or self._behind:
                await trio.sleep(trio.current_time() - began)

    def _choose(self) -> list[str]:
        """What to look at next. One that stands in both is looked at twice, which does no harm."""
        chosen = list(islice(self._waiting, _CONVERSATIONS))
        for id in chosen:
            del self._waiting[id]
        while self._behind and len(chosen) < _CONVERSATIONS:
            chosen.append(self._behind.popleft())
        return chosen

    def _rest(self) -> None:
        self._busy = False
        self._idle.set()
        self._news, self._hurry, self._idle = trio.Event(), trio.Event(), trio.Event()

    async def _take_stock(self) -> None:
        while True:
            try:
                rows = await self._database.fetch(_BEHIND)
            except Rejected:
                await trio.sleep(_AGAIN_S)
            except DatabaseError as error:
                _log.error("nothing is indexed for search", error=str(error))
                await trio.sleep(_AFTER_MISTAKE_S)
            else:
                self._behind.extend(str(row["conversation"]) for row in rows)
                return

    async def _index(self, conversations: list[str]) -> list[str]:
        """Bring in what is new of them; those of which there may be more."""
        rows = max(1, _ROWS // len(conversations))
        try:
            found = await self._database.fetch(INDEX, self._incarnation.id, conversations, rows)
        except DatabaseError as error:
            if len(conversations) > 1:  # it may be about one of them
                return [more for id in conversations for more in await self._index([id])]
            # Tried again with the next message of it, or by the next start.
            _log.error("a conversation is not indexed for search", error=str(error))
            return []
        return [str(row["conversation"]) for row in found]
