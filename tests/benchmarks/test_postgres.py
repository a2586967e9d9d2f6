"""The Postgres of the benchmarks comes to an end whatever its backends do."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from palaver.benchmarks.postgres import Postgres


def test_a_backend_may_end_while_all_are_paused_or_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        backend = psutil.Process(process.pid)
    postgres = Postgres(Path("nowhere"))
    monkeypatch.setattr(postgres, "_processes", lambda: [backend])
    postgres.pause()
    postgres.resume()
