"""What the command line refuses, and what it does not repeat."""

from pathlib import Path

import pytest

from palaver.benchmarks.bench import Options, _cases, _contenders, _told, carry_out
from palaver.benchmarks.workloads import WORKLOADS
from palaver.gateway.cli.words import Problem


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (Options(workloads=["fanuot"]), "there is no workload fanuot, but: fanout"),
        (Options(workloads=["outage", "fanout"]), "outage is measured alone"),
        (Options(peers=["mysql"]), "there is no peer mysql, but: "),
        (Options(url="ws://localhost:1"), "--target needs --secret or --tokens"),
        (Options(url="wss://localhost:1", secret="s"), "wss is not spoken; name the ws://"),
        (Options(url="localhost:1", secret="s"), "a URL like ws://host:8765"),
        (Options(url="ws://localhost:1", secret="s", peers=["ws"]), "--peer and --profile"),
        (Options(url="ws://localhost:1", tokens=Path("/nowhere")), "/nowhere"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_measured(options: Options, says: str):
    with pytest.raises(Problem, match=says):
        carry_out(options)


def test_every_workload_has_cases_and_quick_has_fewer():
    full, quick = _cases(Options()), _cases(Options(quick=True))
    assert {case.workload for case in full} == {case.workload for case in quick} == set(WORKLOADS)
    assert len(quick) < len(full)
    assert len({(case.workload, *case.parameters.items()) for case in full}) == len(full)


def test_workloads_come_in_their_order_and_one_elsewhere_has_its_own_store():
    cases = _cases(Options(workloads=["durable", "fanout"], url="ws://localhost:1"))
    assert list(dict.fromkeys(case.workload for case in cases)) == ["fanout", "durable"]
    assert not any(case.postgres for case in cases)


def test_tokens_are_used_as_they_were_given(tmp_path: Path):
    tokens = tmp_path / "tokens"
    tokens.write_text("no-token\n")
    (elsewhere,) = _contenders(Options(url="ws://localhost:1", tokens=tokens))
    with elsewhere.start(None, {}) as target:
        with pytest.raises(ValueError, match="not a token"):
            target.tokens.users(1)
        with pytest.raises(ValueError, match="2 users are needed, and there are 1"):
            target.tokens.users(2)


def test_the_secret_is_not_part_of_the_report():
    told = _told(["bench", "--secret", "key one", "--secret=key two", "--json", "a b"])
    assert told == "palaver bench --secret '…' '--secret=…' --json 'a b'"
