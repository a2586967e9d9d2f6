-- Who keeps whom out, and who has asked first. Written together with the user's own log, which is
-- the truth of blocks and of answers; a request is made together with its conversation.

ALTER TABLE user_setting ADD COLUMN messages_from text NOT NULL DEFAULT 'everyone';

-- `conversation` is the direct one of the two, be it there or not; `level` is blocked, restricted,
-- or none; `seen` is when the user was online last, for whom they keep out.
CREATE TABLE block (
    conversation uuid NOT NULL,
    seen         timestamptz,
    level        text NOT NULL,
    user_id      text COLLATE "C" NOT NULL,
    blocked      text COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, blocked)
);
CREATE INDEX block_conversation ON block (conversation);

-- At most one of a conversation. `status` is pending, accepted or declined. Not `asked` is one that
-- is kept from the user because they keep its sender out, who did not have to ask.
CREATE TABLE message_request (
    conversation uuid PRIMARY KEY,
    at           timestamptz NOT NULL,
    asked        boolean NOT NULL,
    status       text NOT NULL,
    user_id      text COLLATE "C" NOT NULL
);
CREATE INDEX message_request_user ON message_request (user_id);

-- What was not for everybody does not count for the others; partial, so that no other row pays.
CREATE INDEX log_audience ON log (conversation, seq) WHERE audience IS NOT NULL;
