"""docs/javascript.md holds what it says: its examples compile, and it leaves nothing public out."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from palaver.tests.docs.blocks import ROOT, of
from palaver.tests.faces.typescript import hold

TEXT = (ROOT / "docs/javascript.md").read_text()
PUBLIC = ("Client", "Commands", "Conversation", "Draft", "Inbox", "Outgoing", "People", "Reads")

MEMBERS = """
import * as api from "./palaver-client.js";
const own = (prototype) => prototype === Object.prototype ? [] :
  [...Object.getOwnPropertyNames(prototype), ...own(Object.getPrototypeOf(prototype))];
const names = (kind) => own(kind.prototype);
const public_ = Object.entries(api).filter(([, value]) => value?.prototype);
const members = Object.fromEntries(public_.map(([name, kind]) => [name, names(kind)]));
console.log(JSON.stringify({ exports: Object.keys(api), members }));
"""


def test_its_examples_compile(sdk: Path) -> None:
    declared = "declare function show(...what: unknown[]): void;\n"
    blocks = {f"{each.page.stem}{each.line}": declared + each.text for each in of("ts")}
    hold(sdk, "docs", blocks)


@pytest.fixture(scope="module")
def api() -> dict[str, object]:
    program = ["node", "--input-type=module", "--eval", MEMBERS]
    done = subprocess.run(program, cwd=ROOT / "gateway/web", capture_output=True, check=True)
    return dict(json.loads(done.stdout))


def test_it_names_everything_that_is_exported(api) -> None:
    assert [name for name in api["exports"] if not re.search(rf"\b{name}\b", TEXT)] == []


@pytest.mark.parametrize("kind", PUBLIC)
def test_it_names_every_member(api, kind: str) -> None:
    known = {"constructor", "changed", "succeed", "fail", "reopen", "mayHaveHappened"}
    internal = {"record", "lane", "close", "learn"} if kind != "Client" else set()
    names = set(api["members"].get(kind, ())) - known - internal
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", TEXT)] == []
