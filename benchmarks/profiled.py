"""`python -m palaver.benchmarks.profiled OUTPUT serve …`: the command line of palaver under cProfile.

Writes OUTPUT.pstats (for snakeviz and the like) and OUTPUT.txt (the dearest functions) when it ends.
Only the main thread is seen, where trio and so the engine runs.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
from pathlib import Path

_ROWS = 60


def main() -> None:
    output, sys.argv = sys.argv[1], ["palaver", *sys.argv[2:]]
    from ..gateway.cli import main as palaver

    profile = cProfile.Profile()
    try:
        profile.runcall(palaver)
    finally:  # the command line ends by SystemExit
        write(profile, output)


def write(profile: cProfile.Profile, output: str) -> None:
    """Leave OUTPUT.pstats and OUTPUT.txt."""
    profile.dump_stats(f"{output}.pstats")
    with Path(f"{output}.txt").open("w") as text:
        pstats.Stats(profile, stream=text).sort_stats("tottime").print_stats(_ROWS)


if __name__ == "__main__":
    main()
