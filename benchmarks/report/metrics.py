"""What each figure is called, in which unit, and which of them stand where."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from ..figures import Summary, ratios

OURS = "palaver"
"""The target that the others are compared with."""

_LABELS = {
    "us_per_message": "CPU per message, µs",
    "us_per_message_all": "the same with Postgres, µs",
    "us_per_delivery": "CPU per delivery, µs",
    "us_per_delivery_all": "the same with Postgres, µs",
    "us_per_request": "CPU each, µs",
    "us_per_request_all": "the same with Postgres, µs",
    "messages_per_s": "messages/s",
    "deliveries_per_s": "deliveries/s",
    "requests_per_s": "per second",
    "frames_per_write": "frames per write",
    "kib_per_connection": "KiB per connection",
    "took_s": "took, s",
    "server_mib": "server, MiB",
    "postgres_mib": "Postgres, MiB",
}

_RATES = (
    "us_per_delivery",
    "us_per_message",
    "us_per_message_all",
    "us_per_request",
    "us_per_request_all",
    "kib_per_connection",
    "deliveries_per_s",
    "messages_per_s",
    "requests_per_s",
    "frames_per_write",
)
_FEW = {
    "fanout": ("us_per_delivery", "deliveries_per_s", "frames_per_write", "generator"),
    "direct": ("us_per_message", "messages_per_s", "frames_per_write", "generator"),
    "durable": ("us_per_message", "us_per_message_all", "messages_per_s", "generator"),
    "idle": ("kib_per_connection", "server_mib"),
}
_ASIDE = ("_ms", "_mib")
_SATURATING = ("fanout", "direct", "durable")
_CONDITIONS = ("frames_per_write", "generator")
TAILS = ("p50", "p99", "p99.9")
"""What is shown of a latency; the middle one is what is compared."""
_PHRASES = {"rate": "{} messages/s", "gap": "a gap of {}"}
_STORES = {"memory": "no database", "postgres": "Postgres"}

_NAMES = {
    "fanout": "Fan-out: one group",
    "direct": "Direct: many chats of two",
    "durable": "Durable: every reply after its commit",
    "idle": "Idle connections",
    "connect": "Connecting",
    "resume": "Coming back",
    "history": "Pages of history",
    "inbox": "Pages of an inbox",
}


@dataclass(frozen=True, slots=True)
class Headline:
    """One quantity, the less of it the better, that says most about a workload."""

    workload: str
    figure: str
    unit: str
    name: str
    said: str


HEADLINES = (
    Headline("fanout", "us_per_delivery", "µs", "One group", "CPU per delivery"),
    Headline("direct", "us_per_message", "µs", "Chats of two", "CPU per message"),
    Headline("durable", "us_per_message_all", "µs", "Durable", "CPU per message with Postgres"),
    Headline("idle", "kib_per_connection", "KiB", "Idle", "memory per connection"),
)


def label(name: str) -> str:
    """Of a figure, with its unit; a name that nobody foresaw stands for itself."""
    return _LABELS.get(name) or re.sub("_ms$", ", ms", name).replace("_", " ")


def title(workload: str) -> str:
    return _NAMES.get(workload, workload)


def words(name: str, value: float | str) -> str:
    """A parameter of a run: "100 members", "1 KiB", "at 500/s"."""
    if isinstance(value, str):
        return value if name != "store" else _STORES.get(value, value)
    number = f"{value:,}" if float(value).is_integer() else f"{value:g}"
    if name == "bytes":
        return f"{number} B" if value < 1024 else f"{value / 1024:g} KiB"
    return _PHRASES.get(name, "{} " + name.replace("_", " ")).format(number)


def shown(workload: str, paced: bool, known: Collection[str]) -> list[str]:
    """The names of the figures that a table of `workload` has, the most telling first; those of
    latencies without `_p50_ms`.

    At a fixed rate it is latency that counts beside the CPU, and not the rate; in a saturated run
    latency only says how long the queues are.
    """
    names = [name for name in _FEW.get(workload, _RATES) if name in known]
    if workload not in _FEW:
        aside = (*_RATES, "generator")
        names += [name for name in known if name not in aside and not name.endswith(_ASIDE)]
        names += ["generator"] * ("generator" in known)
    if workload in _SATURATING and not paced:
        return names
    if paced:
        names = [name for name in names if not name.endswith("_per_s")]
    kinds = [name.removesuffix("_p50_ms") for name in known if name.endswith("_p50_ms")]
    place = names.index("generator") if "generator" in names else len(names)
    return [*names[:place], *(kind for kind in kinds if kind != "late"), *names[place:]]


def advantage(name: str, ours: Summary, theirs: Summary) -> float | None:
    """How many times better ours is; below 1, ours is worse. None if one of them has no figure, and
    of figures that only describe the conditions."""
    found = ratios(ours, theirs).get(name)
    if not found or name in _CONDITIONS:
        return None
    return found if name.endswith("_per_s") else 1 / found
