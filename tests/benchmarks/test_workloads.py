"""Every workload once, very small, against the real server: it works, and nothing is wrong."""

from collections.abc import Iterator

import pytest

from palaver.benchmarks.case import Case, paced, saturated
from palaver.benchmarks.figures import Figures
from palaver.benchmarks.generator import measured
from palaver.benchmarks.own_server import Elsewhere, Palaver
from palaver.benchmarks.target import Target, Tokens
from palaver.benchmarks.workloads import connect, direct, fanout, history, idle, inbox, resume

SECONDS = 0.05


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with Palaver().start(None, {"PALAVER_ACTORS__IDLE_S": "0.05"}) as target:
        yield target


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "_FIRST", 5)
    monkeypatch.setattr(idle, "_SETTLE_S", 0.0)
    monkeypatch.setattr(history, "_IDLE_S", 0.05)


def run(case: Case, target: Target) -> list[Figures]:
    found = case.measure(target, case)
    problems = [problem for figures in found for problem in figures.problems]
    assert [each for each in problems if "generator" not in each] == []  # so short, it may be
    assert all(figures.parameters["store"] == "memory" for figures in found)
    return found


@pytest.mark.parametrize(
    "parameters", [saturated(members=12, bytes=120), paced(200, members=12, bytes=1024)]
)
def test_fanout(target: Target, parameters):
    (figures,) = run(Case("fanout", parameters, fanout.measure, SECONDS), target)
    assert figures.deliveries == 12 * figures.messages > 0
    assert figures.latencies["delivery"].count
    assert figures.latencies["reply"].count == figures.messages
    assert figures.writes


@pytest.mark.parametrize(
    "parameters", [saturated(chats=5, bytes=10_240), paced(200, chats=5, bytes=120)]
)
def test_direct_and_durable(target: Target, parameters):
    (figures,) = run(Case("direct", parameters, direct.measure, SECONDS), target)
    assert figures.deliveries == 2 * figures.messages > 0


def test_idle(target: Target):
    (figures,) = run(Case("idle", {"connections": 10}, idle.measure, SECONDS), target)
    assert "kib_per_connection" in figures.values()


def test_connect(target: Target):
    case = Case("connect", {"connections": 10, "at_once": 10}, connect.measure, SECONDS)
    (figures,) = run(case, target)
    assert figures.requests == figures.latencies["handshake"].count == 10


def test_resume(target: Target):
    parameters = {"devices": 12, "gap": 10, "members": 4}
    (figures,) = run(Case("resume", parameters, resume.measure, SECONDS), target)
    assert figures.requests == figures.latencies["resume"].count == 9  # who talks was not away
    assert figures.deliveries == 90


def test_history(target: Target):
    found = run(Case("history", {"messages": 60}, history.measure, SECONDS), target)
    assert [each.parameters["request"] for each in found] == [
        "first page",
        "random page",
        "cold start",
    ]
    assert all(each.requests >= 3 for each in found)


def test_inbox(target: Target):
    found = run(Case("inbox", {"conversations": 12}, inbox.measure, SECONDS), target)
    assert [each.parameters["request"] for each in found] == ["first page", "what changed"]


def test_a_server_elsewhere_in_a_process_of_its_own(target: Target):
    host, port = target.address
    case = Case("fanout", saturated(members=2, bytes=120), fanout.measure, SECONDS)
    with Elsewhere(f"ws://{host}:{port}", target.tokens).start(None, {}) as elsewhere:
        (figures,) = measured(elsewhere, case)
    assert figures.valid
    assert figures.messages > 0
    assert "us_per_message" not in figures.values()  # nobody said which process it is


def test_a_server_that_refuses_makes_the_run_invalid(target: Target):
    host, port = target.address
    case = Case("fanout", saturated(members=2, bytes=120), fanout.measure, SECONDS)
    wrong = Tokens("a-secret-of-more-than-32-bytes-that-is-not-theirs")
    with Elsewhere(f"ws://{host}:{port}", wrong).start(None, {}) as elsewhere:
        (figures,) = measured(elsewhere, case)
    assert not figures.valid
    assert "AUTH_FAILED" in figures.problems[0]
