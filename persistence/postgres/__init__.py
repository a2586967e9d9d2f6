"""The Postgres store. Everything that runs in the asyncio thread lives here.

store.py                             PostgresStore: opened, fenced, closed
writer.py backlog.py shard.py        the group commit: gathering, batching, answering
  parcel.py batch.py committer.py    one batch: encoded, stored as one statement, judged
conversations.py inboxes.py pages.py the queries
user_logs.py                         what is a user's own, and its queries
rows.py                              records ↔ rows
incarnation.py migrate.py            whose log it is; what shape it has
database.py connection.py            the pool; one connection
errors.py retry.py                   what goes wrong, and what is tried again
"""
