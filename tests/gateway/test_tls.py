"""Certificates: both listeners, the oldest version, renewal, and files that cannot be used."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
import trio
from cryptography.hazmat.primitives.asymmetric import ec
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from palaver.engine import Engine, StartupError
from palaver.engine.sections import Tls
from palaver.gateway import Listening, serve
from palaver.gateway.auth import issue_token
from palaver.gateway.client import Client, StateChange
from palaver.gateway.tls import Certificate, certificate
from palaver.tests.gateway.harness import FakeEngine, Peer, fake, house, settings
from palaver.tests.support.certificates import Authority, private_pem


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    authority = Authority(tmp_path)
    authority.issue()
    return authority


class Server:
    def __init__(self, engine: FakeEngine, listening: Listening) -> None:
        self.engine = engine
        self.listening = listening

    @property
    def ports(self) -> tuple[int, int]:
        return self.listening.port, self.listening.http_port


@asynccontextmanager
async def server(authority: Authority, **tls: Any) -> AsyncIterator[Server]:
    note, engine = fake(settings(tls=authority.settings(**tls)))
    async with trio.open_nursery() as nursery:
        yield Server(note, await nursery.start(serve, engine))
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def connected(
    port: int, context: ssl.SSLContext
) -> AsyncIterator[trio.SSLStream[trio.SocketStream]]:
    stream = await trio.open_ssl_over_tcp_stream("127.0.0.1", port, ssl_context=context)
    try:
        await stream.do_handshake()
        yield stream
    finally:
        await trio.aclose_forcefully(stream)


async def shown(port: int, context: ssl.SSLContext) -> Any:
    """Which certificate a new connection gets to see."""
    async with connected(port, context) as stream:
        return stream.getpeercert()["serialNumber"]


async def test_SEC_13_both_listeners_speak_tls_and_say_so(authority: Authority) -> None:
    async with server(authority) as here:
        assert here.listening.ws_url.startswith("wss://")
        assert here.listening.http_url.startswith("https://")
        async with connected(here.listening.port, authority.trusting()) as stream:
            peer = Peer(stream)
            await peer.upgrade()
            assert (await peer.hello(here.listening.issue_token("ann")))["t"] == "welcome"
            here.engine.push({"t": "message.sent", "seq": 1, "d": {"text": "x" * 100_000}})
            assert (await peer.item())["seq"] == 1
        async with httpx.AsyncClient(verify=authority.trusting()) as http:
            answer = await http.get(f"{here.listening.http_url}/v1/ready")
            assert answer.json() == {"ready": True}


@pytest.mark.parametrize("oldest", ["1.2", "1.3"])
async def test_SEC_13_older_versions_are_refused(authority: Authority, oldest: str) -> None:
    old = authority.trusting()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    async with server(authority, min=oldest) as here:
        for port in here.ports:
            async with connected(port, authority.trusting()) as stream:
                assert stream.version() == "TLSv1.3"
            if oldest == "1.2":
                async with connected(port, old) as stream:
                    assert stream.version() == "TLSv1.2"
            else:
                with pytest.raises(trio.BrokenResourceError):
                    await shown(port, old)


async def test_a_renewed_certificate_is_for_new_connections(authority: Authority) -> None:
    context = authority.trusting()
    async with server(authority) as here:
        assert here.listening.certificate is not None
        first = await shown(here.listening.port, context)
        async with connected(here.listening.port, context) as stream:
            peer = Peer(stream)
            await peer.upgrade()
            await peer.hello(here.listening.issue_token("ann"))

            authority.issue()
            assert here.listening.certificate.reload()
            [second] = {await shown(port, context) for port in here.ports}
            assert second != first

            authority.key.write_bytes(private_pem(ec.generate_private_key(ec.SECP256R1())))
            with structlog.testing.capture_logs() as entries:
                assert not here.listening.certificate.reload()
            assert [(entry["log_level"], entry["reason"]) for entry in entries] == [
                ("error", f"tls.key does not belong to the certificate {authority.certificate}")
            ]
            assert {await shown(port, context) for port in here.ports} == {second}

            await peer.send({"t": "ping"})
            assert await peer.item() == {"t": "pong"}


def spoil(authority: Authority, how: str) -> Tls:
    key = ec.generate_private_key(ec.SECP256R1())
    if how == "no certificate":
        authority.certificate.unlink()
    elif how == "no key":
        authority.key.unlink()
    elif how == "another key":
        authority.key.write_bytes(private_pem(key))
    elif how == "encrypted":
        authority.key.write_bytes(private_pem(key, b"secret"))
    elif how == "garbage":
        authority.certificate.write_text("-----BEGIN CERTIFICATE-----\nx")
    elif how == "in one":
        return Tls(certificate=authority.certificate)
    else:
        return Tls(key=authority.key)
    return Tls.model_validate(authority.settings())


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("no certificate", r"tls\.certificate .*server\.pem cannot be read: no such file"),
        ("no key", r"tls\.key .*server\.key cannot be read: no such file"),
        ("another key", r"tls\.key does not belong to the certificate .*server\.pem"),
        ("encrypted", r"tls\.key is encrypted"),
        ("garbage", r"not both in PEM format"),
        ("in one", r"not both in PEM format"),
        ("key alone", r"tls\.key is set without tls\.certificate"),
    ],
)
async def test_files_that_cannot_be_used_are_refused_in_words(
    authority: Authority, how: str, words: str
) -> None:
    _, engine = fake(settings(tls=spoil(authority, how).model_dump()))
    with pytest.raises(StartupError, match=words):
        await serve(engine)


def test_key_and_certificate_may_be_in_one_file(authority: Authority) -> None:
    with authority.certificate.open("ab") as file:
        file.write(authority.key.read_bytes())
    assert isinstance(certificate(Tls(certificate=authority.certificate)), Certificate)
    assert certificate(Tls()) is None


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\x00"], ids=["nothing", "a beginning"])
async def test_a_tls_handshake_that_is_not_finished_is_not_waited_for(
    authority: Authority, said: bytes, clock: MockClock
) -> None:
    made = certificate(Tls.model_validate(authority.settings()))
    assert made is not None
    async with house(connections={"hello_timeout_s": 10}) as here, trio.open_nursery() as nursery:
        ours, theirs = memory_stream_pair()
        stream = trio.SSLStream(ours, made.context, server_side=True, https_compatible=True)
        nursery.start_soon(here.gateway.serve_stream, stream)
        began = trio.current_time()
        if said:
            await theirs.send_all(said)
        assert await theirs.receive_some() == b""
        assert trio.current_time() - began == 10
        await wait_all_tasks_blocked()
        assert here.gateway.connections == 0
        assert here.gateway.counters.closed == {"3502": 1}


async def test_the_client_connects_to_whom_it_trusts(authority: Authority) -> None:
    chosen = settings(tls=authority.settings())
    async with Engine(chosen) as engine, trio.open_nursery() as nursery:
        url = (await nursery.start(serve, engine)).ws_url
        token = issue_token(chosen.auth, "ann")
        async with Client(url, token, ssl_context=authority.trusting()) as ann:
            sent = await ann.call("message.send", {"to": "bob", "text": "hi"})
            assert sent["seq"] == 2
        async with Client(url, token) as stranger:
            async for push in stranger:
                if isinstance(push, StateChange) and push.state == "disconnected":
                    assert (push.reason or "").startswith("its certificate is not trusted: ")
                    break
        nursery.cancel_scope.cancel()
