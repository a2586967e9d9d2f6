"""Three bugs on purpose: `palaver chaos` must not let them pass."""

import pytest

from palaver.benchmarks.chaos.history import read

BUGS = {"drop-commit": "missing", "repeat-seq": "altered", "skip-on-resume": "order"}


@pytest.fixture(scope="module")
def runs(chaos):
    options = ("--seed", 5, "--seconds", 4, "--patience", 2)
    return {bug: chaos(*options, "--sabotage", bug) for bug in BUGS}


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_is_found_and_its_history_is_kept(runs, bug):
    status, verdict = runs[bug].verdict()
    assert (status, verdict["clean"]) == (1, False)
    assert BUGS[bug] in {violation["rule"] for violation in verdict["violations"]}
    assert verdict["plan"]["seed"] == 5
    assert verdict["directory"] == str(runs[bug].directory)
    assert verdict["history"]
    records = list(read(runs[bug].directory / "history.msgpack"))
    assert len(records) == verdict["counts"]["records"]
