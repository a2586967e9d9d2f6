"""The error table: every way in which the engine says no to one command.

An error ends a command; a `Disconnect` (`disconnects.py`) ends a connection. Frames, REST answers
and the reference in docs/protocol.md are made from this one table (ERR-01).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One row: `retryable` says whether the same command may succeed later, unchanged."""

    code: str
    http: int
    retryable: bool
    sentence: str


ERRORS: Mapping[str, ErrorKind] = {
    kind.code: kind
    for kind in (
        ErrorKind("VALIDATION_FAILED", 400, False, "A field of the command is not acceptable."),
        ErrorKind("BAD_FRAME", 400, False, "The frame cannot be read."),
        ErrorKind("UNSUPPORTED_COMMAND", 400, False, "No such command here."),
        ErrorKind("MESSAGE_TOO_LONG", 400, False, "The text is longer than allowed."),
        ErrorKind("INVALID_MESSAGE_TYPE", 400, False, "Messages of this type are not allowed."),
        ErrorKind("INVALID_FILE_TYPE", 400, False, "Files of this type are not allowed."),
        ErrorKind("SELF_MESSAGE", 400, False, "One cannot write to oneself."),
        ErrorKind("AUTH_REQUIRED", 401, False, "A token is needed."),
        ErrorKind("AUTH_FAILED", 401, False, "The token is not valid."),
        ErrorKind("SESSION_EXPIRED", 401, False, "The session is over; sign in again."),
        ErrorKind("PERMISSION_DENIED", 403, False, "Not allowed."),
        ErrorKind("CSRF_FAILED", 403, False, "The page that asks is not known here."),
        ErrorKind("PRIVACY_DENIED", 403, False, "Not allowed."),
        ErrorKind("EDIT_WINDOW_EXPIRED", 403, False, "Too late to edit this message."),
        ErrorKind("DELETE_WINDOW_EXPIRED", 403, False, "Too late to delete this message."),
        ErrorKind("CONVERSATION_NOT_FOUND", 404, False, "No such conversation."),
        ErrorKind("MESSAGE_NOT_FOUND", 404, False, "No such message in this conversation."),
        ErrorKind("USER_NOT_FOUND", 404, False, "No such user."),
        ErrorKind("ATTACHMENT_NOT_FOUND", 404, False, "No such file."),
        ErrorKind("FEATURE_DISABLED", 404, False, "This feature is switched off."),
        ErrorKind("ATTACHMENT_NOT_READY", 409, False, "The file is not complete yet."),
        ErrorKind("UPLOAD_TIMEOUT", 408, True, "The file did not come; send the same again."),
        ErrorKind("GROUP_FULL", 409, False, "The group has no room for more members."),
        ErrorKind("LAST_ADMIN", 409, False, "The last admin cannot go without a confirmation."),
        ErrorKind("VERSION_CONFLICT", 409, False, "Somebody else changed it first; read it again."),
        ErrorKind("PAYLOAD_TOO_LARGE", 413, False, "The payload is larger than allowed."),
        ErrorKind("ATTACHMENT_TOO_LARGE", 413, False, "The attachment is larger than allowed."),
        ErrorKind("PERSIST_FAILED", 422, False, "The database refused this; it was not stored."),
        ErrorKind("CONVERSATION_LOCKED", 423, False, "The conversation is locked for now."),
        ErrorKind("RATE_LIMITED", 429, True, "Too many requests; wait and repeat."),
        ErrorKind("CONNECTION_LIMIT", 429, False, "Too many connections of one user."),
        ErrorKind(
            "FORWARD_LIMIT", 429, False, "One has forwarded this message as often as one may."
        ),
        ErrorKind("INTERNAL", 500, True, "The engine failed on this; the correlation id names it."),
        ErrorKind("UNAVAILABLE", 503, True, "Not possible at the moment; repeat later."),
        ErrorKind("OVERLOADED", 503, True, "Too much to do at the moment; repeat later."),
    )
}


class Rejected(Exception):
    """The answer «no» to one command. It is an answer, never a crash.

    `code` is a key of `ERRORS`. `details` names the offending field where there is one (ERR-03).
    `retry_after` is in seconds. `correlation` leads from an INTERNAL to the log line of its cause.
    """

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
        correlation: str | None = None,
    ) -> None:
        kind = ERRORS[code]
        super().__init__(code)
        self.code = code
        self.message = message or kind.sentence
        self.details = details
        self.retryable = kind.retryable
        self.retry_after = retry_after
        self.correlation = correlation

    def payload(self) -> dict[str, Any]:
        """The `error` of a Reply (ERR-01)."""
        error: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "retryable": self.retryable,
        }
        if self.details is not None:
            error["details"] = dict(self.details)
        if self.retry_after is not None:
            error["retry_after"] = self.retry_after
        if self.correlation is not None:
            error["correlation"] = self.correlation
        return error

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def invalid(field: str, problem: str) -> Rejected:
    """VALIDATION_FAILED that names its field (ERR-03)."""
    return Rejected("VALIDATION_FAILED", f"{field}: {problem}", details={"field": field})
