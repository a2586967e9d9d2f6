"""How fast it is, and how it bears what goes wrong: `palaver bench` drives real servers over real
sockets.

command.py       the command; bench.py plans, measures and tells
workloads/       what people do, one file each; what they share is in talk.py and requests.py
peers/           what palaver is measured against
report/          tables, a page, pictures
chaos/           everything goes wrong, and the history is checked

case.py          one thing to measure
session.py       every case on every server, in turn and again
target.py        a server that is measured; own_server.py starts ours
processes.py     what it uses of CPU and memory
figures.py       what one run found out; histogram.py has its latencies
profiling.py     flame graphs of the engine

generator.py     the load generator, a process of its own
flow.py          messages in flight, saturated or paced; inlet.py counts what comes in
storm.py         many connections at once
dialect.py       what it must know of a protocol; palaver_dialect.py is ours
checks.py        what is looked at on a sample of connections

outage.py        Postgres goes away under load and comes back
slow_reader.py   one member of a large group never reads
                 (load.py, rooms.py, paced.py, trace.py, monitor.py, verification.py)
receipts.py      everybody in a large group reads everything
blocks.py        whether the time of an answer tells that one is blocked
server.py        the engine's process
postgres.py      a Postgres that can be taken away
frames.py        WebSocket frames without a library
"""
