"""What one run does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LIMITS = {
    "PALAVER_CONNECTIONS__MAX_PER_USER": "100",
    "PALAVER_CONNECTIONS__HEARTBEAT_S": "3",
    "PALAVER_CONNECTIONS__OUTBOX_BYTES": "65536",
    "PALAVER_CONNECTIONS__SEND_BUFFER_BYTES": "4096",
    "PALAVER_LIMITS__REQUESTS_PER_MIN": "0",
    "PALAVER_LIMITS__MESSAGES_PER_MIN": "0",
    "PALAVER_LIMITS__CONNECTS_PER_MIN": "0",
    "PALAVER_LIMITS__COMMANDS_PER_S": "0",
    "PALAVER_POLICY__EDIT_WINDOW_S": "1000000",
}
"""Settings of the engine under test that differ from the defaults: small buffers, so that a slow
reader is noticed; many connections, since half-open ones linger; no rates; edits
however the clock jumps."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run does. `rate` is commands per second of all devices together."""

    seed: int
    seconds: float = 30.0
    durability: str = "write_behind"
    users: int = 12
    rate: float = 120.0
    dsn: str | None = None
    relaxed_bound_s: float = 1.0
    patience_s: float = 60.0
    sabotage: str | None = None

    def arguments(self, directory: Path, dsn: str, clock: Path) -> list[str]:
        """Of `palaver serve`."""
        arguments = ["--port", "0", "--http-port", "0", "--log-level", "warning"]
        arguments += ["--dsn", dsn, "--data", str(directory / "data")]
        arguments += ["--durability", self.durability, "--clock-offset", str(clock)]
        if self.sabotage is not None:
            arguments += ["--sabotage", self.sabotage]
        return arguments
