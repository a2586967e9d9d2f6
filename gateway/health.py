"""What `/v1/health` says: the engine's own account, the sockets, error rates and the process."""

from __future__ import annotations

import os
import resource
import sys
import time
from typing import Any

from .gateway import Gateway
from .hello import SERVER

_started = time.monotonic()


def health(gateway: Gateway) -> dict[str, Any]:
    """`status` is "ok", "degraded", "starting" or "draining"; `checks` names the parts (MON-01)."""
    report: dict[str, Any] = dict(gateway.engine.health())
    checks = dict(report.get("checks") or {})
    checks["keys"] = "ok" if gateway.authenticator.ready else "unavailable"
    checks["sockets"] = "draining" if gateway.draining else "ok"
    status = report["status"]
    if gateway.draining:
        status = "draining"
    elif status == "ok" and not gateway.authenticator.ready:
        status = "degraded"
    return {
        **report,
        "status": status,
        "checks": checks,
        "sockets": {
            "open": gateway.connections,
            "opened": gateway.counters.opened,
            "max": gateway.limits.max_total,
        },
        "rates": gateway.counters.rates(),
        "process": process(),
        "server": SERVER,
    }


def is_ready(gateway: Gateway) -> bool:
    """Whether to send clients here: neither starting nor draining, keys and store at hand. While
    the spool stands in for the store, going on here beats going nowhere."""
    if gateway.draining or not gateway.authenticator.ready:
        return False
    health = gateway.engine.health()
    return bool(health["status"] == "ok" or health["checks"]["storage"] == "spooling")


def process() -> dict[str, float | int | None]:
    """What this process uses, as the system counts it. `cpu_s` is user and system time so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "uptime_s": round(time.monotonic() - _started, 1),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
        "memory_bytes": _resident(),
        # In kilobytes everywhere but on macOS.
        "memory_peak_bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    }


def _resident() -> int | None:
    """Resident memory now; None where there is no /proc."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None
