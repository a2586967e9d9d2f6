"""The spool: a local durable file that takes writes while Postgres is away or slow.

It is a second place for what is in the writer's memory, not a queue of its own: while the engine
lives, what it holds is stored out of memory, in order, and then removed from it. Only a new start
reads it, and stores what the last engine could not, before anything else.
"""

from .file import SpoolFile, SpoolRefused, SpoolUnavailable, Summary

__all__ = ["SpoolFile", "SpoolRefused", "SpoolUnavailable", "Summary"]
