"""`palaver chaos` as a process, in a directory that the account of Postgres can get to."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PROGRAM = str(Path(sys.executable).with_name("palaver"))


class Chaos:
    """A run under way; `verdict` waits for it."""

    def __init__(self, *args):
        self.directory = Path(tempfile.mkdtemp(prefix="palaver-test-chaos-"))
        where = ["--json", "--directory", str(self.directory)]
        self._process = subprocess.Popen(
            [PROGRAM, "chaos", *map(str, args), *where],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def verdict(self):
        """Exit status and verdict."""
        out, err = self._process.communicate()
        assert out, err
        return self._process.returncode, json.loads(out)

    def close(self):
        if self._process.poll() is None:
            self._process.terminate()
            self._process.communicate()
        shutil.rmtree(self.directory, ignore_errors=True)


@pytest.fixture(scope="module")
def chaos():
    """Starts runs, side by side; what they leave is removed in the end."""
    runs = []

    def start(*args):
        runs.append(Chaos(*args))
        return runs[-1]

    yield start
    for run in runs:
        run.close()
