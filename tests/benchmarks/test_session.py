"""Who is measured when."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from palaver.benchmarks.case import Case
from palaver.benchmarks.figures import Figures
from palaver.benchmarks.palaver_dialect import PalaverDialect
from palaver.benchmarks.session import Session, machine
from palaver.benchmarks.target import Target


def nothing(target: Target, case: Case) -> list[Figures]:
    return [case.figures(target, {"seconds": 1.0})]


class Stub:
    def __init__(self, name: str, *workloads: str, broken: bool = False) -> None:
        self.name = name
        self.workloads = frozenset(workloads)
        self.running = 0
        self._broken = broken

    def missing(self) -> str | None:
        return None

    @contextmanager
    def start(
        self, postgres: tuple[str, int] | None, settings: Mapping[str, str]
    ) -> Iterator[Target]:
        if self._broken:
            raise RuntimeError("it ended at once")
        self.running += 1
        yield Target(
            name=self.name,
            dialect=PalaverDialect(),
            address=("127.0.0.1", 1),
            store="memory",
            conditions=["no limits"],
        )
        self.running -= 1


def test_servers_take_turns_and_the_turn_changes(monkeypatch):
    monkeypatch.setattr(
        "palaver.benchmarks.session.measured", lambda target, case: nothing(target, case)
    )
    cases = [Case(name, {}, nothing, 1.0) for name in ("fanout", "resume")]
    contenders = [Stub("palaver", "fanout", "resume"), Stub("ws", "fanout")]
    session = Session(cases, contenders, repeats=2)
    begun: list[str] = []
    session.run(begun.append)
    assert [(run.workload, run.target) for run in session.runs] == [
        ("fanout", "palaver"),
        ("fanout", "ws"),
        ("resume", "palaver"),
        ("fanout", "ws"),
        ("fanout", "palaver"),
        ("resume", "palaver"),
    ]
    assert len(begun) == len(session) == 6
    assert list(session.conditions) == ["no limits"]
    assert all(each.running == 0 for each in contenders)


def test_a_server_that_does_not_start_is_a_run_that_does_not_count():
    broken = Stub("ws", "fanout", broken=True)
    session = Session([Case("fanout", {}, nothing, 1.0)], [broken], repeats=2)
    session.run(lambda name: None)
    assert [(run.target, run.problems) for run in session.runs] == [
        ("ws", ["it ended at once"])
    ] * 2


def test_the_machine_is_described():
    assert all(machine().values())
