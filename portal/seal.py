"""Seals on PDF documents: a digital signature of the installation's own, so that any later change of the file shows.

The key comes from SECRET_KEY: every process has the same one and nothing more has to be kept. Whoever changes SECRET_KEY seals with
another key from then on; what was sealed before stays valid, for a document carries the certificate that it was sealed with.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime

from asn1crypto import keys, x509
from cryptography import x509 as crypto_x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import NameOID
from django.conf import settings
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

FIELD = "Seal"
ORDER = int("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)  # of the curve P-256


def seal_pdf(pdf: bytes, *, reason: str) -> bytes:
    """The document with an invisible seal that says why it was sealed; the pages stay as they are."""
    key = _key()
    certificate = _certificate(key)
    signer = signers.SimpleSigner(
        signing_cert=x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER)),
        signing_key=keys.PrivateKeyInfo.load(
            key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        ),
        cert_registry=SimpleCertificateStore(),
    )
    about = signers.PdfSignatureMetadata(field_name=FIELD, reason=reason, subfilter=fields.SigSeedSubFilter.PADES)
    sealed = signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), about, signer=signer)
    return sealed.getvalue()


def pages_of(pdf: bytes) -> int:
    """How many pages a document has."""
    return int(PdfFileReader(io.BytesIO(pdf)).root["/Pages"]["/Count"])


def _key() -> ec.EllipticCurvePrivateKey:
    secret = HKDF(hashes.SHA256(), 48, salt=None, info=b"tandem document seal").derive(settings.SECRET_KEY.encode())
    return ec.derive_private_key(int.from_bytes(secret) % (ORDER - 1) + 1, ec.SECP256R1())


def _certificate(key: ec.EllipticCurvePrivateKey) -> crypto_x509.Certificate:
    """The installation's own certificate; it vouches for the bytes, not for the company's identity."""
    name = crypto_x509.Name([crypto_x509.NameAttribute(NameOID.COMMON_NAME, f"{settings.WAGTAIL_SITE_NAME} document seal"[:64])])
    usage = crypto_x509.KeyUsage(True, True, False, False, False, False, False, False, False)
    made = (
        crypto_x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(crypto_x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .add_extension(usage, critical=True)
    )
    return made.sign(key, hashes.SHA256())
