"""How fast it is, and how it bears what goes wrong: `python -m palaver.benchmarks` drives a real
server over real sockets.

throughput.py    messages per second, and what each costs in CPU
outage.py        Postgres goes away under load and comes back
slow_reader.py   one member of a large group never reads
chaos/           everything goes wrong, and the history is checked

load.py          the load generator: raw sockets, prebuilt frames, cheap counting
paced.py         the same at a fixed rate, with the latency of each message
frames.py        WebSocket frames without a library
workloads.py     what it does: one group of 100; 200 direct chats
trace.py         what became of each message; percentiles
verification.py  whether the log holds what was replied to
server.py        the process under test, and what it costs in CPU
monitor.py       its memory and metrics, sampled
postgres.py      a Postgres that can be taken away
"""
