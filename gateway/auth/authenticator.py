"""What the gateway asks who is there: the verifier, within a deadline, and what was revoked."""

from __future__ import annotations

import time

import structlog
import trio

from ...actors.logs import stack
from ...engine.revocations import Revocations
from ...protocol.errors import Rejected
from .identity import Identity, Verifier
from .tokens import TokenVerifier

_log = structlog.get_logger("palaver.auth")

RETRY_S = 1.0


class Authenticator:
    def __init__(self, verifier: Verifier, revocations: Revocations, timeout_s: float) -> None:
        self._verifier = verifier
        self._revocations = revocations
        self._timeout_s = timeout_s

    @property
    def ready(self) -> bool:
        """Whether it has what it needs to tell good tokens from bad ones."""
        return not isinstance(self._verifier, TokenVerifier) or self._verifier.ready

    def issue(
        self, user: str, *, ttl_s: float, role: str | None = None, session: str | None = None
    ) -> str:
        """A token for `user` that is believed here. Raises FEATURE_DISABLED where tokens come from
        elsewhere."""
        if isinstance(self._verifier, TokenVerifier) and self._verifier.issues:
            return self._verifier.issue(user, ttl_s=ttl_s, role=role, session=session)
        raise Rejected("FEATURE_DISABLED", "Tokens are not made here, but by whoever signs them.")

    async def identify(self, token: str | None) -> Identity:
        """Whose `token` it is, at this moment: nothing is awaited after the last check.

        Raises `Rejected` as `Verifier.verify` does; UNAVAILABLE also if that takes longer than
        `timeout_s`, or fails.
        """
        try:
            with trio.fail_after(self._timeout_s):
                identity = await self._verifier.verify(token)
        except Rejected:
            raise
        except trio.TooSlowError:
            raise Rejected("UNAVAILABLE", retry_after=RETRY_S) from None
        except Exception as error:
            _log.error("verifying a token failed", stack=stack(error))
            raise Rejected("UNAVAILABLE", retry_after=RETRY_S) from None
        self.confirm(identity)
        return identity

    def confirm(self, identity: Identity) -> None:
        """Raises SESSION_EXPIRED if `identity` has run out or was revoked since."""
        expired = identity.expires_at is not None and identity.expires_at <= time.time()
        if expired or self._revocations.cover(identity.user, identity.session, identity.issued_at):
            raise Rejected("SESSION_EXPIRED")
