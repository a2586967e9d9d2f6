-- Finding messages by what they say. Filled behind, from the log, and never read for anything else:
-- TRUNCATE search, search_position, and the next start fills them again.

-- One row per message that has a text and is not deleted. `tsv` holds its words, stemmed, and one
-- lexeme that no text can contain: a blank and the id of the conversation. So one index finds a
-- word in the conversations of one user without looking at everybody's.
CREATE TABLE search (
    conversation uuid NOT NULL,
    seq          bigint NOT NULL,
    at           timestamptz NOT NULL,
    sender       text COLLATE "C",
    text         text NOT NULL,
    tsv          tsvector NOT NULL,
    audience     text[],
    PRIMARY KEY (conversation, seq)
);

-- What waits to be merged into the index is read by every search, so it is kept short.
CREATE INDEX search_tsv ON search USING gin (tsv) WITH (gin_pending_list_limit = 512);

-- Up to which seq the log of a conversation is in `search`. A conversation is written by one engine
-- in order of seq, so what is visible of its log has no gaps, and this is commit-safe.
CREATE TABLE search_position (
    conversation uuid PRIMARY KEY,
    seq          bigint NOT NULL
) WITH (fillfactor = 60);
