"""The Python client, for trio: `Client`, what it yields, and what it raises."""

from ...protocol.errors import Rejected
from .calling import MessageOptions
from .client import Client
from .connection import Address, Connector
from .disk_outbox import DiskOutbox
from .errors import (
    CallTimeout,
    ClientClosed,
    ClientEnded,
    ClientError,
    ConnectionLost,
    Expired,
    NoAnswer,
    OutboxForeign,
    OutboxFull,
    OutboxInUse,
    OutboxUnusable,
    ReconnectFailed,
    Refused,
    UploadFailed,
)
from .grouping import grouped
from .outbox import Outbox
from .outgoing import Outgoing
from .pushes import Event, Failed, Push, Reload, Sent, Signal, StateChange
from .reconnect import Backoff, exponential, linear
from .status import BackwardStatus, MessageStatus, Status

__all__ = [
    "Address",
    "Backoff",
    "BackwardStatus",
    "CallTimeout",
    "Client",
    "ClientClosed",
    "ClientEnded",
    "ClientError",
    "ConnectionLost",
    "Connector",
    "DiskOutbox",
    "Event",
    "Expired",
    "Failed",
    "MessageOptions",
    "MessageStatus",
    "NoAnswer",
    "Outbox",
    "OutboxForeign",
    "OutboxFull",
    "OutboxInUse",
    "OutboxUnusable",
    "Outgoing",
    "Push",
    "ReconnectFailed",
    "Refused",
    "Rejected",
    "Reload",
    "Sent",
    "Signal",
    "StateChange",
    "Status",
    "UploadFailed",
    "exponential",
    "grouped",
    "linear",
]
