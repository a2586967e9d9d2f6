-- What is to be done at a time to come (protocol/jobs.py).
--
-- `due` is when it was meant to be done, `next_at` when it may be taken: the same at first, then
-- the end of the lease of whoever took it, or the time of the next try. `holder` is the incarnation
-- that has it: once that has ended, nobody needs to wait for the end of its lease.
CREATE TABLE job (
    id       uuid PRIMARY KEY,
    due      timestamptz NOT NULL,
    next_at  timestamptz NOT NULL,
    priority smallint NOT NULL,
    attempts smallint NOT NULL,
    kind     text NOT NULL,
    state    text NOT NULL,
    owner    text COLLATE "C",
    error    text,
    data     jsonb NOT NULL,
    holder   integer
) WITH (fillfactor = 70);

CREATE INDEX job_next ON job (priority, next_at) WHERE state = 'pending';
CREATE INDEX job_owner ON job (owner, due, id) WHERE owner IS NOT NULL;
CREATE INDEX job_held ON job (holder) WHERE holder IS NOT NULL;
CREATE INDEX job_dead ON job (due, id) WHERE state = 'dead';
