-- What messages show besides their text: a row each, stored by the statement that stores the
-- message, in the order in which it has them. The log holds it, too; by these rows the messages are
-- found, and whatever becomes of the files is noted here.
--
-- They stay when the message is deleted, as its row in the log does, and are served no more.
CREATE TABLE attachment (
    conversation  uuid NOT NULL,
    seq           bigint NOT NULL,
    size          bigint,
    duration_s    double precision,
    width         integer,
    height        integer,
    ordinal       smallint NOT NULL,
    type          text NOT NULL,
    url           text,
    thumbnail_url text,
    name          text,
    mime          text,
    PRIMARY KEY (conversation, seq, ordinal)
);
