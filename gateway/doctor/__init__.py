"""What is wrong with the side that clients see, in words. See `engine.doctor` for the rest.

auth.py       secrets, keys, where tokens come from
listening.py  ports, and who answers there
tls.py        the certificate
"""

from __future__ import annotations

from ...engine.doctor import Finding
from ...engine.settings import Settings
from .auth import check_jwks, check_sources, check_tokens
from .listening import check_ports
from .tls import check_certificate

__all__ = ["examine"]


async def examine(settings: Settings) -> list[Finding]:
    """What a gateway with `settings` would find."""
    return [
        *check_tokens(settings),
        *check_sources(settings.auth),
        *await check_jwks(settings.auth),
        *check_certificate(settings.tls),
        *await check_ports(settings),
    ]
