"""Keys that must never be seen again, certificates, and the promise that nothing is ever printed."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from imm_tui.cloud.imm import Imm
from imm_tui.cloud.mns import Queue
from imm_tui.credentials import Credentials, Keys
from tests.cloud.servers import Request, Service

SECRET = "CANARY+secret/0123456789=="
TOKEN = "CANARY+token/0123456789=="
PASSWORD = "CANARY&pass word"
KEYS = Credentials("LTAI5tCanaryId", SECRET)
TEMPORARY_KEYS = Credentials("STS.CanaryId", SECRET, TOKEN)


@pytest.fixture(autouse=True)
def _nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    assert capfd.readouterr() == ("", "")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def queue_on(url: str, keys: Keys = KEYS, **options: bool) -> closing[Queue]:
    return closing(Queue(url, "a-queue", keys, **options))


def imm_on(url: str, **changes: Any) -> closing[Imm]:
    settings: dict[str, Any] = {
        "endpoint": url,
        "region": "cn-beijing",
        "api_version": "2020-09-30",
        "project": "a-project",
        "topic": "a-topic",
        "mns_endpoint": "https://123.mns.cn-beijing.aliyuncs.com/",
        "credentials": KEYS,
    }
    return closing(Imm(**(settings | changes)))


def parameters(request: Request) -> dict[str, str]:
    """What a call of IMM asks for."""
    pairs = parse_qsl(urlsplit(request.target).query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def assert_tells_nothing(error: BaseException, service: Service | None = None) -> None:
    """No part of `error`, or of what it hangs on, holds a secret or a signature; nor would a crash report that shows
    the local variables of every frame."""
    seen: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in seen:
        seen.append(link)
        link = link.__cause__ or link.__context__
    frames = traceback.TracebackException.from_exception(error, capture_locals=True)
    texts = [*(str(part) for part in seen), *(repr(part) + repr(vars(part)) for part in seen), *frames.format()]
    told = "\n".join(text for text in texts if "tests/cloud" not in text)
    signatures = [signature_of(request.headers, request.target) for request in service.requests] if service else []
    for secret in (SECRET, TOKEN, PASSWORD, "CANARY", *filter(None, signatures)):
        assert secret not in told


def signature_of(headers: dict[str, str], target: str) -> str:
    """MNS's signature is in the header, IMM's in the query."""
    return headers.get("authorization", "").rpartition(":")[2] or target.partition("Signature=")[2].partition("&")[0]


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the tests' authority")])
        usage = dict.fromkeys(_USAGES, False) | {"key_cert_sign": True}
        self._certificate = (
            self._draft(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.path = folder / "authority.pem"
        self.path.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, *names: str) -> ssl.SSLContext:
        """What a server of these names shows."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = [
            x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names
        ]
        certificate = (
            self._draft(x509.Name([]), key)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        path = self._folder / f"{names[0]}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _draft(self, subject: x509.Name, key: Any) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that this machine trusts for the length of a test."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    return authority
