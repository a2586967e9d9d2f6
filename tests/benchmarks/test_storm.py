"""Many connections go through their steps; who is turned away tries again."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from palaver.benchmarks.dialect import Refused, Step
from palaver.benchmarks.lines import close
from palaver.benchmarks.storm import Storm


@contextmanager
def door(refusals: int) -> Iterator[tuple[str, int]]:
    """A server that hangs up on the first `refusals` callers, and answers the others."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()
    open_: list[socket.socket] = []

    def serve() -> None:
        turned_away = 0
        while True:
            sock, _ = listener.accept()
            if over.is_set():
                sock.close()
                return
            if turned_away < refusals:
                turned_away += 1
                sock.close()
                continue
            open_.append(sock)
            sock.sendall(sock.recv(2, socket.MSG_WAITALL).upper())

    thread = threading.Thread(target=serve, name="door")
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        over.set()
        socket.create_connection(listener.getsockname()).close()
        thread.join()
        for sock in [*open_, listener]:
            sock.close()


def answered(rest: bytearray) -> bool:
    if rest != b"HI":
        return False
    rest.clear()
    return True


def storm(address: tuple[str, int], count: int) -> Storm:
    users = [f"user{number}" for number in range(count)]
    return Storm(address, users, lambda index: [Step(b"hi", answered)], at_once=3)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("palaver.benchmarks.storm._AGAIN_S", 0.0)


def test_everybody_comes_through_once():
    with door(refusals=0) as address:
        all_of_them = storm(address, 10)
        all_of_them.run()
        assert sorted(line.user for line in all_of_them.lines) == sorted(
            f"user{number}" for number in range(10)
        )
        assert all_of_them.latency.count == 10
        close(all_of_them.lines)


def test_who_is_turned_away_comes_again_and_is_counted():
    with door(refusals=4) as address:
        all_of_them = storm(address, 6)
        all_of_them.run()
        assert (len(all_of_them.lines), all_of_them.refused) == (6, 4)
        close(all_of_them.lines)


def test_who_is_always_turned_away_ends_it():
    with door(refusals=1000) as address, pytest.raises(Refused, match="turned away 5 times"):
        storm(address, 2).run()
