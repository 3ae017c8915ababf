"""Who calls, when, and where: the key, the clock, the endpoints, the region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imm_tui import endpoints
from imm_tui.doctor.check import Check, Verdict
from imm_tui.doctor.evidence import Answer, Evidence, Kind, known
from imm_tui.doctor.reasons import (
    account_of_mns,
    failed,
    hindered_by,
    key_is_anothers,
    key_is_good,
    knows_no_key_of_ours,
    mns_is_anothers,
    next_step,
    out_of_service,
    owner,
    skipped,
    what_hinders,
)
from imm_tui.doctor.words import another_key, chosen, masked, setting, span
from imm_tui.endpoints import REGIONS, Place, place_of
from imm_tui.errors import Trouble, Unreachable
from imm_tui.i18n import _, sentences

_WINDOW, _UNEASY = 15 * 60, 5 * 60
"""Seconds by which a request's date may be off before it is refused (both services), and from which on that is near."""

_IMM_CALLS = {
    "2017-09-06": ("GetProject", "GetOfficeConversionTask", "ListOfficeConversionTask"),
    "2020-09-30": ("GetProject", "GetTask", "ListTasks"),
}
_MNS_CALLS = ("GetTopicAttributes", "GetQueueAttributes", "ListSubscriptionByTopic")
"""What the answers of Evidence.of_imm and of_mns are to."""

_AGREEING = 5
"""Seconds of difference that are not worth a word: the Date of a reply has no fractions, and was on its way."""


def credentials(e: Evidence) -> Check:
    name = "credentials"
    keys = known(e.keys)
    if keys.value is None:
        return failed(name, keys.trouble)
    key = masked(keys.value.access_key_id)
    found = _("The key {key} comes from {source}.").format(key=key, source=keys.value.source or _("the program itself"))
    good = key_is_good(e)
    if good is None:
        return skipped(name, what_hinders(e), found)
    if not good:
        answers = (e.caller, *e.of_imm, *e.of_mns)
        trouble = next(it.trouble for it in answers if it is not None and it.kind is Kind.KEY)
        assert trouble is not None
        fix = sentences(trouble.fix, _("Or use another key."), another_key(e))
        return Check(name, Verdict.FAIL, sentences(trouble.what, trouble.why, found), fix)
    caller = known(e.caller)
    explained = caller.kind is Kind.UNREACHABLE and region_is_wrong(e) is not None  # there is no STS there either
    if caller.trouble is not None and caller.kind is not Kind.CLOCK and not explained:
        cause = sentences(found, _("It is accepted; whose it is, STS could not tell."), caller.trouble.what)
        return Check(name, Verdict.WARN, sentences(cause, caller.trouble.why), next_step(caller.trouble))
    if caller.value is None:
        return Check(name, Verdict.OK, sentences(found, _("It is accepted.")))
    if key_is_anothers(e):
        cause = _("It is of the account {account}, but all else here is of the account {other}.")
        cause = cause.format(account=caller.value.account_id, other=account_of_mns(e))
        use = _("Use a key of the account {other}.").format(other=account_of_mns(e))
        return Check(name, Verdict.FAIL, sentences(found, cause), sentences(use, another_key(e)))
    who = _("It is of the account {account}: {arn}.").format(account=caller.value.account_id, arn=caller.value.arn)
    return Check(name, Verdict.OK, sentences(found, who))


def clock(e: Evidence) -> Check:
    name = "clock"
    answers = [known(answer) for answer in (e.caller, *e.of_imm, *e.of_mns)]
    offset = max((it.offset for it in answers if it.offset is not None), key=abs, default=None)
    refused = next((it.trouble for it in answers if it.kind is Kind.CLOCK), None)
    fix = _("Set this machine's clock, best by NTP (on Linux: {command}).").format(command="`timedatectl set-ntp true`")
    told = _how_far(offset) if offset is not None else ""
    if refused is not None:
        return Check(name, Verdict.FAIL, sentences(refused.what, told or refused.why), fix)
    if offset is None and key_is_good(e):
        return Check(name, Verdict.OK, _("The services accept the time of the requests."))
    if offset is None:
        return skipped(name, what_hinders(e))
    if abs(offset) >= _UNEASY:
        limit = _("From {limit} on every request is refused.").format(limit=span(_WINDOW))
        return Check(name, Verdict.WARN, sentences(told, limit), fix)
    return Check(name, Verdict.OK, told)


def _how_far(offset: float) -> str:
    if abs(offset) <= _AGREEING:
        return _("This machine's clock and that of the services agree.")
    told = _("This machine's clock is {span} behind that of the services.")
    if offset < 0:
        told = _("This machine's clock is {span} ahead of that of the services.")
    return told.format(span=span(abs(offset)))


