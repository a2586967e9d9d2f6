"""The promise, under everything that a seed of 30 s breaks."""

import pytest


@pytest.mark.timeout(150)
def test_nothing_is_lost_doubled_or_reordered_whatever_breaks(chaos):
    run = chaos("--seed", 7, "--seconds", 30)
    status, verdict = run.verdict()
    assert verdict["violations"] == []
    assert (status, verdict["clean"]) == (0, True)
    assert verdict["counts"]["answered"] > 500
    assert verdict["counts"]["engine runs"] > 1
    assert not list(run.directory.glob("*"))
