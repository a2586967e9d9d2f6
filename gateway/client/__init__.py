"""The Python client, for trio: `Client`, what it yields, and what it raises."""

from ...protocol.errors import Rejected
from .client import Client
from .connection import Address, Connector
from .errors import (
    CallTimeout,
    ClientClosed,
    ClientEnded,
    ClientError,
    ConnectionLost,
    NoAnswer,
    ReconnectFailed,
    Refused,
)
from .pushes import Event, Push, Reload, Signal, StateChange
from .reconnect import Backoff, exponential, linear

__all__ = [
    "Address",
    "Backoff",
    "CallTimeout",
    "Client",
    "ClientClosed",
    "ClientEnded",
    "ClientError",
    "ConnectionLost",
    "Connector",
    "Event",
    "NoAnswer",
    "Push",
    "ReconnectFailed",
    "Refused",
    "Rejected",
    "Reload",
    "Signal",
    "StateChange",
    "exponential",
    "linear",
]
