"""python -m palaver.benchmarks [throughput | outage | slow-reader] [--help]"""

from __future__ import annotations

import sys

from . import outage, slow_reader, throughput

COMMANDS = {"throughput": throughput.main, "outage": outage.main, "slow-reader": slow_reader.main}


def main() -> None:
    """The first word says what is measured; without one it is the throughput."""
    arguments = sys.argv[1:]
    named = COMMANDS.get(arguments[0]) if arguments else None
    if named is not None:
        named(arguments[1:])
    elif arguments and not arguments[0].startswith("-"):
        sys.exit(f"there is no benchmark {arguments[0]!r}, but: {', '.join(COMMANDS)}")
    else:
        throughput.main(arguments)


if __name__ == "__main__":
    main()
