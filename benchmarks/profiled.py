"""Palaver's command line under cProfile: `python -m palaver.benchmarks.profiled OUTPUT serve …`.

When it ends it writes OUTPUT.svg (a flame graph), OUTPUT.txt (the dearest functions) and
OUTPUT.pstats (for snakeviz and the like). Only the main thread is seen, where trio and so the
engine runs, and only while it computes, not while it waits.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import time
from pathlib import Path

from .profile_graph import flame_graph

_ROWS = 60


def main() -> None:
    output, sys.argv = sys.argv[1], ["palaver", *sys.argv[2:]]
    from ..gateway.cli import main as palaver

    profile = cProfile.Profile(time.thread_time)
    try:
        profile.runcall(palaver)
    finally:  # the command line ends by SystemExit
        write(profile, output)


def write(profile: cProfile.Profile, output: str) -> None:
    """Leave OUTPUT.svg, OUTPUT.txt and OUTPUT.pstats."""
    profile.dump_stats(f"{output}.pstats")
    with Path(f"{output}.txt").open("w") as text:
        stats = pstats.Stats(profile, stream=text).sort_stats("tottime").print_stats(_ROWS)
    Path(f"{output}.svg").write_text(flame_graph(stats))


if __name__ == "__main__":
    main()
