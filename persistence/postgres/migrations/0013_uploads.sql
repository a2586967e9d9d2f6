-- Files that users have announced, to send them later (protocol/uploads.py). Where the bytes are only
-- the blob store knows, by the id. `completed_at` is set when the content was looked at; what follows
-- it is what was found.
CREATE TABLE upload (
    id            uuid PRIMARY KEY,
    size          bigint NOT NULL,
    created_at    timestamptz NOT NULL,
    completed_at  timestamptz,
    stored_size   bigint,
    width         integer,
    height        integer,
    owner         text COLLATE "C" NOT NULL,
    type          text NOT NULL,
    mime          text NOT NULL,
    name          text NOT NULL,
    original_name text NOT NULL,
    sha256        bytea,
    thumbnails    integer[]
);

-- From a file to the messages that have it. What lies elsewhere needs no such way.
CREATE INDEX attachment_here ON attachment (url) WHERE url LIKE '/v1/files/%';
