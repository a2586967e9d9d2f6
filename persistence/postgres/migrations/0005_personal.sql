-- What is a user's own: how they keep their conversations, and what they have put away or marked.
--
-- `user_log` is the truth of it, and keeps of each subject the last event only. The tables below
-- are what other queries join; every row is written together with its event.

ALTER TABLE user_log ADD COLUMN subject text COLLATE "C";
CREATE INDEX user_log_subject ON user_log (user_id, subject);

-- `hidden_seq` and `hidden_number`: where the conversation stood when the user deleted it from
-- their inbox, 0 if they have not.
CREATE TABLE preference (
    conversation  uuid NOT NULL,
    hidden_seq    bigint NOT NULL,
    hidden_number bigint NOT NULL,
    muted_until   timestamptz,
    pinned_at     timestamptz,
    archived      boolean NOT NULL,
    unread        boolean NOT NULL,
    user_id       text COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, conversation)
);
CREATE INDEX preference_hidden ON preference (conversation) WHERE hidden_seq > 0;

-- Messages that a user has deleted for themselves; `counted` ones have a number.
CREATE TABLE hidden (
    conversation uuid NOT NULL,
    seq          bigint NOT NULL,
    counted      boolean NOT NULL,
    user_id      text COLLATE "C" NOT NULL,
    PRIMARY KEY (conversation, user_id, seq)
);

-- `n` is the place of the star in the user's log.
CREATE TABLE star (
    conversation uuid NOT NULL,
    message_id   uuid NOT NULL,
    seq          bigint NOT NULL,
    n            bigint NOT NULL,
    at           timestamptz NOT NULL,
    user_id      text COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, message_id)
);
CREATE INDEX star_newest ON star (user_id, n);

CREATE TABLE user_setting (
    read_receipts boolean NOT NULL,
    user_id       text COLLATE "C" PRIMARY KEY,
    presence      text NOT NULL
);
