"""How far a session is, on the terminal: which run of how many, and how long it may still take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Step = Callable[[str], None]


@contextmanager
def progress(console: Console, runs: int) -> Iterator[Step]:
    """To be called at the beginning of each of `runs`, with its name. A terminal shows a bar, which
    is gone at the end; elsewhere there is a line per run."""
    begun = 0
    if not console.is_terminal:

        def say(name: str) -> None:
            nonlocal begun
            begun += 1
            console.print(f"{begun}/{runs} {name}", markup=False, highlight=False)

        yield say
        return
    columns = (BarColumn(24), MofNCompleteColumn(), TimeRemainingColumn())
    name_column = TextColumn("{task.description}", markup=False)
    with Progress(*columns, name_column, console=console, transient=True) as bar:
        task = bar.add_task("", total=runs)

        def show(name: str) -> None:
            nonlocal begun
            bar.update(task, description=name, completed=begun)
            begun += 1

        yield show
