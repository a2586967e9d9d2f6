-- Conversations, their log, and what is derived from it.
--
-- `log` is the truth; overlay, mark, member, conversation_head and snapshot can be rebuilt from it
-- or hold what is no event. Nothing refers by foreign key: rows of one conversation are written
-- together, by one engine, in one statement, and a check per row would cost as much as the row.
--
-- Columns stand in the order that wastes no padding: fixed width first, then text. Ids and names
-- chosen by others are compared byte by byte (COLLATE "C").

-- One row per start of an engine. Every batch locks the current row; a start ends it first, and
-- so waits for the last batches of a dead process, after which that process can write no more.
CREATE TABLE incarnation (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    clean      boolean
);

-- `opened_in` is the last incarnation that opened it. `starts_after[i]` is the head of the log at
-- the start of epoch i + 1.
CREATE TABLE conversation (
    id           uuid PRIMARY KEY,
    created_at   timestamptz NOT NULL,
    epoch        integer NOT NULL DEFAULT 1,
    opened_in    integer NOT NULL,
    kind         text NOT NULL,
    profile      text NOT NULL,
    creator      text COLLATE "C",
    direct_key   text COLLATE "C",
    starts_after bigint[] NOT NULL DEFAULT '{}'
);

-- `role` is null for who has left. `xid` tells which rows changed since a cursor.
CREATE TABLE member (
    conversation uuid NOT NULL,
    changed_seq  bigint NOT NULL,
    read_seq     bigint NOT NULL,
    read_number  bigint NOT NULL,
    xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
    user_id      text COLLATE "C" NOT NULL,
    role         text,
    intervals    jsonb NOT NULL,
    PRIMARY KEY (conversation, user_id)
);
CREATE INDEX member_user ON member (user_id);

-- `message_id` is the message that the event is or changes, `message_seq` the seq of the one it
-- changes. `body` is the text, apart from the rest (`data`) so that it can be erased in place.
CREATE TABLE log (
    conversation uuid NOT NULL,
    event_id     uuid NOT NULL,
    seq          bigint NOT NULL,
    number       bigint,
    at           timestamptz NOT NULL,
    message_seq  bigint,
    message_id   uuid,
    incarnation  integer NOT NULL,
    kind         text NOT NULL,
    sender       text COLLATE "C",
    client_id    text COLLATE "C",
    body         text,
    data         jsonb,
    audience     text[],
    PRIMARY KEY (conversation, seq)
);
CREATE UNIQUE INDEX log_client ON log (conversation, sender, client_id)
    WHERE client_id IS NOT NULL;
CREATE INDEX log_message ON log (message_id) WHERE message_id IS NOT NULL;

-- What has become of the message at `seq`, up to the event at `changed_seq`.
CREATE TABLE overlay (
    conversation uuid NOT NULL,
    seq          bigint NOT NULL,
    changed_seq  bigint NOT NULL,
    deleted_at   timestamptz,
    deleted_by   text COLLATE "C",
    text         text,
    data         jsonb,
    PRIMARY KEY (conversation, seq)
);

-- Append-only. Marks only rise, so the key serves both "the latest" and "the first at or above".
CREATE TABLE mark (
    conversation uuid NOT NULL,
    seq          bigint NOT NULL,
    number       bigint NOT NULL,
    at           timestamptz NOT NULL,
    n            bigint NOT NULL,
    kind         text NOT NULL,
    user_id      text COLLATE "C" NOT NULL,
    PRIMARY KEY (conversation, user_id, kind, seq)
);

-- What the inbox shows. Updated with every batch that touches the conversation, hence the room
-- that lets new versions of a row stay on its page.
CREATE TABLE conversation_head (
    conversation uuid PRIMARY KEY,
    seq          bigint NOT NULL,
    number       bigint NOT NULL,
    at           timestamptz NOT NULL,
    xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
    title        text,
    last         jsonb
) WITH (fillfactor = 60);

CREATE TABLE snapshot (
    conversation uuid PRIMARY KEY,
    seq          bigint NOT NULL,
    version      integer NOT NULL,
    state        jsonb NOT NULL
);

-- Private changes of one user, numbered from 1 without a gap.
CREATE TABLE user_log (
    n       bigint NOT NULL,
    at      timestamptz NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    kind    text NOT NULL,
    data    jsonb NOT NULL,
    PRIMARY KEY (user_id, n)
);

CREATE TABLE presence (
    last_seen timestamptz NOT NULL,
    user_id   text COLLATE "C" PRIMARY KEY
);
