"""A service's refusal, as a sentence for a person: what happened, why, and what to do next, by the service's code.

No sentence holds a key, a signature or the string that was signed.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Protocol
from urllib.parse import unquote, unquote_plus

from imm_tui.errors import Barred, Denied, KeyRefused, NotActivated, Refused
from imm_tui.i18n import N_, _, sentences

_BARRING_CODES = frozenset(
    {
        "SignatureDoesNotMatch",
        "InvalidAccessKeyId",
        "InvalidAccessKeyId.NotFound",
        "InvalidAccessKeyId.Inactive",
        "InvalidAccessKeySecret",
        "InvalidSecurityToken",
        "InvalidSecurityToken.Expired",
        "InvalidSecurityToken.Malformed",
        "InvalidSecurityToken.MismatchWithAccessKey",
        "MissingSecurityToken",
        "SecurityTokenExpired",
        "AccessDenied",
        "Forbidden",
        "Forbidden.RAM",
        "NoPermission",
        "TimeExpired",
        "InvalidTimeStamp.Expired",
        "InvalidTimeStamp.Format",
        "RequestTimeTooSkewed",
        "InvalidDateHeader",
        "InvalidAuthorizationHeader",
        "MissingAuthorizationHeader",
        "MissingDateHeader",
        "MissingVersionHeader",
        "IncompleteSignature",
    }
)
"""Codes with which either service refuses whatever is asked."""

# What the codes say that callers tell apart.
_DENIED = re.compile(
    r"AccessDenied|Forbidden(?!\.AccessKey)|NoPermission|NoAuth|NotAuthorized|Unauthorized|ImplicitDeny|ExplicitDeny",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"TimeExpired|InvalidTimeStamp|RequestTimeTooSkewed|InvalidDateHeader|IllegalTimestamp", re.IGNORECASE
)
_KEY = re.compile(
    r"SignatureDoesNotMatch|InvalidAccessKeySecret|IncompleteSignature|InvalidSignature"
    r"|InvalidAccessKeyId|Forbidden\.AccessKey|InvalidAccessKey\b|InactiveAccessKey"
    r"|InvalidSecurityToken|SecurityTokenExpired|MissingSecurityToken|ExpiredToken|InvalidStsToken",
    re.IGNORECASE,
)
# MNS has no code of its own for a token, and says it in the words of a denial.
_SAYS_TOKEN = re.compile(
    r"security.?token\b.{0,80}\b(expired|invalid|not valid|malformed)"
    r"|(expired|invalid|malformed)\W+(security|sts).?token",
    re.IGNORECASE,
)
_MISSING = re.compile(r"(Queue|Topic|Subscri(ption|ber))(Name)?\.?Not(Exist|Found)", re.IGNORECASE)
# Neither service's manual gives a code for it; those of others do, and their messages say it.
_NOT_ACTIVATED = re.compile(r"(\w+\.)?(User|Service|Product|Account)?Not(Yet)?(Open|Activat|Purchas)", re.IGNORECASE)
_SAYS_NOT_ACTIVATED = re.compile(
    r"\bnot (been |yet )?(open|activat|enabl|purchas)\w* .{0,60}service"
    r"|service .{0,60}\bnot (been |yet )?(open|activat|enabl|purchas)",
    re.IGNORECASE,
)

_VERSION = re.compile(r"InvalidVersion|InvalidAction|NoSuchVersion|UnsupportedOperation", re.IGNORECASE)
_THROTTLE = re.compile(r"Throttling|QpsLimitExceeded|TooManyRequests|RequestLimitExceeded|FlowControl", re.IGNORECASE)

# By code, the first that matches from its beginning: what happened, why, what to do next.
_REFUSALS = (
    (
        r"SignatureDoesNotMatch|InvalidAccessKeySecret|IncompleteSignature|InvalidSignature",
        N_("{service} does not accept the signature."),
        N_("The access key's secret does not belong to its id, or something on the way changes the requests."),
        N_("Check the secret for a missing or an extra character."),
    ),
    (
        r"InvalidAccessKeyId|Forbidden\.AccessKey|InvalidAccessKey\b|InactiveAccessKey",
        N_("{service} does not know the access key."),
        N_("It is misspelt, disabled or deleted."),
        N_("Check in the RAM console that the access key exists and is enabled."),
    ),
    (
        r"InvalidSecurityToken|SecurityTokenExpired|MissingSecurityToken|ExpiredToken|InvalidStsToken",
        N_("{service} does not accept the security token."),
        N_("A token is good for some hours, and only with the access key that it was issued with."),
        N_("Get new temporary credentials."),
    ),
    (
        _CLOCK.pattern,
        N_("{service} does not accept the time of the request."),
        N_("This machine's clock is more than 15 minutes off."),
        N_("Set the clock, best by NTP."),
    ),
    (
        r"(Invalid|Missing)AuthorizationHeader|Missing(Date|Version)Header",
        N_("{service} cannot tell who calls."),
        N_("A header of the request is missing or changed: something on the way, most often a proxy, does that."),
        N_("Have the proxy leave the headers as they are, or call {service} without it (NO_PROXY)."),
    ),
    (
        _DENIED.pattern,
        N_("{service} denies access to {resource}."),
        N_("Most often the access key's owner lacks the permission {action}."),
        N_("Have it granted in the RAM console, or use another access key."),
    ),
    (
        r"QueueNotExist",
        N_("{resource} does not exist."),
        N_("A queue belongs to one account and one region, and both are part of the endpoint."),
        N_("Check the queue's name and the MNS endpoint, or create the queue."),
    ),
    (
        r"(.*\.)?(Invalid)?(Notify)?Topic\w*\.?Not(Exist|Found)",
        N_("The topic does not exist."),
        N_("A topic has to be in the project's own region and account."),
        N_("Check the topic's name and the region."),
    ),
    (
        r"Subscri(ption|ber)Not(Exist|Found)",
        N_("{resource} does not exist."),
        N_("A subscription belongs to one topic."),
        N_("Check the subscription's name and the topic, or create the subscription."),
    ),
    (
        r"(Queue|Topic)DeletedRecently",
        N_("{resource} was deleted a moment ago, and cannot be created again yet."),
        "",
        N_("Wait a minute and try again, or choose another name."),
    ),
    (
        r"EndpointInvalid",
        N_("MNS cannot push to the queue of {resource}."),
        N_("A queue's address holds its region and its account, and both have to be the topic's own."),
        N_("Check the region and the account id."),
    ),
    (
        r".*Project.*Not(Exist|Found)",
        N_("{service} does not find {resource}."),
        N_("A project belongs to one region, and 2017-09-06 and 2020-09-30 do not share theirs."),
        N_("Check the project's name, the region and the API version."),
    ),
    (
        r"ResourceNotFound",
        N_("{service} does not find something that the request names, most often {resource}."),
        N_("A project belongs to one region, and 2017-09-06 and 2020-09-30 do not share theirs."),
        N_("Check the project's name, the region and the API version."),
    ),
    (
        _THROTTLE.pattern,
        N_("{service} is called too often."),
        N_("A limit of this account is reached."),
        N_("Wait a little and try again."),
    ),
    (
        r".*(Limit|Quota)\w*Exceed|.*Exceed\w*(Limit|Quota)",
        N_("{service} does not take any more of this."),
        N_("A limit of the account is reached, or a number in the request is too large."),
        N_("Take away what is not needed any more, or have the limit raised in the console."),
    ),
    (
        r"InternalError|InternalServerError|InternalFailure|ServiceUnavailable|Unavailable",
        N_("{service} has a fault of its own."),
        "",
        N_("Try again later."),
    ),
    (
        _VERSION.pattern,
        N_("{service} does not have this operation."),
        N_("Not every region has both API versions."),
        N_("Check the region, the API version and the endpoint."),
    ),
)


def refused(
    service: str,
    code: str,
    message: str,
    request_id: str | None,
    *,
    status: int,
    retry_after: float | None,
    resource: str,
    action: str,
    secrets: Iterable[str],
    barring: Collection[str] = (),
) -> Refused:
    """What a person is told of a refusal; Barred for a code that bars every call, or is in `barring`.

    The HTTP statuses 401 and 403 are about who calls, so they bar with any code, but one that only slows callers down.
    `message` is the service's own text, quoted unless it might tell one of `secrets`: the keys, and whatever else was
    sent with the call and is nobody's business.
    A complaint about a signature echoes the string to sign: every parameter, a password and a token among them.
    """
    denied = status in (401, 403) and not is_throttle(code)
    what, why = _("{service} refuses the request: {code}."), ""
    fix = _("Check the access key, and that its owner has the permission {action}.") if denied else ""
    about_the_key = is_about_the_key(code, message)
    inactive = _NOT_ACTIVATED.match(code) or _SAYS_NOT_ACTIVATED.search(message)
    if inactive:
        what, why = _("{service} is not activated for this account."), _("A service has to be activated once.")
        fix = _("Activate {service} in its console.")
    else:
        meant = "InvalidSecurityToken" if about_the_key and not is_about_the_key(code) else code
        for pattern, *told in _REFUSALS:
            if re.match(pattern, meant, re.IGNORECASE):
                what, why, fix = map(_, told)
                break
    if _DENIED.match(code) and "OwnerId" in message:  # MNS: the endpoint's account is the owner of all that is there
        why = _(
            "The account id in the endpoint is not the access key's own, or its owner lacks the permission {action}."
        )
        fix = _("Check the account id in the {service} endpoint, or have the permission granted in the RAM console.")
    what, why, fix = (
        sentence.format(service=service, code=code, resource=resource, action=action) for sentence in (what, why, fix)
    )
    secret = re.search(r"signature|string.to.sign", message, re.IGNORECASE) or _holds(message, secrets)
    if message.strip() and not secret:
        stopped = message.rstrip().endswith((".", "!", "?", "。"))
        says = _("{service} says: {message}") if stopped else _("{service} says: {message}.")
        why = sentences(why, says.format(service=service, message=message.strip()))
    what = what[:1].upper() + what[1:]
    if not inactive and not about_the_key and _DENIED.match(code):
        return Denied(what, why, fix, action=action, code=code, request_id=request_id, retry_after=retry_after)
    barred = denied or code in _BARRING_CODES or code in barring
    kind = NotActivated if inactive else KeyRefused if about_the_key else Barred if barred else Refused
    return kind(what, why, fix, code=code, request_id=request_id, retry_after=retry_after)


def _holds(text: str, secrets: Iterable[str]) -> bool:
    """Whether one of `secrets` stands in `text`: as it is, escaped for a URL or HTML up to twice, or within base64."""
    readings = {text}
    for _round in range(2):
        readings |= {decode(reading) for reading in readings for decode in (unquote, unquote_plus, unescape)}
    forms = [form for secret in secrets if secret for form in (secret, *_in_base64(secret.encode()))]
    return any(form in reading for reading in readings for form in forms)


def _in_base64(secret: bytes) -> Iterator[str]:
    """The characters that base64 of any text with `secret` in it has: one form for each place in a group of three."""
    for lead in range(3):
        encoded = base64.b64encode(bytes(lead) + secret).decode()
        # A character is 6 bits. Those at either end depend on what stands around.
        characters = encoded[-(-lead * 8 // 6) : (lead + len(secret)) * 8 // 6]
        if len(characters) >= 4:
            yield from (characters, characters.translate(_URL_SAFE))


_URL_SAFE = str.maketrans("+/", "-_")


def is_throttle(code: str | None) -> bool:
    """Whether a code says that a call was not carried out because there are too many."""
    return _THROTTLE.match(code or "") is not None


def is_about_the_key(code: str | None, message: str = "") -> bool:
    """Whether a code, or the service's text where the code says no more than that access is denied, says that the key,
    its token or its signature was not accepted: nothing was carried out, and another key may do."""
    code = code or ""
    return bool(_KEY.match(code) or (_DENIED.match(code) and _SAYS_TOKEN.search(message)))


def is_denial(code: str | None) -> bool:
    """Whether a code says that the key may not do this."""
    return _DENIED.match(code or "") is not None


def is_about_the_clock(code: str | None) -> bool:
    """Whether a code says that the time of the request is too far off."""
    return _CLOCK.match(code or "") is not None


def lacks_the_operation(code: str | None) -> bool:
    """Whether a code says that the service does not have this operation, or not in this version."""
    return _VERSION.match(code or "") is not None


def is_missing(code: str | None) -> bool:
    """Whether a code says that a queue, a topic or a subscription does not exist; there are several spellings."""
    return _MISSING.match(code or "") is not None


class Header(Protocol):
    """A reply's header fields; names in any case."""

    def get(self, name: str, /) -> str | None: ...


