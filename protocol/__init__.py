"""The pure core: what may be said, what it means, and what follows from it.

No trio, no asyncio, no clock, no randomness, no I/O: time, ids and the caller arrive as arguments.

    frames.py codec.py values.py     bytes ↔ items                     (the wire)
    errors.py disconnects.py         every way of saying no            (tables)
    commands.py events.py            what is asked, what has happened  (the words)
    state.py message.py machine.py   what is known, and how it changes (the conversation)
    roles.py policy.py ids.py        who may, how much, which
    features/                        one file per thing that people do in a conversation
"""
