"""A program in a process of its own, in which palaver is imported already.

Most of what a short program takes is that import, a second of it; so the process is forked from one
that has done nothing else.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Final

_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["palaver", "palaver.hosting", "palaver.gateway.client"])


def run(program: str, directory: Path, seconds: float = 50.0) -> tuple[int | None, str]:
    """What it exited with, None if it took longer; and what it said to stderr. A warning is an
    error."""
    said = directory / "stderr"
    said.touch()
    process = _CONTEXT.Process(target=_main, args=(program, directory, said))
    process.start()
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        return None, said.read_text()
    return process.exitcode, said.read_text()


def _main(program: str, directory: Path, said: Path) -> None:
    os.chdir(directory)
    for stream, path in ((sys.stdout, os.devnull), (sys.stderr, said)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream.fileno())
    warnings.simplefilter("error")
    main = sys.modules["__main__"] = ModuleType("__main__")
    exec(compile(program, "block", "exec"), main.__dict__)
