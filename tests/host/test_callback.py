"""Questions over HTTP: signed, and with answers that are bounded and checked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from palaver.engine.host.asking import BadAnswer
from palaver.engine.host.callback import Callback, open_callback, signature, signing_key
from palaver.engine.host.users import HttpUsers
from palaver.engine.sections import Host
from palaver.protocol.errors import Rejected
from palaver.tests.support.hosts import SECRET


def test_the_signature_is_that_of_standard_webhooks():
    """The vector that its libraries are tested with."""
    id, at, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
    assert signature(signing_key(SECRET), id, at, body) == {
        "webhook-id": id,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[Callback]:
    """A callback to a server that gives these answers in turn, whatever it is asked."""
    left = list(answers)

    async def answer(stream: trio.SocketStream) -> None:
        async with stream:
            data = b""
            while not data.endswith(b"}"):
                data += await stream.receive_some()
            try:
                await stream.send_all(left.pop(0))
            except trio.BrokenResourceError:
                pass

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, answer, listeners)
        url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        async with open_callback(Host(), url, signing_key(SECRET), lambda: "id") as callback:
            yield callback
        nursery.cancel_scope.cancel()


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (http(b"", "500 Oops"), "HTTP 500"),
        (http(b"", "302 Found", "Location: http://127.0.0.1/"), "HTTP 302"),
        (http(b"x" * 2_000_000), "larger than"),
        (http(b"nonsense"), "no JSON"),
        (http(b"[" * 100_000), "no JSON"),
        (http(b"[]"), "no JSON object"),
        (http(b"{}"), "no `users`"),
        (http(b'{"users": []}'), "no `users`"),
        (http(b'{"users": {"ann": 5}}'), "none"),
        (http(b'{"users": {"ann": {"active": 0}}}'), "active"),
    ],
)
async def test_what_is_no_answer_is_none(answer: bytes, problem: str):
    async with answering(answer) as callback:
        with pytest.raises(BadAnswer, match=problem):
            await HttpUsers(callback).find(["ann"])


async def test_an_answer_may_say_less_and_more_than_was_asked():
    answer = b'{"users": {"ann": {"name": "Ann"}, "bob": null, "eve": {}}, "more": 1}'
    async with answering(http(answer)) as callback:
        found = await HttpUsers(callback).find(["ann", "bob", "cid"])
        assert [(id, account.fields, account.active) for id, account in found.items()] == [
            ("ann", {"name": "Ann"}, True)
        ]


@pytest.mark.parametrize("status", ["404 Not Found", "501 Not Implemented"])
async def test_a_host_without_a_search(status: str):
    async with answering(http(b"", status)) as callback:
        with pytest.raises(Rejected, match="FEATURE_DISABLED"):
            await HttpUsers(callback).search("ann", "x", 5)


@pytest.mark.parametrize("found", [b"{}", b'{"found": {}}', b'{"found": [5]}'])
async def test_what_was_found_are_ids(found: bytes):
    async with answering(http(found)) as callback:
        with pytest.raises(BadAnswer, match="no `found`"):
            await HttpUsers(callback).search("ann", "x", 5)
