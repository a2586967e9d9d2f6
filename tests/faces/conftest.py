"""What the faces are tested with: Node, and a server as users run it.

`make test-faces` sees to it that both are there; `make test` leaves this directory out.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from palaver.tests.support.served import data, served, token

__all__ = ["data", "served", "token"]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def sdk() -> Path:
    """clients/js, compiled."""
    directory = ROOT / "clients/js"
    if shutil.which("npx") is None or not (directory / "node_modules").is_dir():
        pytest.fail(
            "Node is missing, or the packages of clients/js are; `make test-faces` says what to do"
        )
    done = subprocess.run(
        ["npx", "tsc"], cwd=directory, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return directory