def imm_endpoint(e: Evidence) -> Check:
    name, endpoint = "imm_endpoint", e.settings.imm_endpoint
    answers = [known(answer) for answer in e.of_imm]
    if needs := _not_asked(answers):
        return skipped(name, needs)
    own = endpoints.imm(e.settings.region)
    correct = "" if endpoint == own else _own(e, name, own)
    if trouble := out_of_service(answers):
        return (
            skipped(name, "region")
            if _is_no_region(e, endpoint)
            else failed(name, trouble, sentences(correct, _over_tls(e, name, trouble)))
        )
    if knows_no_key_of_ours(e, answers):
        return Check(name, Verdict.FAIL, _of_others("IMM", endpoint), correct or _("Check the endpoint."))
    called = zip(_IMM_CALLS[e.settings.api_version], answers, strict=True)
    silent = {
        call: it.trouble
        for call, it in called
        if it.trouble is not None
        if it.kind is Kind.UNREACHABLE or (it.kind is Kind.FAULT and call != "GetProject")  # that is the project's
    }
    return _answering(name, "IMM", endpoint, silent)


def mns_endpoint(e: Evidence) -> Check:
    name, settings = "mns_endpoint", e.settings
    if settings.region and not settings.mns_endpoint:
        return _nowhere(e)
    answers = [known(answer) for answer in e.of_mns]
    if needs := _not_asked(answers):
        return skipped(name, needs)
    caller = known(e.caller).value
    correct = _correct(e, caller.account_id if caller is not None else "")
    if trouble := out_of_service(answers):
        no_region = _is_no_region(e, settings.mns_endpoint)
        return (
            skipped(name, "region")
            if no_region
            else failed(name, trouble, sentences(correct, _over_tls(e, name, trouble)))
        )
    if trouble := next((it.trouble for it in answers if it.kind in (Kind.NOT_ACTIVATED, Kind.VERSION)), None):
        return failed(name, trouble)
    if mns_is_anothers(e) and caller is not None:
        cause = _("It is the endpoint of the account {other}; the key is of the account {account}.")
        cause = cause.format(other=place_of(settings.mns_endpoint).account_id, account=caller.account_id)
        verdict = Verdict.WARN if all(it.kind is Kind.ANSWERED for it in answers) else Verdict.FAIL
        return Check(name, verdict, cause, correct)
    if knows_no_key_of_ours(e, answers):
        return Check(name, Verdict.FAIL, _of_others("MNS", settings.mns_endpoint), correct or _("Check the endpoint."))
    if _has_nothing_of_ours(e) and not region_is_wrong(e) and not key_is_anothers(e):
        cause = _("MNS answers at {place}, but has neither the topic {topic} nor the queue {queue}.").format(
            place=place_of(settings.mns_endpoint).host, topic=settings.topic, queue=settings.queue
        )
        why = _("It is that of another region or account, or both are not made yet.")
        make = _("To make both: {command}.").format(command=e.settings.command("setup"))
        return Check(name, Verdict.FAIL, sentences(cause, why), sentences(correct, make))
    true_account = caller.account_id if caller is not None else owner(e)
    if true_account and settings.account_id not in ("", true_account) and not key_is_anothers(e):
        cause = _("The setting account_id is {other}, but the account is {account}.")
        cause = cause.format(other=settings.account_id, account=true_account)
        well = _well("MNS", settings.mns_endpoint)
        return Check(name, Verdict.WARN, sentences(well, cause), setting(e, "account_id", true_account))
    called = zip(_MNS_CALLS, answers, strict=True)
    silent = {call: it.trouble for call, it in called if it.trouble is not None and it.kind is Kind.UNREACHABLE}
    return _answering(name, "MNS", settings.mns_endpoint, silent)


def _nowhere(e: Evidence) -> Check:
    caller = known(e.caller).value
    cause = _("Where MNS is, is not known: neither account_id nor mns_endpoint is set.")
    if caller is not None:
        return Check("mns_endpoint", Verdict.FAIL, cause, setting(e, "account_id", caller.account_id))
    fix = _(
        "Write account_id, the number that the console shows for the main account, under {place}, or set {variable}."
    )
    fix = fix.format(place=e.settings.place, variable="IMM_TUI_ACCOUNT_ID")
    return Check("mns_endpoint", Verdict.FAIL, cause, sentences(fix, e.settings.first_line))


def _not_asked(answers: list[Answer[Any]]) -> str:
    """The check without which none of these questions could be asked."""
    return answers[0].needs if all(it.kind is Kind.NOT_ASKED for it in answers) else ""


def _has_nothing_of_ours(e: Evidence) -> bool:
    """Whether MNS has neither the topic nor the queue: one wrong setting explains both."""
    topic, queue = known(e.topic).value, known(e.queue).value
    named = bool(e.settings.topic and e.settings.queue)
    return named and topic is not None and topic.topic is None and queue is not None and queue.queue is None


def _correct(e: Evidence, account_id: str) -> str:
    """What to set where the MNS endpoint may be wrong; empty where it is what the other settings make it."""
    settings = e.settings
    is_made_of_it = place_of(settings.mns_endpoint).account_id == settings.account_id
    if account_id and settings.account_id not in ("", account_id) and is_made_of_it:
        return setting(e, "account_id", account_id)
    own = endpoints.mns(account_id or settings.account_id, settings.region)
    return "" if own in ("", settings.mns_endpoint) else _own(e, "mns_endpoint", own)


