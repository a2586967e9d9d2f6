"""A certificate that cannot be used, or not for long, is named."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from palaver.engine.sections import Tls
from palaver.gateway.doctor.tls import check_certificate
from palaver.tests.support.certificates import private_pem

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
DAYS = 90


def key_file(path: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(private_pem(key))
    return key


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    """A certificate of 90 days, and its key."""
    key = key_file(tmp_path / "key.pem")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chat.example")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN + timedelta(days=DAYS))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return Tls(certificate=path, key=tmp_path / "key.pem")


def level(tls: Tls, day: float = 1) -> str:
    (finding,) = check_certificate(tls, BEGIN + timedelta(days=day))
    return finding.level


@pytest.mark.parametrize(
    ("day", "expected"),
    [(-1, "problem"), (1, "ok"), (DAYS - 20, "ok"), (DAYS - 10, "warning"), (DAYS, "problem")],
)
def test_SEC_13_how_long_it_is_good(tls: Tls, day: float, expected: str):
    assert level(tls, day) == expected


def test_files_that_do_not_fit_or_are_not_there_are_problems(tls: Tls, tmp_path: Path):
    key_file(tmp_path / "other.pem")
    assert level(tls.model_copy(update={"key": tmp_path / "other.pem"})) == "problem"
    assert level(tls.model_copy(update={"key": tmp_path / "none.pem"})) == "problem"
    assert level(tls.model_copy(update={"certificate": tmp_path / "none.pem"})) == "problem"
    assert level(Tls(key=tmp_path / "key.pem")) == "problem"


def test_none_is_in_order():
    assert level(Tls()) == "ok"
