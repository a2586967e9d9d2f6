"""The system's time, set forward or back from outside, as an administrator's mistake would."""

from __future__ import annotations

import time
from pathlib import Path

from ..clock import SystemClock


class ShiftedClock(SystemClock):
    """`SystemClock` on a machine whose clock is wrong by as many seconds as `file` says.

    The file is read now and at `read`.
    """

    def __init__(self, file: Path) -> None:
        super().__init__(lambda: time.time_ns() + self._shift_ns)
        self._file = file
        self._shift_ns = 0
        self.read()

    def read(self) -> None:
        self._shift_ns = round(float(self._file.read_text("ascii")) * 1e9)