def _own(e: Evidence, name: str, url: str) -> str:
    return sentences(_("Alibaba Cloud's own is {url}.").format(url=url), setting(e, name, url))


def _answering(name: str, service: str, endpoint: str, silent: Mapping[str, Trouble]) -> Check:
    """The verdict on a service that answers, but perhaps not these calls."""
    well = _well(service, endpoint)
    if not silent:
        return Check(name, Verdict.OK, well)
    trouble = next(iter(silent.values()))
    told = _("It did not answer {calls}.").format(calls=", ".join(silent))
    return Check(name, Verdict.WARN, sentences(well, told, trouble.what, trouble.why), next_step(trouble))


def _over_tls(e: Evidence, name: str, trouble: Trouble) -> str:
    """What to try where a connection came about, and no answer to what was sent unencrypted; empty for others."""
    endpoint = getattr(e.settings, name)
    if not endpoint.startswith("http:") or not (isinstance(trouble, Unreachable) and trouble.opened):
        return ""
    return sentences(_("If it wants TLS:"), setting(e, name, endpoint.replace("http:", "https:", 1)))


def _well(service: str, endpoint: str) -> str:
    told = _("{service} answers at {place}, over TLS.")
    if endpoint.startswith("http:"):
        told = _("{service} answers at {place}, unencrypted.")
    return told.format(service=service, place=place_of(endpoint).host)


def _of_others(service: str, endpoint: str) -> str:
    told = _("{service} at {place} does not accept the key, which is accepted elsewhere: it is somebody else's.")
    return told.format(service=service, place=place_of(endpoint).host)


def region(e: Evidence) -> Check:
    name, settings = "region", e.settings
    if not settings.region:
        cause = _("The setting region is missing, and without it the endpoints are not known.")
        known(e.subscriptions)
        there = _regions_of_queues(e)
        ask = _("Or have it asked for: {command}.").format(command=e.settings.command("setup"))
        fix = sentences(chosen(e, name, [min(there)] if there else REGIONS, ""), ask)
        return Check(name, Verdict.FAIL, cause, fix)
    if wrong := region_is_wrong(e):
        return wrong
    both = Check(name, Verdict.OK, _("IMM and MNS are both in {region}.").format(region=settings.region))
    if place_of(settings.mns_endpoint).region:
        return both
    subscriptions = known(e.subscriptions)
    if subscriptions.value is None:
        return skipped(name, hindered_by(e, subscriptions, "mns_endpoint") or "mns_endpoint")
    if _regions_of_queues(e):
        return both
    return Check(name, Verdict.OK, _("It is {region}; nothing says otherwise.").format(region=settings.region))


def region_is_wrong(e: Evidence) -> Check | None:
    """The verdict on a region that does not fit; None where all that is known so far fits."""
    settings = e.settings
    for name, endpoint in (("imm_endpoint", settings.imm_endpoint), ("mns_endpoint", settings.mns_endpoint)):
        place = place_of(endpoint)
        if settings.region and place.region not in ("", settings.region):
            cause = _("The region is {region}, but {setting} is in {other}: {place}.")
            cause = cause.format(region=settings.region, setting=name, other=place.region, place=place.host)
            return Check("region", Verdict.FAIL, cause, _either(e, name, place))
    if _is_no_region(e, settings.imm_endpoint) and known(e.project).kind is Kind.UNREACHABLE:
        cause = _("There is no IMM in the region {region}, as far as is known.").format(region=settings.region)
        return Check("region", Verdict.FAIL, cause, chosen(e, "region", REGIONS, ""))
    if e.project is not None and e.project.kind is Kind.REGION:
        return failed("region", e.project.trouble, chosen(e, "region", REGIONS, ""))
    others = _regions_of_queues(e)
    if settings.region and others and settings.region not in others and not place_of(settings.mns_endpoint).region:
        other = min(others)
        cause = _("The region is {region}, but MNS is in {other}: the topic {topic} pushes to queues there.")
        cause = cause.format(region=settings.region, topic=settings.topic, other=other)
        otherwise = _("Or, if the project is in {region}, let mns_endpoint name MNS in {region}.")
        fix = sentences(setting(e, "region", other), otherwise.format(region=settings.region))
        return Check("region", Verdict.FAIL, cause, fix)
    return None


def _is_no_region(e: Evidence, endpoint: str) -> bool:
    """Whether an endpoint is named for a region where IMM is not known to be."""
    region = e.settings.region
    return region not in REGIONS and place_of(endpoint).region == region != ""


def _either(e: Evidence, name: str, place: Place) -> str:
    """The two ways to make a region and an endpoint fit."""
    right = f"https://{place.host.replace(f'.{place.region}', f'.{e.settings.region}', 1)}"
    otherwise = _("Or, if the project is in {region}:").format(region=place.region)
    return sentences(setting(e, name, right), otherwise, setting(e, "region", place.region))


def _regions_of_queues(e: Evidence) -> set[str]:
    """The regions of the queues that the topic pushes to."""
    subscriptions = e.subscriptions.value if e.subscriptions is not None else None
    return {it.queue[0] for it in subscriptions or () if it.queue and it.queue[0]}
