"""An authority for one test, and the certificates that it issues."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256


def private_pem(key: ec.EllipticCurvePrivateKey, password: bytes | None = None) -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


class Authority:
    """`ca` is its own certificate; those that it issues are for 127.0.0.1."""

    def __init__(self, directory: Path) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
        self.certificate = directory / "server.pem"
        self.key = directory / "server.key"
        self.ca = directory / "ca.pem"
        self.ca.write_bytes(self._certify(self._name, self._key.public_key(), authority=True))

    def issue(self) -> None:
        """Write `certificate` and `key` anew."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "palaver")])
        self.certificate.write_bytes(self._certify(name, key.public_key(), authority=False))
        self.key.write_bytes(private_pem(key))

    def settings(self, **more: object) -> dict[str, object]:
        """The section `tls`."""
        return {"certificate": self.certificate, "key": self.key, **more}

    def trusting(self) -> ssl.SSLContext:
        """Of a client that trusts this authority and nobody else."""
        return ssl.create_default_context(cafile=self.ca)

    def _certify(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, *, authority: bool
    ) -> bytes:
        now = datetime.now(UTC)
        ours = self._key.public_key()
        signing = x509.KeyUsage(
            digital_signature=not authority,
            key_cert_sign=authority,
            crl_sign=authority,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        builder = (
            x509.CertificateBuilder(self._name, name, key, x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(signing, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ours), critical=False)
        )
        if not authority:
            names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, SHA256()).public_bytes(serialization.Encoding.PEM)
