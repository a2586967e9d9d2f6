"""The actors: who does what is asked, one thing at a time, and tells whom it concerns.

    dispatch.py                   a parsed item → the conversation or session it is for
    registry.py supervisor.py     which conversations are in memory; what a crash means
    conversation.py               the actor: one conversation, one order
      effects.py pending.py …     state → fan-out → journal → reply, in the right order
      lookup.py reads.py …        what is read for commands and queries
      resident.py ring.py         what is in memory of it
    session.py inbox.py           a user's devices, presence, counts, inbox
      personal.py stars.py        what is a user's own: stored, and pushed to their devices
      private.py                  … and what of it a conversation must know
    people.py relations.py        how people stand to one another, asked for outside of all of these
    fanout.py hub.py outbox.py    to the devices of the members
    ports.py files.py             what is needed from the world; adapters are elsewhere
    guards/ reactors/             before a command, after an event: for users of the engine

Asks flow down only; upward there are non-blocking offers. Every queue is bounded. There is no SQL
here, and no socket.
"""
