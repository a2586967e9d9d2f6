"""The packages of the servers on Node, installed outside of the repository."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCES = Path(__file__).with_name("node")
OLDEST = 18


def missing() -> str | None:
    """Why nothing on Node can run here, and what to do about it; None if it can."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return (
            f"needs Node {OLDEST} or newer with npm, and they are not on the PATH; "
            "on Debian and Ubuntu: apt-get install nodejs npm"
        )
    if int(node_version().partition(".")[0]) < OLDEST:
        return f"needs Node {OLDEST} or newer, and this is {node_version()}: https://nodejs.org"
    return None


def node_version() -> str:
    done = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True)
    return done.stdout.strip().removeprefix("v")


def cache() -> Path:
    """Where the packages and our programs are, or will be. It is named by what it holds, so that
    another version of palaver has another one."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.glob("*.js*")):
        digest.update(path.read_bytes())
    above = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(above, "palaver", "peers", digest.hexdigest()[:16])


def install() -> Path:
    """The `cache()`, filled from the npm registry if it is not there yet (8 MB, once).

    Programs are copied beside the packages because that is where Node looks for what a module
    imports. Raises `RuntimeError` if npm fails.
    """
    directory = cache()
    if directory.is_dir():
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent) as above:
        fresh = Path(above, "node")
        shutil.copytree(SOURCES, fresh, ignore=shutil.ignore_patterns("node_modules"))
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, check=False, cwd=fresh, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(
                "npm could not install the packages of the peers on Node, for which it needs its "
                f"registry, this once:\n{done.stderr.strip()}"
            )
        try:
            fresh.rename(directory)  # whole or not at all
        except OSError:
            if not directory.is_dir():  # nobody else was faster
                raise
    return directory
