"""The directory that `--report` names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..figures import Results
from .charts import headline_picture
from .page import html

RESULTS, PAGE, PICTURE = "results.json", "index.html", "headline.svg"


def write(results: Results, directory: Path, profiles: Sequence[Path] = ()) -> Path:
    """Leave `results` in `directory`, for programs and for people, and return the page to open.

    `profiles` are files in it that the page shall lead to. Raises OSError.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / RESULTS).write_text(results.to_json() + "\n")
    picture = headline_picture(results)
    if picture is not None:
        (directory / PICTURE).write_text(picture)
    page = directory / PAGE
    page.write_text(html(results, [str(each.relative_to(directory)) for each in profiles]))
    return page
