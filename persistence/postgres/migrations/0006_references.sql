-- What conversations and messages are about: things of the host.

-- Of the conversation, for the inbox. Type to id; null is what is left of a thing that is gone.
ALTER TABLE conversation_head ADD COLUMN context jsonb;

-- Which events of the log refer to what: messages, and the first event of a conversation for the
-- conversation itself. A list to find them by, without those whose thing is gone; each row is
-- written together with its event, so no other message pays for it.
CREATE TABLE log_reference (
    conversation uuid NOT NULL,
    seq          bigint NOT NULL,
    type         text COLLATE "C" NOT NULL,
    id           text COLLATE "C" NOT NULL,
    PRIMARY KEY (type, id, conversation, seq)
);
