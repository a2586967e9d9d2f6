-- The replies of a root, in order. Each is told by an event about the root, so the log is its own
-- list of them; partial, so that no other row pays for it.
CREATE INDEX log_thread ON log (message_id, seq) WHERE kind = 'thread.replied';
