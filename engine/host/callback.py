"""Asking the host by HTTP: a POST of JSON, signed as Standard Webhooks has it.

Any library for those verifies it (https://www.standardwebhooks.com): the host computes HMAC-SHA256
over `{webhook-id}.{webhook-timestamp}.{body}` and compares it with `webhook-signature`.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from ..http_body import read_body
from ..sections import Host
from .asking import BadAnswer

if TYPE_CHECKING:
    import httpx

MAX_BYTES: Final = 1_048_576
"""Of an answer."""
TOLERANCE_S: Final = 300
"""By how much the clocks of who signs and of who verifies may differ."""
_PREFIX: Final = "whsec_"


def signing_key(secret: str) -> bytes:
    """The bytes of a secret, which is `whsec_` and the base64 of 24 to 64 bytes. Raises
    ValueError."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not (secret.startswith(_PREFIX) and 24 <= len(key) <= 64):
        raise ValueError(f"must be {_PREFIX} and the base64 of 24 to 64 bytes")
    return key


def signature(key: bytes, id: str, at: int, body: bytes) -> dict[str, str]:
    """The headers that prove that `body` comes from who has `key`; `at` is in seconds."""
    digest = hmac.digest(key, b"%b.%d.%b" % (id.encode(), at, body), "sha256")
    return {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def is_signed(key: bytes, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether `body` comes, just now, from who has `key`. One of several signatures is enough."""
    id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not re.fullmatch("[0-9]{1,12}", at) or abs(now - int(at)) > TOLERANCE_S:
        return False
    expected = signature(key, id, int(at), body)["webhook-signature"].encode()
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(each.encode(), expected) for each in given)


class Callback:
    """Puts questions to `url`. Redirects are not followed: answers come from where the operator
    said, or not at all."""

    def __init__(
        self, client: httpx.AsyncClient, url: str, key: bytes, new_id: Callable[[], str]
    ) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._key = key
        self._new_id = new_id

    async def ask(
        self, path: str, question: Mapping[str, Any], *, id: str | None = None
    ) -> dict[str, Any]:
        """The JSON object that `path` answers to `question`, which is put under a fresh `id`, or
        under the same one whenever it is put again. Waits without limit: set a deadline. Raises
        `BadAnswer`, or whatever the library meets out there."""
        async with self._post(f"{self._url}/{path}", question, id or self._new_id()) as response:
            if response.status_code != 200:
                raise BadAnswer(f"HTTP {response.status_code}", response.status_code)
            data = await read_body(response, MAX_BYTES)
        if data is None:
            raise BadAnswer(f"larger than {MAX_BYTES} bytes")
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError):
            raise BadAnswer("no JSON") from None
        if not isinstance(answer, dict):
            raise BadAnswer("no JSON object")
        return answer

    async def tell(self, it: Mapping[str, Any], *, id: str) -> None:
        """Return once `url` itself has taken it, by any status of success. Waits and raises like
        `ask`."""
        async with self._post(self._url, it, id) as response:
            if not response.is_success:
                raise BadAnswer(f"HTTP {response.status_code}", response.status_code)

    def _post(
        self, url: str, said: Mapping[str, Any], id: str
    ) -> AbstractAsyncContextManager[httpx.Response]:
        body = json.dumps(said).encode()
        headers = signature(self._key, id, int(time.time()), body)
        headers["content-type"] = "application/json"
        return self._client.stream("POST", url, content=body, headers=headers)


@asynccontextmanager
async def open_callback(
    settings: Host, url: str, key: bytes, new_id: Callable[[], str]
) -> AsyncGenerator[Callback]:
    """Connections are kept and shared, at most `max_requests`."""
    import httpx  # as late as this, because most servers do without

    limits = httpx.Limits(max_connections=settings.max_requests)
    plain = {"Accept-Encoding": "identity"}  # so that its size is what arrives
    async with httpx.AsyncClient(timeout=None, limits=limits, headers=plain) as client:  # noqa: S113
        yield Callback(client, url, key, new_id)
