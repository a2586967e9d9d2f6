"""Sessions of the harness as they might have gone. Their figures are made up."""

from palaver.benchmarks.figures import Figures, Results
from palaver.benchmarks.histogram import Histogram

EVIL = "<b>&amp;\"'|*` ]]>"
"""What somebody's name, command or error must not do to a page."""

TOO_BUSY = "the generator used 97 % of a core"


def histogram(*ms: float) -> Histogram:
    found = Histogram()
    for each in ms:
        found.record(each / 1000, times=1000)
    return found


def run(
    workload: str, target: str, us: float = 10.0, *, problems: tuple[str, ...] = (), **parameters
) -> Figures:
    """1,000 messages in 2 s, each to as many as there are `members`, at `us` of CPU per delivery;
    half of the deliveries within `us`/10 ms, the others within twice of that."""
    deliveries = 1000 * int(parameters.get("members", 1))
    return Figures(
        workload=workload,
        target=target,
        parameters=parameters,
        seconds=2.0,
        messages=1000,
        deliveries=deliveries,
        cpu={"server": us * deliveries / 1e6},
        generator_cpu=0.5,
        writes=2 * deliveries,
        latencies={"delivery": histogram(us / 10, us / 5), "late": histogram(0.01)},
        problems=problems,
    )


def idle(target: str, kib: float, connections: int) -> Figures:
    return Figures(
        workload="idle",
        target=target,
        parameters={"connections": connections},
        seconds=1.0,
        more={"kib_per_connection": kib},
    )


def results(*runs: Figures) -> Results:
    return Results(
        command=f"palaver bench --peer {EVIL}",
        began="2026-01-02T03:04:05+00:00",
        version="1.2.3",
        machine={"CPU": "An <abacus>", "cores": "2"},
        conditions=["rate limits: off", f"peer: {EVIL}"],
        runs=runs,
    )


def session() -> Results:
    """Ours and two others in several cases. Theirs needs eight times our CPU, and one of its runs
    is invalid; the one with the bad name is twice as fast, and no saturated run of it is valid."""
    runs = []
    for target, factor in (("palaver", 1.0), ("theirs", 8.0), (EVIL, 0.5)):
        for members in (100, 1000):
            case = {"members": members, "bytes": 120, "mode": "saturated"}
            bad = (TOO_BUSY,) if target == EVIL else ()
            second = (TOO_BUSY,) if target == "theirs" and members == 100 else bad
            runs.append(run("fanout", target, 1.0 * factor, problems=bad, **case))
            runs.append(run("fanout", target, 1.2 * factor, problems=second, **case))
            runs.append(idle(target, 10 * factor, members))
        runs.append(run("fanout", target, 4 * factor, members=100, mode="paced", rate=100))
    return results(*runs)
