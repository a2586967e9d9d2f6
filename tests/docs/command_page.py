"""docs/commands.md: every command of `palaver` with its options, as `--help` has them.

`make commands` writes it; a test says if it is not current.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_type_hints

from palaver.tests.docs.commands import leaves
from palaver.tests.docs.configuration import values_of

PAGE: Final = Path(__file__).parents[2] / "docs/commands.md"

HEAD: Final = """\
# Every command

<!-- Made by `make commands` from the commands themselves; not to be edited. -->

As `palaver COMMAND --help` says it; in a checkout it is `.venv/bin/palaver`. What they are for:
[operations](operations.md), [performance](performance.md) (`bench`) and
[reliability](reliability.md) (`chaos`).
"""


def page() -> str:
    return "\n".join([HEAD, *_lines()]) + "\n"


def _lines() -> Iterator[str]:
    for name, command in leaves():
        yield f"## palaver {name}\n"
        yield f"{inspect.cleandoc(command.help or '')}\n"
        if shown := [each for each in command.params if not getattr(each, "hidden", False)]:
            yield "| | |\n|---|---|"
            kinds = get_type_hints(inspect.unwrap(command.callback))
            for each in shown:
                yield _row(each, kinds.get(each.name))
            yield ""


def _row(parameter: Any, kind: Any) -> str:
    names = [*parameter.opts, *parameter.secondary_opts]
    if not names[0].startswith("-"):
        names = [names[0].upper() + (" …" if parameter.nargs == -1 else "")]
    elif parameter.metavar:
        names[0] += f" {parameter.metavar}"
    shown = ", ".join(f"`{name}`" for name in names)
    about = " ".join((parameter.help or "").split()).replace("|", "\\|")
    if values := values_of(kind):
        about = f"{about} One of {', '.join(f'`{each}`' for each in values)}".strip()
    return f"| {shown} | {about} |"


if __name__ == "__main__":
    PAGE.write_text(page())
