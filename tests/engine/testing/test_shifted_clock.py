"""A clock that is set from outside, and that never tells an earlier time than before."""

import time

from palaver.engine.testing.shifted_clock import ShiftedClock


def test_it_jumps_forward_and_never_back(tmp_path, monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 5_000_000_000)
    file = tmp_path / "clock"
    file.write_text("0\n")
    clock = ShiftedClock(file)
    assert clock() == 5_000
    file.write_text("3600.5\n")
    assert clock() == 5_000
    clock.read()
    assert clock() == 3_605_500
    file.write_text("-2\n")
    clock.read()
    assert clock() == 3_605_500
    assert ShiftedClock(file)() == 3_000
