"""A test's certificate authority, which signs valid and expired certificates."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from msgspec import Struct

_DAY: Final = timedelta(days=1)


class Certificate(Struct, frozen=True):
    """PEM files: a certificate, its key, and both in one file as Java's PEM key store requires."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    """A certificate authority; `file` is its own certificate, for trust stores."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        ends = x509.BasicConstraints(ca=True, path_length=0)
        made = _draft(self._name, self._name, self._key, expired=False).add_extension(ends, critical=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def sign(self, name: str, *, address: str = "", expired: bool = False, password: str = "") -> Certificate:
        """Sign a certificate for CN=`name`.

        Args:
            name: the subject's common name, and the files'.
            address: the IPv4 address of the server that presents it; empty for a client.
            expired: it expired yesterday.
            password: encrypts the key.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        draft = _draft(_name(name), self._name, key, expired=expired)
        if address:
            names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(address))])
            draft = draft.add_extension(names, critical=False)
        certificate = draft.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)
        closed = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, closed)
        files = Certificate(*(self._folder / f"{name}{kind}.pem" for kind in ("", "-key", "-both")))
        files.certificate.write_bytes(certificate)
        files.key.write_bytes(pem)
        files.both.write_bytes(pem + certificate)
        return files


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _draft(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, expired: bool
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3 * _DAY)
        .not_valid_after(now - _DAY if expired else now + _DAY)
    )
