"""The in-memory twin of the Postgres store: for tests, and for trying things out."""
