"""What processes use is read by group, children included."""

import os
import subprocess
import sys

from palaver.benchmarks.processes import Meter, Processes

WORK = "sum(i * i for i in range(1_000_000))"


def test_what_a_child_used_is_counted_also_when_it_has_ended():
    meter = Meter({"server": [os.getpid()]})
    subprocess.run([sys.executable, "-c", WORK], check=True)
    used = meter.stop()
    assert used["cpu"]["server"] > 0
    assert used["rss"]["server"] > 2**20
    assert used["seconds"] > 0


def test_the_memory_of_postgres_is_not_told():
    processes = Processes({"server": [os.getpid()], "postgres": [os.getpid()]})
    assert processes.rss().keys() == {"server"}
    assert processes.cpu().keys() == {"server", "postgres"}


def test_of_a_server_elsewhere_nothing_is_known():
    used = Meter({}).stop()
    assert (used["cpu"], used["rss"], used["writes"]) == ({}, {}, None)


def test_calls_of_write_that_can_not_be_all_are_not_told():
    meter = Meter({"server": [os.getpid()]})
    before = Processes({"server": [os.getpid()]}).writes()
    for _ in range(50):
        os.write(2, b"")
    used = meter.stop(frames=50)
    if before is None:  # not every system counts them
        assert used["writes"] is None
    else:
        assert used["writes"] >= 50
        assert meter.stop(frames=10**9)["writes"] is None