def retry_after_of(header: Header) -> float | None:
    """For how many seconds the service wants to be left alone (RFC 9110, Retry-After: seconds or a date).

    A date is counted from the reply's own Date, because this machine's clock may be wrong.
    """
    text = (header.get("Retry-After") or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    until, now = _moment(text), _moment(header.get("Date") or "")
    return None if until is None else max(0.0, until - (time.time() if now is None else now))


def clock_offset_of(header: Header, asked_at: float, answered_at: float) -> float | None:
    """Seconds by which the service's clock is ahead of ours, by the Date of a reply; None where it has none.

    `asked_at` and `answered_at` are our epoch seconds. The Date is of a moment between them, and without its fraction
    of a second.
    """
    now = _moment(header.get("Date") or "")
    return None if now is None else now + 0.5 - (asked_at + answered_at) / 2


def _moment(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


_CODE = re.compile(r"[A-Za-z][\w.:{}-]{0,127}")
_REQUEST_ID = re.compile(r"[\w-]{1,100}", re.ASCII)


def code_of(text: object) -> str | None:
    """`text` if it can be a service's error code, without blanks around it."""
    return text.strip() if isinstance(text, str) and _CODE.fullmatch(text.strip()) else None


def request_id_of(*texts: object) -> str | None:
    """The first of `texts` that can be a request's id."""
    for text in texts:
        if isinstance(text, str) and _REQUEST_ID.fullmatch(text.strip()):
            return text.strip()
    return None
