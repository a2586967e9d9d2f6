"""Where the log lives: two stores behind the ports of the actors, held to one contract.

postgres/            the real one: group commit, queries, migrations
memory/              its in-memory twin, with knobs for tests
embedded/            a Postgres of our own, for whoever has none
asyncio_thread.py    the only asyncio of the product, for asyncpg
data_directory.py    where files are, held by one engine at a time
payload.py …         what both stores share: the form of what is kept, the verdict on a write
"""
