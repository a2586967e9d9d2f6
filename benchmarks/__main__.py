"""`python -m palaver.benchmarks` is `palaver bench`; `outage`, `slow-reader`, `receipts` and
`blocks` take options of their own here (`--help`)."""

from __future__ import annotations

import sys

import typer

from .bench import DISTURBED
from .command import bench


def main() -> None:
    arguments = sys.argv[1:]
    if arguments and (disturbed := DISTURBED.get(arguments[0])) is not None:
        disturbed(arguments[1:])
    else:
        typer.run(bench)


if __name__ == "__main__":
    main()
