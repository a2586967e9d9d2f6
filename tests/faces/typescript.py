"""TypeScript that is written for the browser client, held to its types."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path


def hold(sdk: Path, name: str, programs: Mapping[str, str]) -> None:
    """`programs`, by what they are called, compile against the source of the client."""
    directory = sdk / "dist" / name
    directory.mkdir(exist_ok=True)
    for left in directory.iterdir():
        left.unlink()
    config = {"extends": "../../tsconfig.docs.json", "include": ["*.ts"]}
    (directory / "tsconfig.json").write_text(json.dumps(config))
    for each, program in programs.items():
        (directory / f"{each}.ts").write_text(program)
    command = ["npx", "tsc", "-p", str(directory)]
    done = subprocess.run(command, cwd=sdk, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
