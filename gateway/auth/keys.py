"""The keys that the settings hold: a shared secret, a public key."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from ...engine import StartupError
from ...engine.sections import Auth

MIN_SECRET_BYTES: Final = 32
"""As many as the hash of HS256 has (RFC 7518 §3.2)."""
MIN_RSA_BITS: Final = 2048
"""RFC 7518 §3.3."""

PublicKey = RSAPublicKey | EllipticCurvePublicKey


def secret(auth: Auth, *, development: bool) -> str | None:
    """For HS256; None if that is not accepted. With `development` a missing one is made up."""
    if "HS256" not in auth.algorithms:
        return None
    if auth.secret is None:
        if development:
            return secrets.token_urlsafe(48)
        raise StartupError(
            "auth.secret is missing: set PALAVER_AUTH__SECRET to at least 32 random bytes, or use"
            " auth.algorithms RS256 or ES256 with auth.public_key or auth.jwks"
        )
    value = auth.secret.get_secret_value()
    if len(value.encode()) < MIN_SECRET_BYTES:
        raise StartupError(f"auth.secret is too short: at least {MIN_SECRET_BYTES} bytes")
    return value


def public_keys(auth: Auth, algorithms: Sequence[str]) -> dict[str, PublicKey]:
    """The configured public key under those of `algorithms` for which it is one."""
    pem = _public_pem(auth)
    keys = {name: key for name in algorithms if (key := _read(name, pem)) is not None}
    if not keys:
        raise StartupError(f"auth.public_key is no PEM public key for {algorithms}, or too weak")
    return keys


def fits(key: Any, algorithm: str) -> bool:
    """Whether `key` is a public one, for `algorithm`, and not too weak for it."""
    if algorithm == "RS256":
        return isinstance(key, RSAPublicKey) and key.key_size >= MIN_RSA_BITS
    return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)


def _public_pem(auth: Auth) -> str:
    if auth.public_key is not None:
        return auth.public_key
    assert auth.public_key_file is not None
    try:
        return auth.public_key_file.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(f"auth.public_key_file cannot be read: {error}") from None


def _read(algorithm: str, pem: str) -> PublicKey | None:
    try:
        key = jwt.get_algorithm_by_name(algorithm).prepare_key(pem)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return key if fits(key, algorithm) else None
