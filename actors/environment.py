"""What every actor of one engine shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import trio

from ..protocol.policy import Policy
from .alarms import Alarms
from .files import Links
from .guards import Guard
from .host import Host
from .hub import Hub
from .jobs import Bell, JobLimits
from .loading import Loading
from .people import People
from .ports import Clock, NewId, Store
from .reactors import Reactors
from .relations import Relations, Strangers
from .supervisor import Counters
from .supervisor import Limits as CrashLimits


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of the actors; `engine.settings.Actors` says what each means."""

    mailbox: int = 1024
    slice: int = 64
    ring: int = 256
    resume_limit: int = 1000
    waiting_per_sender: int = 64
    idle_s: float = 300.0
    snapshot_every: int = 500
    ask_timeout_s: float = 10.0
    relations_timeout_s: float = 2.0
    presence_grace_s: float = 5.0
    unread_flush_s: float = 0.5
    session_queries: int = 64
    reader_queue: int = 10_000
    pending_asks: int = 1024
    max_connections_per_user: int = 10
    messages_per_min: int = 60
    connects_per_min: int = 20
    requests_per_min: int = 300
    messages_to_strangers_per_h: int = 0
    new_conversations_per_day: int = 0
    loads: int = 16
    waiting_loads: int = 10_000
    crashes: CrashLimits = field(default_factory=CrashLimits)
    jobs: JobLimits = field(default_factory=JobLimits)


@dataclass(slots=True)
class Environment:
    """`suspect` holds conversations whose members may have missed an event that nobody will push
    again (a crash, or an actor given up while the store was away); the next load tells them.

    `diverged` holds those whose members were shown, after the given seq, what is not stored and
    cannot be taken back event by event; the next load gives them a new epoch.
    """

    store: Store
    nursery: trio.Nursery
    clock: Clock
    new_id: NewId
    policy: Policy = field(default_factory=Policy)
    limits: Limits = field(default_factory=Limits)
    guards: Sequence[Guard] = ()
    host: Host = field(default_factory=Host)
    reactors: Reactors = field(default_factory=lambda: Reactors(()))
    hub: Hub = field(default_factory=Hub)
    counters: Counters = field(default_factory=Counters)
    suspect: set[str] = field(default_factory=set)
    diverged: dict[str, int] = field(default_factory=dict)
    alarms: Alarms = field(default_factory=Alarms)
    relations: Relations = field(default_factory=Strangers)
    bell: Bell = field(default_factory=Bell)
    links: Links | None = None
    loading: Loading = field(init=False)
    people: People = field(init=False)

    def __post_init__(self) -> None:
        timeout_s = self.limits.relations_timeout_s
        self.people = People(self.policy, self.store, self.relations, timeout_s)
        self.loading = Loading(self.limits.loads, self.limits.waiting_loads)

    def diverge(self, conversation: str, after: int) -> None:
        self.diverged[conversation] = min(after, self.diverged.get(conversation, after))
