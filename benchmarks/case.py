"""One thing to measure: a workload with all of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .figures import Figures, Parameters
from .target import Target


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured. `quick`: the few cases that say most, small enough for two minutes in
    all. `seconds`: of each measured part."""

    quick: bool
    seconds: float


def saturated(**parameters: int) -> Parameters:
    return {**parameters, "mode": "saturated"}


def paced(rate: int, **parameters: int) -> Parameters:
    """`rate`: messages a second of all senders together."""
    return {**parameters, "mode": "paced", "rate": rate}


@dataclass(frozen=True, slots=True)
class Case:
    """`measure` runs in the generator's process, so it is a function of a module; it takes a server
    that was started for it and leaves no connection open."""

    workload: str
    parameters: Parameters
    measure: Callable[[Target, Case], list[Figures]]
    seconds: float
    postgres: bool = False
    """Whether the server has one; otherwise it keeps everything in memory."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What it asks of palaver, as environment variables."""

    def number(self, name: str) -> int:
        """A parameter that is a whole number."""
        return int(self.parameters[name])

    def failed(self, target: str, store: str, why: str) -> Figures:
        """A run of which nothing is known but that there is none."""
        parameters = {**self.parameters, "store": store}
        return Figures(
            workload=self.workload, target=target, parameters=parameters, seconds=0, problems=[why]
        )

    def figures(self, target: Target, used: Mapping[str, Any], **known: Any) -> Figures:
        """Of this case; `used` is what a `Meter` says. `parameters` are further ones."""
        further = known.pop("parameters", {})
        return Figures(
            workload=self.workload,
            target=target.name,
            parameters={**self.parameters, **further, "store": target.store},
            **used,
            **known,
        )
