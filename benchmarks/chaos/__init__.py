"""`palaver chaos`: break everything that can break, then ask the histories whether a promise was.

    schedule.py    which fault strikes when: pure, from a seed
    engine.py      `palaver serve`, a process that is killed and comes back
    postgres.py    its Postgres, stopped at once or frozen and thawed
    link.py        the network of one device, a TCP proxy
    faults.py      the schedule, carried out on these
    device.py      a client of its own, on the wire as docs/protocol.md has it
    load.py        what devices say
    history.py     what they sent, were told and saw, on disk
    dump.py        the database at the end
    checker/       pure: histories and database in, violations out
    world.py       all of these, from the start through the faults to the stop
    run.py         one run, from plan to verdict
    session.py     one call of the command: a directory, a run, a report
    command.py     the command line

The devices and the checker know the protocol's page and nothing of the engine, so that a mistake
in there is not made twice.
"""
