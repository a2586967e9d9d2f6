"""The certificate: readable, with its key, and good for some time yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from cryptography import x509

from ...engine import StartupError
from ...engine.doctor import Finding, ok, problem, warning
from ...engine.sections import Tls
from ..tls import certificate

_ABOUT = "certificate"
_SOON_DAYS = 14


def check_certificate(tls: Tls, now: datetime | None = None) -> Iterator[Finding]:
    try:
        if certificate(tls) is None or tls.certificate is None:
            yield ok(_ABOUT, "there is none: TLS is the business of what stands in front")
            return
    except StartupError as error:
        yield problem(_ABOUT, str(error), "See `tls` in the settings.")
        return
    first = x509.load_pem_x509_certificates(tls.certificate.read_bytes())[0]
    now = now or datetime.now(UTC)
    days = (first.not_valid_after_utc - now).days
    renew = "Renew it; a running server reads it again on SIGHUP."
    if now < first.not_valid_before_utc:
        yield problem(
            _ABOUT, f"it is not valid before {first.not_valid_before_utc:%Y-%m-%d}", renew
        )
    elif now >= first.not_valid_after_utc:
        yield problem(_ABOUT, "it has run out: clients refuse to connect", renew)
    elif days < _SOON_DAYS:
        yield warning(_ABOUT, f"it is good for {days} more days", renew)
    else:
        yield ok(_ABOUT, f"it belongs to its key and is good for {days} more days")
