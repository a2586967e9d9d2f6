-- Which database this is, whatever address it is reached by: a spool is meant for one of them.
CREATE TABLE installation (
    id uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO installation DEFAULT VALUES;
