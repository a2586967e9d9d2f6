"""A small document at a path or a URL, read again and again. Bounded in size and time."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import trio

from ...engine.http_body import read_body

if TYPE_CHECKING:
    import httpx

MAX_BYTES: Final = 262_144
TIMEOUT_S: Final = 10.0


class Document(NamedTuple):
    """`max_age_s`: for how long it holds, if its server says so (RFC 9111 §5.2.2.1)."""

    data: bytes
    max_age_s: float | None = None


class Unreadable(Exception):
    """It cannot be had; the text says why and holds nothing of the address."""


Read = Callable[[], Awaitable[Document]]


def is_url(where: str) -> bool:
    return where.startswith(("https://", "http://"))


def read_file(path: Path) -> Document:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable((error.strerror or str(error)).lower()) from None
    if len(data) > MAX_BYTES:
        raise _too_large()
    return Document(data)


@asynccontextmanager
async def reader(where: str) -> AsyncGenerator[Read]:
    """Reads what is at `where` each time it is called, or raises `Unreadable`."""
    if not is_url(where):
        yield partial(trio.to_thread.run_sync, read_file, Path(where))
        return
    import httpx  # as late as this, because most servers and every command do without

    # Redirects are not followed: keys come from where the operator said, or not at all.
    plain = {"Accept-Encoding": "identity"}  # so that its size is what arrives
    async with httpx.AsyncClient(timeout=TIMEOUT_S, headers=plain) as client:
        yield partial(_get, client, where)


async def _get(client: httpx.AsyncClient, url: str) -> Document:
    data, cache_control = None, ""
    try:
        with trio.move_on_after(TIMEOUT_S) as scope:
            async with client.stream("GET", url) as response:
                if response.status_code != 200:
                    raise Unreadable(f"HTTP {response.status_code}")
                cache_control = response.headers.get("cache-control", "")
                data = await read_body(response, MAX_BYTES)
    except Unreadable:
        raise
    except Exception as error:
        # Whatever a library meets out there: who reads goes on without it.
        raise Unreadable(type(error).__name__) from None
    if scope.cancelled_caught:
        raise Unreadable("too slow")
    if data is None:
        raise _too_large()
    return Document(data, _max_age(cache_control))


def _too_large() -> Unreadable:
    return Unreadable(f"larger than {MAX_BYTES} bytes")


def _max_age(cache_control: str) -> float | None:
    found = re.search(r"\bmax-age=(\d{1,9})\b", cache_control)
    return float(found[1]) if found else None
