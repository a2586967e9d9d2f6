"""How fast it is: `python -m palaver.benchmarks` drives a real server over real sockets.

load.py       the load generator: raw sockets, prebuilt frames, cheap counting
workloads.py  what it does: one group of 100; 200 direct chats
server.py     the process under test, and what it costs in CPU
__main__.py   the command line and the table
"""
