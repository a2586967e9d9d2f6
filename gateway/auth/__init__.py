"""Who is there: tokens to users, the keys behind them, and what was revoked.

    identity.py       what is known of a user who has signed in
    tokens.py         JWTs (RFC 7519), verified as the settings say
    keys.py           the keys that the settings hold
    jwks.py           key sets (RFC 7517) that rotate
    documents.py      where those are read from: a file or a URL
    authenticator.py  all of that within a deadline, and against what was revoked

A token may only name a session, which the host is asked for (`engine/host/sessions.py`).

Neither tokens nor secrets nor ids of sessions are ever logged.
"""

from ...engine.host.sessions import Session, SessionStore
from .authenticator import Authenticator
from .identity import Identity, Verifier
from .tokens import TokenVerifier, issue_token

__all__ = [
    "Authenticator",
    "Identity",
    "Session",
    "SessionStore",
    "TokenVerifier",
    "Verifier",
    "issue_token",
]
