"""Who is there: tokens (JWT, RFC 7519) to users. Neither tokens nor secrets are ever logged."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any, Final, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from pydantic import TypeAdapter, ValidationError

from ..engine import StartupError
from ..engine.settings import Auth
from ..protocol.errors import Rejected
from ..protocol.ids import UserId

MIN_SECRET_BYTES: Final = 32
"""As many as the hash of HS256 has (RFC 7518 §3.2)."""
MAX_TOKEN_CHARS: Final = 16_384

_USER_ID: TypeAdapter[str] = TypeAdapter(UserId)


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified user. `expires_at` is in seconds since 1970, tolerance included; None: never."""

    user: str
    expires_at: float | None = None

    def ttl(self) -> int | None:
        """Whole seconds for which it still holds; None: without end."""
        return None if self.expires_at is None else max(int(self.expires_at - time.time()), 0)


class Verifier(Protocol):
    """What turns a token into an identity; a host may bring its own."""

    def verify(self, token: str | None) -> Identity:
        """Raises `Rejected`: AUTH_REQUIRED without a token, SESSION_EXPIRED for one that has run
        out, AUTH_FAILED for whatever else is wrong with it."""
        ...


class TokenVerifier:
    """Verifies tokens as `Auth` says. Raises `StartupError`, in words, on settings that cannot
    work or are not safe. With `development`, a missing secret is made up for this process.

    Each algorithm has its own key, and a token is only tried with the key of the algorithm that it
    names: so a public key is never taken for a shared secret, and `none` is never an algorithm.
    """

    def __init__(self, auth: Auth, *, development: bool = False) -> None:
        self._auth = auth
        self._secret = _secret(auth, development)
        self._keys: dict[str, Any] = {}
        if "HS256" in auth.algorithms:
            self._keys["HS256"] = self._secret
        asymmetric = [name for name in auth.algorithms if name != "HS256"]
        if asymmetric:
            pem = _public_pem(auth)
            self._keys.update((name, key) for name in asymmetric if (key := _read(name, pem)))
            if not self._keys.keys() & set(asymmetric):
                raise StartupError(f"auth.public_key is no PEM public key for {asymmetric}")

    def verify(self, token: str | None) -> Identity:
        if not token:
            raise Rejected("AUTH_REQUIRED")
        try:
            if len(token) > MAX_TOKEN_CHARS:
                raise jwt.InvalidTokenError
            algorithm = jwt.get_unverified_header(token).get("alg")
            if algorithm not in self._keys:
                raise jwt.InvalidAlgorithmError
            claims = jwt.decode(
                token,
                self._keys[algorithm],
                algorithms=[algorithm],
                issuer=self._auth.issuer,
                audience=self._auth.audience,
                leeway=self._auth.leeway_s,
                options={"require": ["sub"], "verify_aud": self._auth.audience is not None},
            )
            user = _USER_ID.validate_python(claims["sub"], strict=True)
            expires_at = None
            if claims.get("exp") is not None:
                expires_at = float(claims["exp"]) + self._auth.leeway_s
        except jwt.ExpiredSignatureError:
            raise Rejected("SESSION_EXPIRED") from None
        except (jwt.PyJWTError, ValidationError, ValueError, TypeError, OverflowError):
            # Why exactly is nobody's business who cannot make a valid one.
            raise Rejected("AUTH_FAILED") from None
        return Identity(user, expires_at)

    def issue(self, user: str, *, ttl_s: float | None = 3600.0) -> str:
        """A token for `user` that this verifier believes; `ttl_s` None: it never expires.

        For development and `palaver token`: needs HS256 and its secret. Raises `StartupError`
        without, ValueError for what is no user id.
        """
        if self._secret is None:
            raise StartupError("tokens can be issued with HS256 only: set auth.secret")
        claims: dict[str, Any] = {"sub": _USER_ID.validate_python(user), "iat": int(time.time())}
        if ttl_s is not None:
            claims["exp"] = int(time.time() + ttl_s)
        if self._auth.issuer is not None:
            claims["iss"] = self._auth.issuer
        if self._auth.audience is not None:
            claims["aud"] = self._auth.audience
        return jwt.encode(claims, self._secret, algorithm="HS256")


def issue_token(auth: Auth, user: str, *, ttl_s: float | None = 3600.0) -> str:
    """A token for `user` that a server with the same settings believes."""
    return TokenVerifier(auth).issue(user, ttl_s=ttl_s)


def _secret(auth: Auth, development: bool) -> str | None:
    if "HS256" not in auth.algorithms:
        return None
    if auth.secret is None:
        if development:
            return secrets.token_urlsafe(48)
        raise StartupError(
            "auth.secret is missing: set PALAVER_AUTH__SECRET to at least 32 random bytes, or use"
            " auth.algorithms RS256 or ES256 with auth.public_key"
        )
    secret = auth.secret.get_secret_value()
    if len(secret.encode()) < MIN_SECRET_BYTES:
        raise StartupError(f"auth.secret is too short: at least {MIN_SECRET_BYTES} bytes")
    return secret


def _public_pem(auth: Auth) -> str:
    if (auth.public_key is None) == (auth.public_key_file is None):
        raise StartupError(
            "RS256 and ES256 need a public key: give auth.public_key or auth.public_key_file"
        )
    if auth.public_key_file is None:
        assert auth.public_key is not None
        return auth.public_key
    try:
        return auth.public_key_file.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(f"auth.public_key_file cannot be read: {error}") from None


def _read(algorithm: str, pem: str) -> RSAPublicKey | EllipticCurvePublicKey | None:
    """The key in `pem`, if it is one for `algorithm`."""
    try:
        key = jwt.get_algorithm_by_name(algorithm).prepare_key(pem)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return key if isinstance(key, RSAPublicKey | EllipticCurvePublicKey) else None
