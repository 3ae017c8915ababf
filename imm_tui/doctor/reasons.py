"""Which check explains what another one sees."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from imm_tui.doctor.check import Check, Verdict
from imm_tui.doctor.evidence import Answer, Evidence, Kind, known
from imm_tui.endpoints import place_of
from imm_tui.errors import Denied, Trouble
from imm_tui.i18n import _, sentences

# Verdicts


def skipped(name: str, needs: str, found: str = "") -> Check:
    return Check(name, Verdict.SKIPPED, sentences(found, _("It needs {check} first.").format(check=needs)))


def failed(name: str, trouble: Trouble | None, also: str = "") -> Check:
    assert trouble is not None
    request = f"RequestId {trouble.request_id}." if trouble.request_id else ""
    return Check(name, Verdict.FAIL, sentences(trouble.what, trouble.why, request), next_step(trouble, also))


def next_step(trouble: Trouble, also: str = "") -> str:
    """What to do about a trouble, and what else; never nothing."""
    return sentences(trouble.fix, also) or _("Try again; if it stays so, ask Alibaba Cloud's support.")


# What explains what


def key_is_good(e: Evidence) -> bool | None:
    """Whether any service has accepted the key; None where none could say."""
    answers = (e.caller, *e.of_imm, *e.of_mns)
    if any(answer is not None and _has_accepted(answer) for answer in answers):
        return True
    if any(known(answer).kind is Kind.KEY for answer in answers):
        return False
    return True if any(known(answer).kind is Kind.DENIED for answer in answers) else None


def _has_accepted(answer: Answer[Any]) -> bool:
    """Whether the service has accepted the key before it said anything else.

    A denial alone does not say so: MNS, which has no code for a token, denies whoever comes with an old one.
    """
    if answer.kind is Kind.ANSWERED:
        return answer.value is not None
    if isinstance(answer.trouble, Denied):
        return not answer.trouble.action.startswith("mns:")
    return answer.kind is Kind.NOT_ACTIVATED


def out_of_service(answers: Collection[Answer[Any]]) -> Trouble | None:
    """Why a service cannot be used at all; None where it can."""
    asked = [answer for answer in answers if answer.kind is not Kind.NOT_ASKED]
    if any(answer.kind not in (Kind.UNREACHABLE, Kind.FAULT) for answer in asked):
        return None
    unreachable = (answer for answer in asked if answer.kind is Kind.UNREACHABLE)
    if (worst := next(unreachable, None)) is not None:
        return worst.trouble
    return asked[0].trouble if len(asked) == len(answers) else None


def knows_no_key_of_ours(e: Evidence, answers: Collection[Answer[Any]]) -> bool:
    """Whether this service alone does not accept the key: then it is not the key that is wrong."""
    return any(answer.kind is Kind.KEY for answer in answers) and key_is_good(e) is True


def hindered_by(e: Evidence, answer: Answer[Any], endpoint: str) -> str:
    """The check that explains why an answer says nothing; empty where it does, or where nothing else explains it.

    `endpoint` is the check of the service that gave it.
    """
    of_service = [known(it) for it in (e.of_imm if endpoint == "imm_endpoint" else e.of_mns)]
    match answer.kind:
        case Kind.NOT_ASKED:
            return answer.needs
        case Kind.UNREACHABLE:
            return endpoint
        case Kind.FAULT:
            return endpoint if out_of_service(of_service) else ""
        case Kind.KEY:
            return endpoint if knows_no_key_of_ours(e, of_service) else "credentials"
        case Kind.CLOCK:
            return "clock"
        case Kind.REGION:
            return "region"
        case Kind.DENIED:
            return _denied_for(e, endpoint)
        case Kind.NOT_ACTIVATED | Kind.VERSION:
            return "project" if endpoint == "imm_endpoint" else endpoint
    return ""


def _denied_for(e: Evidence, endpoint: str) -> str:
    """The check that explains a denial: nobody may do anything in another's account, nor with a key that is none."""
    if key_is_good(e) is False:
        return "credentials"
    if endpoint == "mns_endpoint" and key_is_anothers(e):
        return "credentials"
    return endpoint if endpoint == "mns_endpoint" and mns_is_anothers(e) else "permissions"


def what_hinders(e: Evidence) -> str:
    """The check that explains why no service has said anything about the key or the time."""
    for answers, endpoint in ((e.of_imm, "imm_endpoint"), (e.of_mns, "mns_endpoint")):
        for answer in answers:
            if needs := hindered_by(e, known(answer), endpoint):
                return needs
    return "imm_endpoint"


# Whose account


def account(e: Evidence) -> str:
    """The main account's id, as certainly as it is known: by STS, by the endpoint's name, by the topic's owner, by the
    settings; empty where nobody says."""
    return _caller(e) or place_of(e.settings.mns_endpoint).account_id or owner(e) or e.settings.account_id


def _caller(e: Evidence) -> str:
    caller = known(e.caller).value
    return caller.account_id if caller is not None else ""


def owner(e: Evidence) -> str:
    """The account of the topic, by what it pushes to."""
    for subscription in known(e.subscriptions).value or ():
        found = subscription.owner or (subscription.queue[1] if subscription.queue else "")
        if found:
            return found
    return ""


def account_of_mns(e: Evidence) -> str:
    """The account whose queues and topics these are, other than by the key."""
    return place_of(e.settings.mns_endpoint).account_id or owner(e) or e.settings.account_id


def key_is_anothers(e: Evidence) -> bool:
    """Whether everything but the key is of another account: its project is not there either."""
    project = known(e.project).value
    absent = project is not None and project.project is None and bool(e.settings.project)
    return absent and bool(_caller(e)) and account_of_mns(e) not in ("", _caller(e))


def mns_is_anothers(e: Evidence) -> bool:
    """Whether the MNS endpoint, by its name, is of another account than the key, which is the right one."""
    place = place_of(e.settings.mns_endpoint)
    return bool(_caller(e)) and place.account_id not in ("", _caller(e)) and not key_is_anothers(e)
