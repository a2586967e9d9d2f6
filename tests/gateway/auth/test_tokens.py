"""Tokens: every algorithm with its own key, and settings that are refused at the start."""

from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from palaver.engine import StartupError
from palaver.engine.sections import Auth
from palaver.gateway.auth import Identity, TokenVerifier, issue_token
from palaver.protocol.errors import Rejected
from palaver.tests.gateway.harness import SECRET

RSA = rsa.generate_private_key(65537, 2048)
WEAK = rsa.generate_private_key(65537, 1024)
EC = ec.generate_private_key(ec.SECP256R1())


def public(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def private(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def settings(**auth: Any) -> Auth:
    return Auth.model_validate(auth)


def verifier(**auth: Any) -> TokenVerifier:
    return TokenVerifier(settings(**auth))


async def code(verifier: TokenVerifier, token: str | None) -> str:
    with pytest.raises(Rejected) as refused:
        await verifier.verify(token)
    return refused.value.code


@pytest.mark.parametrize(
    ("algorithm", "key"), [("RS256", RSA), ("ES256", EC)], ids=["RS256", "ES256"]
)
@pytest.mark.parametrize("from_file", [False, True])
async def test_CONN_05_public_key_algorithms(
    algorithm: str, key: Any, from_file: bool, tmp_path: Path
) -> None:
    path = tmp_path / "key.pem"
    path.write_text(public(key))
    where = {"public_key_file": path} if from_file else {"public_key": public(key)}
    checks = verifier(algorithms=[algorithm], **where)
    assert await checks.verify(jwt.encode({"sub": "ann"}, key, algorithm)) == Identity("ann")
    other = RSA if key is EC else rsa.generate_private_key(65537, 2048)
    assert await code(checks, jwt.encode({"sub": "ann"}, other, "RS256")) == "AUTH_FAILED"
    with pytest.raises(StartupError, match="HS256 only"):
        checks.issue("ann")


async def test_CONN_05_a_public_key_is_never_a_shared_secret() -> None:
    """The classic confusion: HS256, signed with what everybody knows."""
    import base64
    import hashlib
    import hmac

    pem = public(RSA)
    checks = verifier(algorithms=["HS256", "RS256"], secret=SECRET, public_key=pem)
    head = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=")
    body = base64.urlsafe_b64encode(b'{"sub":"ann"}').rstrip(b"=")
    mac = hmac.new(pem.encode(), head + b"." + body, hashlib.sha256).digest()
    forged = b".".join([head, body, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()
    assert await code(checks, forged) == "AUTH_FAILED"
    assert (await checks.verify(jwt.encode({"sub": "ann"}, SECRET))).user == "ann"
    assert (await checks.verify(jwt.encode({"sub": "bob"}, RSA, "RS256"))).user == "bob"


async def test_issuer_and_audience_are_required_where_they_are_set() -> None:
    auth = {"secret": SECRET, "issuer": "shop", "audience": "chat"}
    checks = verifier(**auth)
    for claims in (
        {"sub": "ann"},
        {"sub": "ann", "iss": "shop"},
        {"sub": "ann", "aud": "chat"},
        {"sub": "ann", "iss": "shop", "aud": "mail"},
        {"sub": "ann", "iss": "other", "aud": "chat"},
    ):
        assert await code(checks, jwt.encode(claims, SECRET)) == "AUTH_FAILED"
    assert (await checks.verify(issue_token(settings(**auth), "ann"))).user == "ann"
    # Where none is asked for, one that is there does not matter.
    assert (
        await verifier(secret=SECRET).verify(issue_token(settings(**auth), "ann"))
    ).user == "ann"


async def test_clocks_may_differ_a_little() -> None:
    token = issue_token(settings(secret=SECRET), "ann", ttl_s=-10)
    assert await code(verifier(secret=SECRET), token) == "SESSION_EXPIRED"
    identity = await verifier(secret=SECRET, leeway_s=20).verify(token)
    assert identity.ttl() in (9, 10)


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        ({}, "auth.secret is missing"),
        ({"secret": "s" * 31}, "at least 32 bytes"),
        ({"algorithms": ["RS256"]}, "need a public key"),
        ({"algorithms": ["RS256"], "public_key": "k", "public_key_file": "k"}, "give one of"),
        ({"algorithms": ["RS256"], "public_key": "nonsense"}, "no PEM public key"),
        ({"algorithms": ["RS256"], "public_key": public(EC)}, "no PEM public key"),
        ({"algorithms": ["ES256"], "public_key": private(EC)}, "no PEM public key"),
        ({"algorithms": ["RS256"], "public_key": public(WEAK)}, "too weak"),
        ({"algorithms": ["RS256"], "public_key": public(RSA), "jwks": "k"}, "give one of"),
        ({"algorithms": ["RS256"], "public_key_file": "/nowhere.pem"}, "cannot be read"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_words(auth: dict[str, Any], words: str) -> None:
    with pytest.raises(StartupError, match=words) as refused:
        verifier(**auth)
    secret = auth.get("secret")
    assert secret is None or secret not in str(refused.value)


async def test_development_makes_up_a_secret_each_time() -> None:
    one, other = (TokenVerifier(Auth(), development=True) for _ in range(2))
    assert (await one.verify(one.issue("ann"))).user == "ann"
    assert await code(other, one.issue("ann")) == "AUTH_FAILED"


def test_tokens_are_issued_to_user_ids_only() -> None:
    with pytest.raises(ValueError, match="printable"):
        issue_token(settings(secret=SECRET), "ann\n")
