"""What a caller of the client must reckon with besides `Rejected`: no answer, no client any more.

`Rejected` (the server's «no» to one command) is the same class that an embedded engine raises.
"""

from __future__ import annotations

from typing import Any

from ...protocol.errors import ERRORS, Rejected


class ClientError(Exception):
    """Base of the errors below."""


class NoAnswer(ClientError):
    """A call ended without an answer.

    `sent` False: it never left this process. True: nobody knows whether it was carried out; a
    durable command is then made safe by `await client.call(*error.again)`, which repeats it under
    the same client id and is answered with the first answer if there was one.
    """

    def __init__(
        self, name: str, payload: dict[str, Any], conversation: str | None, *, sent: bool
    ) -> None:
        super().__init__(name)
        self.again = (name, payload, conversation)
        self.sent = sent


class CallTimeout(NoAnswer):
    """No answer in time; time spent waiting for a connection counts (CLI-03)."""

    def __str__(self) -> str:
        return f"{self.again[0]}: no answer in time"


class ConnectionLost(NoAnswer):
    """The connection broke while a command that may not be repeated waited for its answer."""

    def __str__(self) -> str:
        return f"{self.again[0]}: the connection broke before the answer came"


class Expired(NoAnswer):
    """It waited in the outgoing queue for longer than that keeps anything (`max_age`)."""

    def __str__(self) -> str:
        return f"{self.again[0]}: it could not be sent in time"


class UploadFailed(ClientError):
    """A file did not get to the server, however often it was tried; nothing refers to it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"not uploaded: {self.reason}"


class OutboxFull(ClientError):
    """The outgoing queue holds as much as it may; nothing was added."""

    def __init__(self, commands: int, size: int) -> None:
        super().__init__(commands, size)
        self.commands = commands
        self.size = size

    def __str__(self) -> str:
        return f"the outbox is full: {self.commands} commands, {self.size} bytes"


class OutboxUnusable(ClientError):
    """The file of an outgoing queue cannot be read or written. It is left as it is."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(where, reason)
        self.where = where
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.where} cannot be used: {self.reason}"


class OutboxInUse(OutboxUnusable):
    """Another process, or another client of this one, has it open."""

    def __init__(self, where: str) -> None:
        super().__init__(where, "it is in use")


class ClientEnded(ClientError):
    """The client is not connected and will not connect again. Its subclasses say why."""


class Refused(ClientEnded):
    """The server said not to come back. `code`: of the close frame, or the status of the HTTP
    answer that refused the WebSocket; None if it is no palaver server."""

    def __init__(self, reason: str, code: int | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code

    def __str__(self) -> str:
        return f"the server refuses: {self.reason}" + (f" ({self.code})" if self.code else "")


class OutboxForeign(ClientEnded):
    """What is in the outgoing queue is another user's; it stays there, unsent."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where

    def __str__(self) -> str:
        return f"{self.where} holds what another user has not yet sent"


class ReconnectFailed(ClientEnded):
    """The backoff came to its end; `reason` is that of the last attempt (CLI-01)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"gave up connecting: {self.reason}"


class ClientClosed(ClientEnded):
    """Its `async with` was left."""

    def __str__(self) -> str:
        return "the client is closed"


def rejected(error: dict[str, Any]) -> Rejected:
    """The `error` of a Reply as the exception it was. A code this client is too old to know is
    kept, with whatever the server says of it."""
    code = str(error.get("code", "INTERNAL"))
    rejection = Rejected(
        code if code in ERRORS else "INTERNAL",
        error.get("message"),
        details=error.get("details"),
        retry_after=error.get("retry_after"),
        correlation=error.get("correlation"),
    )
    rejection.code = code
    rejection.retryable = bool(error.get("retryable", rejection.retryable))
    return rejection
