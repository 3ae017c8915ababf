"""Who may do what: the caller with the key, and the role that IMM assumes, on the buckets and on the topic."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from imm_tui import ram
from imm_tui.doctor import resources
from imm_tui.doctor.check import Check, Verdict
from imm_tui.doctor.evidence import Evidence, Kind, known
from imm_tui.doctor.reasons import account, hindered_by, key_is_anothers, key_is_good, mns_is_anothers, skipped
from imm_tui.errors import Denied
from imm_tui.i18n import _, ngettext, sentences
from imm_tui.tasks import Status

_NAME = "permissions"

DEFAULT_ROLE = "AliyunIMMDefaultRole"
"""The service role that IMM's activation creates."""

_AT_A_BUCKET = re.compile("Download|OSS|Bucket|WriteTgt|Upload|AccessDenied|AccessForbidden|NoSuchKey", re.IGNORECASE)
"""Codes of conversions that failed at a bucket."""


def permissions(e: Evidence) -> Check:
    answers = [(known(it), "imm_endpoint") for it in e.of_imm] + [(known(it), "mns_endpoint") for it in e.of_mns]
    denied = [
        trouble
        for trouble in e.denials
        if trouble.action.startswith("imm:") or not (mns_is_anothers(e) or key_is_anothers(e) or not key_is_good(e))
    ]
    if denied:
        return _of_the_caller(e, denied)
    for answer, endpoint in answers:
        if answer.kind is not Kind.ANSWERED:
            return skipped(_NAME, hindered_by(e, answer, endpoint) or endpoint)
    found = _at_a_bucket(e) or _of_the_role(e)
    if found is not None:
        return found
    allowed = _("Everything that was asked was allowed.")
    untried = _("Not tried, for it would change something: {actions}. {command} tries it.")
    return Check(
        _NAME,
        Verdict.OK,
        sentences(allowed, untried.format(actions=", ".join(ram.CHANGING), command=e.settings.command("smoke"))),
    )


def _of_the_caller(e: Evidence, denied: list[Denied]) -> Check:
    actions = list(dict.fromkeys(it.action for it in denied))
    told = ngettext(
        "The key's owner lacks the permission {actions}.",
        "The key's owner lacks the permissions {actions}.",
        len(actions),
    )
    fix = _("Have this policy granted to the key's user or role in the RAM console: {policy}")
    cause = sentences(told.format(actions=", ".join(actions)), denied[0].what)
    whose, mend = account(e), ""
    if all(known(it).kind is Kind.DENIED for it in e.of_mns) and known(e.caller).value is None and whose:
        why = _("Or {account} is not the account of the key: whose that is, nobody could tell.")
        cause = sentences(cause, why.format(account=whose))
        mend = _("If so, give account_id and mns_endpoint those of the key’s own account, which the console shows.")
        whose = "*"
    policy = ram.policy((*ram.needed(e.settings), *actions), e.settings, whose)
    return Check(_NAME, Verdict.FAIL, cause, sentences(fix.format(policy=policy), mend))


def _at_a_bucket(e: Evidence) -> Check | None:
    """What the last conversion of the project tells, if it failed at a bucket."""
    latest = known(e.history).latest
    ended, code, source = 0, "", ""
    if latest is not None:
        ended, source = latest.finished_at or latest.seen_at, latest.source_uri or ""
        code = latest.code or "" if latest.status is Status.FAILED else ""
    finished = [it for it in known(e.tasks).value or () if it.status is not None and it.status.finished]
    listed = max(finished, key=lambda it: it.created_at or 0, default=None)
    if listed is not None and (listed.created_at or 0) > ended:
        code, source = listed.code or "" if listed.status is Status.FAILED else "", listed.source_uri or ""
    if not _AT_A_BUCKET.search(code):
        return None
    cause = _("The last conversion failed at a bucket: {code}.").format(code=code)
    why = _("Its source is not there, or IMM's service role may not read it or not write the result.")
    bucket = urlsplit(source).netloc
    check = _("Check that {source} exists.").format(source=source or _("the source"))
    return Check(_NAME, Verdict.WARN, sentences(cause, why), sentences(check, _grant(e, (bucket,) if bucket else ())))


def _of_the_role(e: Evidence) -> Check | None:
    """What points at a service role that may not publish; nothing where the way from the topic explains it."""
    wired = (resources.topic, resources.queue, resources.subscription, resources.consumers)
    if any(check(e).status is not Verdict.OK for check in wired):
        return None
    latest = known(e.history).latest
    if (missing := resources.without_event(e)) is not None:
        cause = _("The task {task} has ended, and its event did not come: IMM's service role may not publish.")
        instead = _("Or somebody else received it.")
        own = _("If it has them, give imm-tui a queue of its own: {command}.")
        fix = sentences(_grant(e, ()), own.format(command=e.settings.command("setup --private")))
        return Check(_NAME, Verdict.WARN, sentences(cause.format(task=missing.task_id), instead), fix)
    works = latest is not None and latest.status is Status.SUCCEEDED and latest.events > 0
    role = _role(e)
    if role == DEFAULT_ROLE or works:
        return None
    cause = _("IMM assumes the role {role}, not {default}; what that may do cannot be seen from here.")
    cause = cause.format(role=role, default=DEFAULT_ROLE)
    return Check(
        _NAME,
        Verdict.WARN,
        cause,
        sentences(_("Try it: {command}.").format(command=e.settings.command("smoke")), _grant(e, ())),
    )


def _role(e: Evidence) -> str:
    """The role that IMM assumes for the project."""
    found = known(e.project).value
    return (found.project.service_role if found is not None and found.project is not None else "") or DEFAULT_ROLE


def _grant(e: Evidence, buckets: tuple[str, ...]) -> str:
    policy = ram.service_role_policy(e.settings, buckets, account(e))
    return _("If it lacks them, grant the role {role} these rights: {policy}").format(role=_role(e), policy=policy)
