"""Who sent a request, and whether it is as it was signed: the three signatures that the two services accept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import parse_qsl, quote

from imm_tui.emulator.imm.parameters import ImmError
from imm_tui.emulator.keys import Key, Keyring
from imm_tui.emulator.mns.wire import VERSION, MnsError

WINDOW = 15 * 60
"""Seconds by which a request's date may differ from ours, either way."""

ACS3 = "ACS3-HMAC-SHA256"
ACS3_SIGNED = (
    "host",
    "x-acs-action",
    "x-acs-version",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-content-sha256",
)
"""The headers that must be there, and be signed."""


class Signatures:
    """Checks the requests of one account. A method returns the key that signed, and else raises its service's refusal.

    `skew` is the seconds by which the clock that dates are compared with is ahead of the machine's.
    """

    def __init__(self, keys: Keyring) -> None:
        self._keys = keys
        self._nonces: set[str] = set()
        self._nonces_by_age: deque[tuple[float, str]] = deque()

    def check_mns(self, method: str, target: str, headers: Mapping[str, str], body: bytes, skew: float = 0.0) -> Key:
        """MNS API 2015-06-06: `Authorization: MNS ID:SIGNATURE`. `target` is path and query exactly as sent.

        `headers` has lower-case names.
        """
        if "x-mns-version" not in headers:
            raise MnsError("MissingVersionHeader", "The x-mns-version header is required.")
        if headers["x-mns-version"] != VERSION:
            raise MnsError("InvalidArgument", f"The value of x-mns-version must be {VERSION}.")
        authorization = headers.get("authorization", "")
        if not authorization:
            raise MnsError("MissingAuthorizationHeader", "Authorization header is required.")
        scheme, _, credentials = authorization.partition(" ")
        key_id, colon, signature = credentials.partition(":")
        if scheme != "MNS" or not (key_id and colon and signature):
            raise MnsError("InvalidAuthorizationHeader", "The Authorization header format is invalid.")
        date = headers.get("x-mns-date") or headers.get("date", "")
        if not date:
            raise MnsError("MissingDateHeader", "Date header is required.")
        sent = _http_date(date)
        if sent is None:
            raise MnsError("InvalidDateHeader", "The Date header format is invalid.")
        if abs(time.time() + skew - sent) > WINDOW:
            raise MnsError("TimeExpired", "The http request you sent is expired: its date is not within 15 minutes.")
        if (key := self._keys.find(key_id)) is None:
            raise MnsError("InvalidAccessKeyId", "The AccessKey Id you provided is not exist.")
        ours = mns_signature(key.secret.encode(), method, target, headers, date)
        if not hmac.compare_digest(ours.encode(), signature.encode("utf-8", "surrogateescape")):
            raise MnsError(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided.",
            )
        if headers.get("security-token", "") != key.token:
            raise MnsError(
                "InvalidSecurityToken", "The security token you provided does not belong to the AccessKey Id."
            )
        if self._keys.has_expired(key):
            raise MnsError("SecurityTokenExpired", "The security token you provided has expired.")
        if "content-md5" in headers and headers["content-md5"] not in _content_digests(body):
            raise MnsError("InvalidDigest", "The Content-MD5 you specified is invalid.")
        return key

    def check_rpc(self, method: str, query: Mapping[str, str], form: Mapping[str, str], skew: float = 0.0) -> Key:
        """The gateway's signature version 1.0: HMAC-SHA1 over all parameters, in the query and in a form."""
        parameters = {**query, **form}
        for name in ("AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp"):
            if not parameters.get(name):
                raise ImmError(400, f"Missing{name}", f"{name} is mandatory for this action.")
        if (parameters["SignatureMethod"], parameters["SignatureVersion"]) != ("HMAC-SHA1", "1.0"):
            raise ImmError(
                400, "InvalidParameter.SignatureMethod", "Sign with HMAC-SHA1 in version 1.0, or with ACS3-HMAC-SHA256."
            )
        self._check_time(parameters["Timestamp"], skew)
        key = self._key(parameters["AccessKeyId"])
        signed = rpc_string_to_sign(method, parameters)
        ours = base64.b64encode(hmac.digest(key.secret.encode() + b"&", signed.encode(), "sha1")).decode()
        if not hmac.compare_digest(ours.encode(), parameters["Signature"].encode()):
            raise _mismatch(f"server string to sign is:{signed}")
        self._check_token(key, parameters.get("SecurityToken", ""))
        self._check_nonce(parameters["SignatureNonce"])
        return key

    def check_acs3(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
        skew: float = 0.0,
    ) -> Key:
        """The gateway's signature version 3, in the Authorization header. `headers` has lower-case names."""
        for name in ACS3_SIGNED:
            if not headers.get(name):
                raise ImmError(400, f"Missing{name}", f"{name} is mandatory for this action.")
        scheme, _, rest = headers["authorization"].partition(" ")
        fields = dict(item.strip().partition("=")[::2] for item in rest.split(","))
        signed_names = fields.get("SignedHeaders", "").split(";")
        complete = fields.get("Credential") and fields.get("Signature") and set(ACS3_SIGNED) <= set(signed_names)
        if scheme != ACS3 or not complete:
            raise ImmError(
                400,
                "IncompleteSignature",
                f"The request signature does not conform to Aliyun standards: it must be {ACS3}, with Credential, "
                f"Signature, and SignedHeaders that name at least {', '.join(ACS3_SIGNED)}.",
            )
        self._check_time(headers["x-acs-date"], skew)
        key = self._key(fields["Credential"])
        canonical = acs3_canonical_request(method, path, query, signed_names, headers, body)
        signed = f"{ACS3}\n{hashlib.sha256(canonical.encode('utf-8', 'surrogateescape')).hexdigest()}"
        ours = hmac.digest(key.secret.encode(), signed.encode(), "sha256").hex()
        intact = headers["x-acs-content-sha256"] == hashlib.sha256(body).hexdigest()
        if not (intact and hmac.compare_digest(ours.encode(), fields["Signature"].encode("utf-8", "surrogateescape"))):
            raise _mismatch(f"server StringToSign is {signed}, server CanonicalRequest is {canonical}")
        self._check_token(key, headers.get("x-acs-security-token", ""))
        self._check_nonce(headers["x-acs-signature-nonce"])
        return key

    def _check_time(self, text: str, skew: float) -> None:
        try:
            sent = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise ImmError(
                400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted."
            ) from None
        if abs(time.time() + skew - sent) > WINDOW:
            raise ImmError(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")

    def _key(self, key_id: str) -> Key:
        if (key := self._keys.find(key_id)) is None:
            raise ImmError(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        return key

    def _check_token(self, key: Key, token: str) -> None:
        if token and not key.token:
            raise ImmError(400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.")
        if key.token and not token:
            raise ImmError(400, "MissingSecurityToken", "SecurityToken is mandatory for this action.")
        if token != key.token:
            raise ImmError(
                400,
                "InvalidSecurityToken.MismatchWithAccessKey",
                "Specified SecurityToken mismatch with the AccessKey.",
            )
        if self._keys.has_expired(key):
            raise ImmError(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")

    def _check_nonce(self, nonce: str) -> None:
        """A nonce is remembered for as long as a request that bears it could still be in time."""
        now = time.monotonic()
        while self._nonces_by_age and self._nonces_by_age[0][0] < now - 2 * WINDOW:
            self._nonces.discard(self._nonces_by_age.popleft()[1])
        if nonce in self._nonces:
            raise ImmError(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
        self._nonces.add(nonce)
        self._nonces_by_age.append((now, nonce))


def mns_signature(secret: bytes, method: str, target: str, headers: Mapping[str, str], date: str) -> str:
    """`headers` has lower-case names; `date` is what stands in the date's place, x-mns-date before Date."""
    ours = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers) if name.startswith("x-mns-"))
    text = f"{method}\n{headers.get('content-md5', '')}\n{headers.get('content-type', '')}\n{date}\n{ours}{target}"
    return base64.b64encode(hmac.digest(secret, text.encode("utf-8", "surrogateescape"), "sha1")).decode()


def rpc_string_to_sign(method: str, parameters: Mapping[str, str]) -> str:
    """Everything but the signature itself, sorted by name and encoded twice."""
    pairs = _pairs((name, value) for name, value in parameters.items() if name != "Signature")
    return f"{method}&%2F&{_encode(pairs)}"


def acs3_canonical_request(
    method: str,
    path: str,
    query: Mapping[str, str],
    signed_names: Iterable[str],
    headers: Mapping[str, str],
    body: bytes,
) -> str:
    names = list(signed_names)
    lines = "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in names)
    return "\n".join([method, path, _pairs(query.items()), lines, ";".join(names), hashlib.sha256(body).hexdigest()])


def parameters_of(text: str) -> dict[str, str]:
    """A query or a form as the gateway reads it."""
    return dict(parse_qsl(text, keep_blank_values=True))


def _pairs(parameters: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in sorted(parameters))


def _encode(text: str) -> str:
    return quote(text, safe="~")


def _mismatch(what_we_signed: str) -> ImmError:
    return ImmError(
        400, "SignatureDoesNotMatch", f"Specified signature is not matched with our calculation. {what_we_signed}"
    )


@lru_cache(maxsize=64)
def _http_date(text: str) -> float | None:
    """RFC 1123, in GMT."""
    if not text.endswith("GMT"):
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None


def _content_digests(body: bytes) -> tuple[str, str]:
    """Content-MD5 as RFC 1864 has it, and as the SDKs send it: base64 of the digest's hex."""
    digest = hashlib.md5(body, usedforsecurity=False)
    return (
        base64.b64encode(digest.digest()).decode(),
        base64.b64encode(digest.hexdigest().encode()).decode(),
    )
