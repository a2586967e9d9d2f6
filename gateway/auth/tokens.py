"""Tokens (JWT, RFC 7519) to users: verified as the settings say, and issued for development."""

from __future__ import annotations

import time
from typing import Any, Final

import jwt
import trio
from pydantic import TypeAdapter, ValidationError

from ...engine import StartupError
from ...engine.host.sessions import SessionStore
from ...engine.sections import Auth
from ...protocol.errors import Rejected
from ...protocol.ids import UserId
from .identity import Identity
from .jwks import Jwks
from .keys import public_keys, secret

MAX_TOKEN_CHARS: Final = 16_384

_USER_ID: TypeAdapter[str] = TypeAdapter(UserId)


class TokenVerifier:
    """Verifies tokens as `auth` says. Raises `StartupError`, in words, on settings that cannot
    work or are not safe. With `development`, a missing secret is made up for this process.

    Each algorithm has its own keys, and a token is only tried with a key of the algorithm that it
    names: so a public key is never taken for a shared secret, and `none` is never an algorithm.

    With `sessions`, a token only names a session, which says who the user is (CONN-07).
    """

    def __init__(
        self, auth: Auth, *, sessions: SessionStore | None = None, development: bool = False
    ) -> None:
        self._auth = auth
        self._sessions = sessions
        self._lookups = trio.CapacityLimiter(auth.max_lookups)
        self._jwks: Jwks | None = None
        self._keys: dict[str, Any] = {}
        self._secret = secret(auth, development=development)
        if self._secret is not None:
            self._keys["HS256"] = self._secret
        public = [name for name in auth.algorithms if name != "HS256"]
        if not public:
            return
        sources = (auth.public_key, auth.public_key_file, auth.jwks)
        if sum(source is not None for source in sources) != 1:
            raise StartupError(
                "RS256 and ES256 need a public key: give one of auth.public_key,"
                " auth.public_key_file and auth.jwks"
            )
        if auth.jwks is not None:
            self._jwks = Jwks(auth.jwks, public, auth.jwks_refetch_s)
        else:
            self._keys.update(public_keys(auth, public))

    @property
    def ready(self) -> bool:
        """Whether it has the keys to verify with."""
        return self._jwks is None or self._jwks.ready

    @property
    def issues(self) -> bool:
        """Whether it can `issue` tokens."""
        return self._secret is not None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the keys fresh, until cancelled."""
        if self._jwks is not None:
            await self._jwks.run(task_status=task_status)
        task_status.started()

    async def verify(self, token: str | None) -> Identity:
        if not token:
            raise Rejected("AUTH_REQUIRED")
        try:
            claimed = self._claimed(await self._claims(token))
        except jwt.ExpiredSignatureError:
            raise Rejected("SESSION_EXPIRED") from None
        except (jwt.PyJWTError, ValidationError, ValueError, TypeError, OverflowError):
            # Why exactly is nobody's business who cannot make a valid one.
            raise Rejected("AUTH_FAILED") from None
        return claimed if self._sessions is None else await self._found(claimed, self._sessions)

    def issue(
        self,
        user: str,
        *,
        ttl_s: float | None = 3600.0,
        role: str | None = None,
        session: str | None = None,
    ) -> str:
        """A token for `user` that this verifier believes; `ttl_s` None: it never expires.

        For development and `palaver token`: needs HS256 and its secret. Raises `StartupError`
        without, ValueError for what is no user id.
        """
        if self._secret is None:
            raise StartupError("tokens can be issued with HS256 only: set auth.secret")
        now = time.time()
        claims: dict[str, Any] = {
            "sub": _USER_ID.validate_python(user),
            "iat": int(now),
            "exp": int(now + ttl_s) if ttl_s is not None else None,
            "iss": self._auth.issuer,
            "aud": self._auth.audience,
            self._auth.role_claim: role,
            self._auth.session_claim: session,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self._secret, algorithm="HS256")

    async def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN_CHARS:
            raise jwt.InvalidTokenError
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if algorithm not in self._auth.algorithms:
            raise jwt.InvalidAlgorithmError
        key = self._keys.get(algorithm)
        if key is None and self._jwks is not None:
            key = await self._jwks.find(algorithm, header.get("kid"))
        if key is None:
            raise jwt.InvalidKeyError
        return jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=self._auth.issuer,
            audience=self._auth.audience,
            leeway=self._auth.leeway_s,
            options={
                "require": ["sub"] if self._sessions is None else [self._auth.session_claim],
                "verify_aud": self._auth.audience is not None,
            },
        )

    def _claimed(self, claims: dict[str, Any]) -> Identity:
        """What the token says. Its user may be left to the session: "" then."""
        user = ""
        if "sub" in claims:
            user = _USER_ID.validate_python(claims["sub"], strict=True)
        expires_at, issued_at = (_number(claims.get(name)) for name in ("exp", "iat"))
        if expires_at is not None:
            expires_at += self._auth.leeway_s
        role, session = (
            value if isinstance(value := claims.get(name), str) else None
            for name in (self._auth.role_claim, self._auth.session_claim)
        )
        return Identity(user, expires_at, role, session, issued_at, claims)

    async def _found(self, claimed: Identity, sessions: SessionStore) -> Identity:
        """What the session says that the token names; it ends with whichever ends first."""
        if not claimed.session:
            raise Rejected("AUTH_FAILED")
        async with self._lookups:
            session = await sessions.find(claimed.session)
        if session is None:
            raise Rejected("SESSION_EXPIRED")
        if claimed.user not in ("", session.user):
            raise Rejected("AUTH_FAILED")
        ends = [at for at in (claimed.expires_at, session.expires_at) if at is not None]
        return Identity(
            _USER_ID.validate_python(session.user, strict=True),
            min(ends, default=None),
            session.role,
            claimed.session,
            claimed.issued_at,
            claimed.claims,
        )


def issue_token(auth: Auth, user: str, **claims: Any) -> str:
    """A token for `user` that a server with the same settings believes; see `TokenVerifier`."""
    return TokenVerifier(auth).issue(user, **claims)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
