"""Who is there: tokens to users, the keys and sessions behind them, and what was revoked.

    identity.py       what is known of a user who has signed in
    tokens.py         JWTs (RFC 7519), verified as the settings say
    keys.py           the keys that the settings hold
    jwks.py           key sets (RFC 7517) that rotate
    documents.py      where those are read from: a file or a URL
    sessions.py       the port to the host's sessions
    authenticator.py  all of that within a deadline, and against what was revoked

Neither tokens nor secrets nor ids of sessions are ever logged.
"""

from .authenticator import Authenticator
from .identity import Identity, Verifier
from .sessions import Session, SessionStore
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
