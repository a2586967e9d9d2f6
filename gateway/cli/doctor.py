"""`palaver doctor`: what is wrong with an installation, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Config, Data, Dsn, Profile, load_settings
from .words import Problem, in_words, ungrouped

if TYPE_CHECKING:
    from ...engine.doctor import Finding
    from ...engine.settings import Settings

_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


@in_words
def doctor(
    profile: Profile = None,
    config: Config = None,
    dsn: Dsn = None,
    data: Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look at an installation and say what is wrong with it. Changes nothing.

    Give it what `palaver serve` is given. It ends with 0 if there is no problem, else with 1.
    """
    import trio

    from ...engine.doctor import check_program, problem

    findings = check_program()
    try:
        settings = load_settings(config, profile=profile, storage={"dsn": dsn, "data": data})
    except Problem as error:
        advice = "Correct it and look again; `palaver config` lists all settings."
        findings.append(problem("settings", str(error), advice))
    else:
        with ungrouped():
            findings += trio.run(_examine, settings)
    _print_json(findings) if as_json else _print(findings)
    if any(finding.level == "problem" for finding in findings):
        raise typer.Exit(1)


async def _examine(settings: Settings) -> list[Finding]:
    from ...engine.doctor import examine, ok
    from ..doctor import examine as examine_gateway

    return [
        ok("settings", "they can be used"),
        *await examine(settings),
        *await examine_gateway(settings),
    ]


def _print_json(findings: Sequence[Finding]) -> None:
    import json
    from dataclasses import asdict

    typer.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2))


def _print(findings: Sequence[Finding]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for finding in findings:
        what = Text(finding.what)
        if finding.advice:
            what.append(f"\n{finding.advice}", "bold")
        table.add_row(Text(finding.level, _COLOURS[finding.level]), Text(finding.about), what)
    console = Console(highlight=False)
    console.print(table)
    counts = {level: sum(each.level == level for each in findings) for level in _COLOURS}
    console.print(
        f"\n{counts['problem']} problems, {counts['warning']} warnings, {counts['ok']} in order"
    )
