"""The Makefile's help names what there is to make."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([\w-]+):", TEXT, re.M))
PARTS = {"lint", "types", "arrows"}
"""Of `check`, which names them."""


def test_every_target_is_phony():
    (phony,) = re.findall(r"^\.PHONY: (.*)$", TEXT, re.M)
    assert set(phony.split()) == TARGETS


def test_help_names_every_target():
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    told = set(re.findall(r"^  make ([\w-]+) {2,}\S", said.stdout, re.M))
    tools = {target for target in TARGETS if target.endswith("-tools")}
    assert told == TARGETS - tools - PARTS
