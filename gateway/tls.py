"""The server's certificate: read at the start, and again when it was renewed."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NoReturn

import structlog

from ..engine import StartupError
from ..engine.sections import Tls

_log = structlog.get_logger("palaver.gateway")


class Certificate:
    """`context` serves every listener for good, with the certificate that was read last.

    A TLS connection keeps the certificate with which it began. Raises `StartupError`, in words, if
    the files cannot be used.
    """

    def __init__(self, path: Path, tls: Tls) -> None:
        self._path = path
        self._tls = tls
        self.context = self._current = _context(path, tls)
        # Called for every client hello, also for one that names no server.
        self.context.sni_callback = self._choose

    def reload(self) -> bool:
        """Read the files again. What cannot be used is logged, and the old certificate stays."""
        try:
            self._current = _context(self._path, self._tls)
        except StartupError as why:
            _log.error("the certificate was not replaced", reason=str(why))
            return False
        _log.info("the certificate was read again")
        return True

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, *_: object) -> None:
        connection.context = self._current


def certificate(tls: Tls) -> Certificate | None:
    """The configured one, if there is one."""
    if tls.certificate is not None:
        return Certificate(tls.certificate, tls)
    if tls.key is not None:
        raise StartupError("tls.key is set without tls.certificate")
    return None


def _context(path: Path, tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if tls.min == "1.3" else ssl.TLSVersion.TLSv1_2
    for name, file in (("certificate", path), ("key", tls.key or path)):
        try:
            file.open("rb").close()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StartupError(f"tls.{name} {file} cannot be read: {reason}") from None
    try:
        context.load_cert_chain(path, tls.key, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise StartupError(f"tls.key does not belong to the certificate {path}") from None
        raise StartupError(
            f"tls.certificate {path} and its key are not both in PEM format"
        ) from None
    return context


def _no_password() -> NoReturn:
    raise StartupError("tls.key is encrypted: give one that is not, readable by the server alone")
