"""`python -m palaver.benchmarks.report RESULTS.json` tells a run anew.

Without options its tables. `--into` makes the report directory again, with whatever this version
draws; `--page` puts the tables between `<!-- figures -->` and `<!-- end -->` of a Markdown page.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from ..figures import Results
from . import directory, markdown, terminal


def main() -> None:
    parser = argparse.ArgumentParser("python -m palaver.benchmarks.report", description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--into", type=Path, metavar="DIR")
    parser.add_argument("--page", type=Path, metavar="FILE.md")
    options = parser.parse_args()
    console = Console()
    try:
        results = Results.from_json(options.results.read_text())
        if options.into is not None:
            console.print(directory.write(results, options.into))
        if options.page is not None:
            options.page.write_text(markdown.filled(options.page.read_text(), results))
    except (OSError, ValueError, KeyError, TypeError) as error:
        parser.error(f"{type(error).__name__}: {error}")
    if options.into is None and options.page is None:
        terminal.tell(results, console)


if __name__ == "__main__":
    main()
