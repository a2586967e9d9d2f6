"""How a refusal looks by HTTP: RFC 9457, made from the one table of errors (ERR-01)."""

from __future__ import annotations

import math
from typing import Any, Final

from starlette.responses import Response

from ...protocol.codec import JsonCodec
from ...protocol.errors import ERRORS, Rejected
from ..wording import OURS, Wording, worded

MEDIA_TYPE: Final = "application/problem+json"
_json = JsonCodec()


def body(no: Rejected, status: int | None = None, *, wording: Wording = OURS) -> dict[str, Any]:
    """`status`: another one than the table's, where HTTP itself has one for it."""
    kind = ERRORS[no.code]
    error = worded(no.payload(), wording)
    return {
        "type": f"urn:palaver:error:{no.code}",
        "title": kind.sentence,
        "status": status or kind.http,
        "detail": error.pop("message"),
        **error,
    }


def problem(no: Rejected, status: int | None = None, *, wording: Wording = OURS) -> Response:
    """The answer «no». Who may come back is told when, in whole seconds and never too early
    (SEC-05)."""
    told = body(no, status, wording=wording)
    response = Response(_json.encode(told), told["status"], media_type=MEDIA_TYPE)
    if no.retry_after is not None:
        response.headers["Retry-After"] = str(math.ceil(no.retry_after))
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
