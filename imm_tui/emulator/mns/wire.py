"""The words of MNS on the wire (API 2015-06-06): its XML, read and written, and its errors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree

NAMESPACE = "http://mns.aliyuncs.com/doc/v1/"
VERSION = "2015-06-06"

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

_STATUS = {
    "AccessDenied": 403,
    "InvalidAccessKeyId": 403,
    "InvalidSecurityToken": 403,
    "SecurityTokenExpired": 403,
    "SignatureDoesNotMatch": 403,
    "MessageNotExist": 404,
    "QueueNotExist": 404,
    "SubscriptionNotExist": 404,
    "TopicNotExist": 404,
    "TimeExpired": 408,
    "QueueAlreadyExist": 409,
    "SubscriptionAlreadyExist": 409,
    "TopicAlreadyExist": 409,
    "InternalError": 500,
}


class MnsError(Exception):
    """A refusal in MNS's own words. The HTTP status belongs to the code; what is not in the table is a 400."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = _STATUS.get(code, 400) if status is None else status


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: a status, a body of XML (none at all with 204), and the URL of what was created."""

    status: int
    body: str = ""
    location: str = ""


def escape(text: str) -> str:
    """Text as XML character data. A carriage return is written as a reference: a parser would make it a line feed."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def elements(values: Iterable[tuple[str, object]]) -> str:
    """One element a pair, in order."""
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in values)


def document(root: str, inner: str) -> str:
    """A whole document whose root is in MNS's namespace."""
    return f'{_DECLARATION}<{root} xmlns="{NAMESPACE}">{inner}</{root}>'


def error_document(error: MnsError, request_id: str, host_id: str) -> str:
    return document(
        "Error",
        elements(
            [
                ("Code", error.code),
                ("Message", error.message),
                ("RequestId", request_id),
                ("HostId", host_id),
            ]
        ),
    )


def parse(body: bytes, *roots: str) -> ElementTree.Element:
    """The root element of a request, one of `roots`, with the namespace taken off every tag.

    MnsError MalformedXML: not XML, or another root.
    """
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise MnsError("MalformedXML", f"The XML you provided was not well-formed: {error}.") from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root.tag not in roots:
        raise MnsError("MalformedXML", f"The root element must be {' or '.join(roots)}, not {root.tag}.")
    return root


def number(name: str, text: str | None, low: int, high: int) -> int:
    """A whole number from `low` to `high`. MnsError InvalidArgument: anything else."""
    digits = (text or "").strip()
    if digits.isascii() and digits.isdigit() and len(digits) < 10 and low <= int(digits) <= high:
        return int(digits)
    raise MnsError("InvalidArgument", f"The value of {name} must be between {low} and {high}.")


def boolean(name: str, text: str | None) -> bool:
    """`True` or `False`, in any case. MnsError InvalidArgument: anything else."""
    match (text or "").strip().lower():
        case "true":
            return True
        case "false":
            return False
    raise MnsError("InvalidArgument", f"The value of {name} must be True or False.")
