"""Key sets: which keys are taken, rotation, and a server of keys that is slow, wrong or away."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import jwt
import pytest
import structlog
import trio
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from trio.testing import MockClock, wait_all_tasks_blocked

from palaver.engine import StartupError
from palaver.engine.sections import Auth
from palaver.gateway.auth import TokenVerifier, documents, jwks
from palaver.gateway.auth.documents import Document, Unreadable, reader
from palaver.gateway.auth.jwks import MIN_MAX_AGE_S, MIN_REFETCH_S, RETRY_S, Jwks, KeySet
from palaver.gateway.gateway import open_gateway
from palaver.gateway.health import health, is_ready
from palaver.protocol.errors import Rejected
from palaver.tests.gateway.harness import SECRET, House, fake, settings

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def jwk(key: Private, kid: str | None = None, **more: Any) -> dict[str, Any]:
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        made = RSAAlgorithm.to_jwk(public, as_dict=True)
    else:
        made = ECAlgorithm.to_jwk(public, as_dict=True)
    made.pop("key_ops", None)
    return {**made, **({} if kid is None else {"kid": kid}), **more}


def key_set(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def token(key: Private, kid: str | None = None, user: str = "ann") -> str:
    algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    claims = {"sub": user, "exp": time.time() + 600}
    return jwt.encode(claims, key, algorithm, headers={} if kid is None else {"kid": kid})


def auth(where: object, **more: Any) -> Auth:
    return Auth.model_validate({"algorithms": ["RS256", "ES256"], "jwks": str(where), **more})


async def refused(verifier: TokenVerifier, token: str) -> str:
    with pytest.raises(Rejected) as no:
        await verifier.verify(token)
    return no.value.code


class Publisher:
    """Stands in for the network: what it answers, and how often it was asked."""

    def __init__(self, data: bytes | None, max_age_s: float | None = None) -> None:
        self.data = data
        self.max_age_s = max_age_s
        self.times: list[float] = []

    @asynccontextmanager
    async def reader(self, where: str) -> AsyncIterator[Callable[[], Awaitable[Document]]]:
        yield self._read

    async def _read(self) -> Document:
        self.times.append(trio.current_time())
        await trio.sleep(0.1)
        if self.data is None:
            raise Unreadable("away")
        return Document(self.data, self.max_age_s)


@asynccontextmanager
async def following(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, **more: Any
) -> AsyncIterator[TokenVerifier]:
    monkeypatch.setattr(jwks, "reader", publisher.reader)
    verifier = TokenVerifier(auth("https://keys.example/jwks", **more))
    async with trio.open_nursery() as nursery:
        await nursery.start(verifier.run)
        yield verifier
        nursery.cancel_scope.cancel()


def test_CONN_05_keys_are_found_by_kid_and_algorithm() -> None:
    keys = KeySet(key_set(jwk(RSA, "r"), jwk(EC, "e"), jwk(OTHER, "o")), ["RS256", "ES256"])
    assert keys.find("RS256", "r") == RSA.public_key()
    assert keys.find("ES256", "o") == OTHER.public_key()
    assert keys.find("ES256", "r") is None
    assert keys.find("RS256", None) == RSA.public_key()
    assert keys.find("ES256", None) is None, "there are two"
    assert keys.find("ES256", "x") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        b"[]",
        b'{"keys": 5}',
        b'{"keys": [5, null, {}]}',
        b"[" * 100_000,
        key_set(),
        key_set({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}),
        key_set(json.loads(RSAAlgorithm.to_jwk(RSA))),
        key_set(jwk(rsa.generate_private_key(65537, 1024))),
        key_set(jwk(ec.generate_private_key(ec.SECP384R1()))),
        key_set(jwk(ec.generate_private_key(ec.SECP384R1()), alg="ES256")),
        key_set(jwk(RSA, use="enc")),
        key_set(jwk(RSA, alg="RS512")),
        key_set(jwk(RSA, alg="none")),
    ],
)
def test_CONN_05_only_strong_public_keys_for_signatures_are_taken(data: bytes) -> None:
    with pytest.raises(Unreadable):
        KeySet(data, ["RS256", "ES256"])


async def test_CONN_05_the_algorithm_is_never_the_token_s_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(key_set(jwk(RSA, "r"), jwk(EC, "e")))
    verifier = TokenVerifier(auth(path, algorithms=["HS256", "RS256"], secret=SECRET))
    assert (await verifier.verify(token(RSA, "r"))).user == "ann"
    assert await refused(verifier, token(EC, "e")) == "AUTH_FAILED"
    known = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body = (
        urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "kid": "r"}, {"sub": "ann"})
    )
    mac = urlsafe_b64encode(hmac.digest(known, head + b"." + body, "sha256")).rstrip(b"=")
    forged = b".".join([head, body, mac]).decode()
    assert await refused(verifier, forged) == "AUTH_FAILED"


async def test_a_file_is_read_again_for_an_unknown_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "MIN_REFETCH_S", 0)
    path = tmp_path / "keys.json"
    path.write_bytes(key_set(jwk(EC, "old")))
    verifier = TokenVerifier(auth(path))
    async with trio.open_nursery() as nursery:
        await nursery.start(verifier.run)
        assert (await verifier.verify(token(EC, "old"))).user == "ann"
        path.write_bytes(key_set(jwk(OTHER, "new")))
        assert (await verifier.verify(token(OTHER, "new"))).user == "ann"
        assert await refused(verifier, token(EC, "old")) == "AUTH_FAILED"
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "no such file"), (b"{}", "no JSON Web Key Set"), (b" " * 300_000, "larger than")],
)
def test_a_file_without_keys_is_refused_at_the_start(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StartupError, match=rf"auth\.jwks .*keys\.json: {words}"):
        TokenVerifier(auth(path))


async def test_an_unknown_key_is_asked_for_once_by_all_together(
    clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = Publisher(key_set(jwk(EC, "old")))
    async with following(publisher, monkeypatch) as verifier:
        await trio.sleep(10)
        publisher.data = key_set(jwk(EC, "old"), jwk(OTHER, "new"))
        users = []

        async def sign_in(user: str) -> None:
            users.append((await verifier.verify(token(OTHER, "new", user))).user)

        async with trio.open_nursery() as nursery:
            for n in range(20):
                nursery.start_soon(sign_in, f"user {n}")
        assert len(set(users)) == 20
        assert len(publisher.times) == 2
        assert (await verifier.verify(token(EC, "old"))).user == "ann"
        assert len(publisher.times) == 2


async def test_strangers_cannot_make_it_ask_more_often(
    clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = Publisher(key_set(jwk(EC, "e")))
    async with following(publisher, monkeypatch) as verifier:
        for n in range(20):
            assert await refused(verifier, token(OTHER, f"made up {n}")) == "AUTH_FAILED"
            await trio.sleep(n / 10)
        times = publisher.times
        assert all(b - a >= MIN_REFETCH_S for a, b in pairwise(times))
        # One that came with the wrong key under a known name is not worth a question.
        asked = len(times)
        assert await refused(verifier, token(OTHER, "e")) == "AUTH_FAILED"
        assert len(times) == asked


async def test_while_the_keys_are_away_the_known_ones_go_on_working(
    clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = Publisher(key_set(jwk(EC, "old")))
    with structlog.testing.capture_logs() as entries:
        async with following(publisher, monkeypatch, jwks_refetch_s=60) as verifier:
            publisher.data = None
            await trio.sleep(600)
            assert len(publisher.times) > 10
            assert (await verifier.verify(token(EC, "old"))).user == "ann"
            assert await refused(verifier, token(OTHER, "new")) == "UNAVAILABLE"
            publisher.data = key_set(jwk(OTHER, "new"))
            assert (await verifier.verify(token(OTHER, "new"))).user == "ann"
            assert await refused(verifier, token(EC, "old")) == "AUTH_FAILED"
    assert [entry["event"] for entry in entries] == [
        "auth.jwks cannot be read",
        "auth.jwks can be read again",
    ]


@pytest.mark.parametrize(
    ("max_age_s", "interval"),
    [(None, 300.0), (120.0, 120.0), (0.0, MIN_MAX_AGE_S), (86_400.0, 300.0)],
)
async def test_keys_are_read_again_in_time(
    max_age_s: float | None,
    interval: float,
    clock: MockClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publisher = Publisher(key_set(jwk(EC, "e")), max_age_s)
    async with following(publisher, monkeypatch):
        await trio.sleep(interval * 3.5)
    began = publisher.times[0]
    assert [time - began for time in publisher.times] == pytest.approx(
        [n * interval for n in range(4)]
    )


async def test_without_keys_it_is_not_ready_and_asks_clients_back(
    clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = Publisher(None)
    monkeypatch.setattr(jwks, "reader", publisher.reader)
    note, engine = fake(settings(auth=auth("https://keys.example/jwks").model_dump()))
    async with open_gateway(engine) as gateway, trio.open_nursery() as nursery:
        here = House(note, gateway, nursery)
        assert not is_ready(gateway)
        report = health(gateway)
        assert (report["status"], report["checks"]["keys"]) == ("degraded", "unavailable")
        peer = await here.connected()
        error = (await peer.hello(token(EC, "e")))["error"]
        assert (error["code"], error["retryable"]) == ("UNAVAILABLE", True)
        assert await peer.closed() == 3001

        publisher.data = key_set(jwk(EC, "e"))
        await trio.sleep(RETRY_S)
        await wait_all_tasks_blocked()
        assert is_ready(gateway)
        assert health(gateway)["status"] == "ok"
        peer = await here.connected()
        assert (await peer.hello(token(EC, "e")))["t"] == "welcome"
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def web(*answers: bytes) -> AsyncIterator[str]:
    """The address of an HTTP server that gives these answers in turn, then none."""
    left = list(answers)

    async def answer(stream: trio.SocketStream) -> None:
        async with stream:
            data = b""
            while b"\r\n\r\n" not in data:
                data += await stream.receive_some()
            if not left:
                await trio.sleep_forever()
            try:
                await stream.send_all(left.pop(0))
            except trio.BrokenResourceError:
                pass

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, answer, listeners)
        yield f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/keys.json"
        nursery.cancel_scope.cancel()


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def test_keys_come_over_http() -> None:
    body = key_set(jwk(RSA, "r"))
    answer = http(body, "200 OK", "Cache-Control: public, max-age=120")
    async with web(answer) as url, reader(url) as read:
        assert await read() == Document(body, 120.0)
    async with web(http(body)) as url, trio.open_nursery() as nursery:
        verifier = TokenVerifier(auth(url))
        await nursery.start(verifier.run)
        assert (await verifier.verify(token(RSA, "r"))).user == "ann"
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([http(b"", "404 Not Found")], "HTTP 404"),
        ([http(b"", "302 Found", "Location: http://127.0.0.1/")], "HTTP 302"),
        ([http(b"x" * 300_000)], "larger than"),
        ([b"SSH-2.0\r\n\r\n"], "Error"),
        ([], "too slow|Timeout"),
    ],
    ids=["404", "redirect", "large", "no HTTP", "slow"],
)
async def test_answers_are_bounded_in_size_and_time(
    answers: list[bytes], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "TIMEOUT_S", 0.2 if not answers else 10)
    async with web(*answers) as url, reader(url) as read:
        with pytest.raises(Unreadable, match=words):
            await read()


async def test_a_server_of_keys_that_is_not_there() -> None:
    with structlog.testing.capture_logs() as entries:
        async with web() as url:
            pass
        keys = Jwks(url, ["ES256"], 300)
        async with trio.open_nursery() as nursery:
            await nursery.start(keys.run)
            assert not keys.ready
            nursery.cancel_scope.cancel()
    assert [(entry["reason"], entry["ready"]) for entry in entries] == [("ConnectError", False)]
