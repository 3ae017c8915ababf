"""What there is in the cloud, and how it hangs together: project, topic, queue, subscription, and who else is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imm_tui import notifications
from imm_tui.doctor import access
from imm_tui.doctor.check import Check, Verdict
from imm_tui.doctor.evidence import Evidence, HistoryFound, Kind, QueueFound, known
from imm_tui.doctor.reasons import failed, hindered_by, key_is_anothers, skipped
from imm_tui.doctor.words import chosen, given_up, setting, span
from imm_tui.endpoints import place_of
from imm_tui.errors import Denied
from imm_tui.i18n import _, ngettext, sentences

if TYPE_CHECKING:
    from imm_tui.cloud.mns_reply import QueueAttributes, Subscription
    from imm_tui.tasks import Task

_SHORTEST_HIDING, _LONGEST_HIDING = 10, 3600
"""Seconds of a visibility timeout: what storing a batch may take on a bad day, and for how long one may have to wait
for what a process held that was killed."""

_SHORTEST_KEEPING = 3600
"""Seconds for which a message has to be kept: while nobody listens, later ones are lost."""

_SMALLEST_LIMIT = 8192
"""Bytes: an event of IMM with its envelope and 2 KB of UserData is shorter."""

_LATE = 10_000
"""Milliseconds after a task's end from which on its event is missing: it is published at once."""

_LAST = 3
"""The tasks that ended last, of which an event may be missing: what was mended since is no news."""

_FORMATS = ("JSON", "SIMPLIFIED", "XML")


def project(e: Evidence) -> Check:
    name, settings = "project", e.settings
    answer = known(e.project)
    if answer.kind in (Kind.NOT_ACTIVATED, Kind.VERSION):
        return failed(name, answer.trouble)
    exists = Check(
        name,
        Verdict.OK,
        _("{project} exists in {region}, in the API version {version}.").format(
            project=settings.project, region=settings.region, version=settings.api_version
        ),
    )
    if answer.kind is Kind.DENIED and known(e.tasks).kind is Kind.ANSWERED:
        return exists  # it may not be looked at, but its tasks may
    if needs := hindered_by(e, answer, "imm_endpoint"):
        return skipped(name, needs)
    if answer.value is None:
        return failed(name, answer.trouble)
    found = answer.value
    make = _("Create one in the IMM console, then: {command}.").format(command=e.settings.command("setup"))
    if not settings.project:
        return Check(name, Verdict.FAIL, _("The setting project is missing."), chosen(e, name, found.others, make))
    if found.project is not None:
        return exists
    if key_is_anothers(e):
        return skipped(name, "credentials")
    known(e.subscriptions)  # without it a region that seems right may be wrong
    if access.region_is_wrong(e):
        return skipped(name, "region")
    if found.in_version is not None:
        cause = _(
            "{project} exists in the API version {there}, not in {here}: the versions do not share their projects."
        )
        cause = cause.format(project=settings.project, there=found.in_version, here=settings.api_version)
        return Check(name, Verdict.FAIL, cause, setting(e, "api_version", found.in_version))
    cause = _("There is no project {project} in {region}.")
    cause = cause.format(project=settings.project, region=settings.region)
    return Check(name, Verdict.FAIL, cause, chosen(e, name, found.others, make))


def topic(e: Evidence) -> Check:
    name, topic = "topic", e.settings.topic
    answer = known(e.topic)
    if needs := hindered_by(e, answer, "mns_endpoint"):
        return skipped(name, needs)
    if answer.value is None:
        return failed(name, answer.trouble)
    make = _("To make one: {command}.").format(command=e.settings.command("setup"))
    if not topic:
        cause = _("The setting topic is missing: IMM is asked for no event, and none comes.")
        return Check(name, Verdict.FAIL, cause, chosen(e, name, answer.value.others, make))
    if answer.value.topic is not None:
        return Check(name, Verdict.OK, _("{name} exists.").format(name=topic))
    if needs := _elsewhere(e):
        return skipped(name, needs)
    cause = _("There is no topic {name} in this account and region.").format(name=topic)
    return Check(name, Verdict.FAIL, cause, sentences(chosen(e, name, answer.value.others, ""), make))


def queue(e: Evidence) -> Check:
    name, queue = "queue", e.settings.queue
    answer = known(e.queue)
    if needs := hindered_by(e, answer, "mns_endpoint"):
        return skipped(name, needs)
    if answer.value is None:
        return failed(name, answer.trouble)
    found = answer.value.queue
    if found is not None:
        problems = list(_problems(found))
        if problems:
            return Check(
                name, Verdict.WARN, sentences(*(it[0] for it in problems)), sentences(*(it[1] for it in problems))
            )
        cause = _("{name} exists; a received message is hidden for {hidden}, and any is kept for {kept}.")
        cause = cause.format(name=queue, hidden=span(found.visibility_timeout), kept=span(found.retention))
        return Check(name, Verdict.OK, cause)
    if queue and (needs := _elsewhere(e)):
        return skipped(name, needs)
    subscribed = {it.queue[2] for it in known(e.subscriptions).value or () if it.queue}
    there = [it for it in answer.value.others if it in subscribed] or answer.value.others
    make = _("To make one: {command}.").format(command=e.settings.command("setup"))
    if not queue:
        return Check(name, Verdict.FAIL, _("The setting queue is missing."), chosen(e, name, there, make))
    cause = _("There is no queue {name} in this account and region.").format(name=queue)
    return Check(name, Verdict.FAIL, cause, sentences(chosen(e, name, there, ""), make))


def _elsewhere(e: Evidence) -> str:
    """The check that explains why a topic or a queue is not there."""
    known(e.subscriptions)  # without it a region that seems right may be wrong
    if access.region_is_wrong(e):
        return "region"
    return "mns_endpoint" if access.mns_endpoint(e).status is Verdict.FAIL else ""


def _problems(queue: QueueAttributes) -> Iterator[tuple[str, str]]:
    """What would hurt in how a queue is set up, each with what to do about it."""

    def change(attribute: str, value: str) -> str:
        return _("In the MNS console, set its {attribute} to {value}.").format(attribute=attribute, value=value)

    if queue.visibility_timeout < _SHORTEST_HIDING:
        cause = _("A received message is hidden for {span} only: it may come again before it is stored and deleted.")
        yield cause.format(span=span(queue.visibility_timeout)), change("VisibilityTimeout", "60")
    elif queue.visibility_timeout > _LONGEST_HIDING:
        cause = _("A received message is hidden for {span}: when imm-tui is killed, its events come again only then.")
        yield cause.format(span=span(queue.visibility_timeout)), change("VisibilityTimeout", "60")
    if queue.retention < _SHORTEST_KEEPING:
        cause = _("A message is kept for {span} only: an event that nobody receives by then is lost.")
        yield cause.format(span=span(queue.retention)), change("MessageRetentionPeriod", "345600")
    if queue.delay > 0:
        cause = _("Every message is held back: each event comes {span} late.")
        yield cause.format(span=span(queue.delay)), change("DelaySeconds", "0")
    if queue.maximum_size < _SMALLEST_LIMIT:
        cause = _("A message may have {size} bytes at most: a longer event does not get here.")
        yield cause.format(size=queue.maximum_size), change("MaximumMessageSize", "65536")


def subscription(e: Evidence) -> Check:
    name, settings = "subscription", e.settings
    answer = known(e.subscriptions)
    if needs := hindered_by(e, answer, "mns_endpoint"):
        return skipped(name, needs)
    if answer.value is None:
        return failed(name, answer.trouble)
    found = known(e.topic).value
    if found is not None and found.topic is None:
        return skipped(name, _elsewhere(e) or "topic")
    if not settings.queue:
        return skipped(name, "queue")
    if access.region_is_wrong(e):
        return skipped(name, "region")
    ours = _to_the_queue(e)
    if not ours:
        there = known(e.queue).value
        if there is not None and there.queue is None:
            return skipped(name, "queue")
        return _unsubscribed(e, answer.value)
    near = [it for it in ours if _is_here(e, it)]
    if not near:
        cause = _("{name} pushes to a queue of that name in another region or account: {arn}.")
        return Check(name, Verdict.FAIL, cause.format(name=ours[0].name, arn=ours[0].endpoint), _anew(e, ours[0]))
    open_ = [it for it in near if not it.filter_tag]
    if not open_:
        cause = _("{name} lets only messages with the tag {tag} pass, and IMM's have none.")
        return Check(name, Verdict.FAIL, cause.format(name=near[0].name, tag=near[0].filter_tag), _anew(e, near[0]))
    cause = _("{name} pushes from the topic {topic} to the queue {queue}.")
    cause = cause.format(name=open_[0].name, topic=settings.topic, queue=settings.queue)
    return Check(name, Verdict.OK, cause)


def _to_the_queue(e: Evidence) -> list[Subscription]:
    """The subscriptions of the topic that push to a queue of our name."""
    return [it for it in known(e.subscriptions).value or () if it.queue and it.queue[2] == e.settings.queue]


def _unsubscribed(e: Evidence, subscriptions: tuple[Subscription, ...]) -> Check:
    cause = _("The topic {topic} does not push to the queue {queue}: no event gets there.")
    cause = cause.format(topic=e.settings.topic, queue=e.settings.queue)
    fix = _("Subscribe the queue to the topic: {command}.").format(command=e.settings.command("setup"))
    others = sorted({it.queue[2] for it in subscriptions if it.queue})
    if others:
        told = _("Or take a queue that it does push to, if it is there: {names}.").format(names=", ".join(others))
        fix = sentences(fix, told, setting(e, "queue", others[0]) if len(others) == 1 else "")
    return Check("subscription", Verdict.FAIL, cause, fix)


def _is_here(e: Evidence, subscription: Subscription) -> bool:
    """Whether the queue that it pushes to is in the region and the account that are known for certain."""
    assert subscription.queue is not None
    region, account, _name = subscription.queue
    caller = known(e.caller).value
    accounts = {place_of(e.settings.mns_endpoint).account_id, caller.account_id if caller is not None else ""} - {""}
    if region and e.settings.region and region != e.settings.region:
        return False
    return account == "" or not accounts or account in accounts


def _anew(e: Evidence, subscription: Subscription) -> str:
    told = _("Delete the subscription {name} in the MNS console and make it anew: {command}.")
    return told.format(name=subscription.name, command=e.settings.command("setup"))


def format_(e: Evidence) -> Check:
    name, wired = "format", subscription(e)
    if wired.status is Verdict.SKIPPED:
        return Check(name, Verdict.SKIPPED, wired.cause)
    if wired.status is Verdict.FAIL:
        return skipped(name, "subscription")
    found = {it.content_format for it in _to_the_queue(e) if _is_here(e, it)}
    odd = sorted(found - set(_FORMATS))
    if odd:
        cause = _("The subscription pushes in the format {format}, which imm-tui may not be able to read.")
        return Check(name, Verdict.WARN, cause.format(format=odd[0]), _anew(e, _to_the_queue(e)[0]))
    return Check(name, Verdict.OK, _("{format}: imm-tui reads it.").format(format=", ".join(sorted(found))))


def consumers(e: Evidence) -> Check:
    name, there = "consumers", queue(e)
    if there.status is Verdict.SKIPPED:
        return Check(name, Verdict.SKIPPED, there.cause)
    if there.status is Verdict.FAIL:
        return skipped(name, "queue")
    found, history = known(e.queue).value, known(e.history)
    assert found is not None
    assert found.queue is not None
    if found.peeked is None:
        if isinstance(found.peek_trouble, Denied):
            return skipped(name, "permissions")
        return failed(name, found.peek_trouble)
    causes = [*_foreign(found), *_taken(found, history), *_never_came(e)]
    if causes:
        own = _("Give imm-tui a queue of its own: {command}.")
        return Check(
            name,
            Verdict.WARN,
            sentences(*causes),
            sentences(own.format(command=e.settings.command("setup --private")), given_up(e, "queue")),
        )
    count, looked = found.queue.active, len(found.peeked)
    if count > looked:
        waiting = _("{count} messages wait on the queue; the {looked} that were looked at are events.")
    elif count:
        waiting = ngettext("{count} event waits on the queue.", "{count} events wait on the queue.", count)
    else:
        waiting = _("The queue is empty.")
    waiting = waiting.format(count=count, looked=looked)
    who = (
        _("An imm-tui with this history receives them.") if history.attended else _("Nobody else was seen to receive.")
    )
    return Check(name, Verdict.OK, sentences(waiting, who))


def _foreign(found: QueueFound) -> Iterator[str]:
    """That there are messages on the queue which are not IMM's."""
    peeked = [notifications.parse(message.body) for message in found.peeked or ()]
    unread = [it for it in peeked if not it.events]
    if unread:
        told = ngettext(
            "{count} of the {total} messages that were looked at is no event of IMM.",
            "{count} of the {total} messages that were looked at are no events of IMM.",
            len(unread),
        )
        yield sentences(told.format(count=len(unread), total=len(peeked)), _(unread[0].reason))


def _taken(found: QueueFound, history: HistoryFound) -> Iterator[str]:
    """That somebody else receives. While an imm-tui receives for this history it may be that one."""
    if found.queue is None or history.attended:
        return
    held = found.queue.inactive - history.hidden
    back = [it for it in found.peeked or () if it.dequeue_count and it.message_id not in history.quarantined]
    each = _("Of consumers on one queue each gets only a part of the events.")
    if found.taken:
        told = ngettext(
            "{count} message was taken off the queue while the doctor looked.",
            "{count} messages were taken off the queue while the doctor looked.",
            found.taken,
        )
        yield sentences(told.format(count=found.taken), each)
    elif held > 0:
        told = ngettext(
            "{count} message was received and is not deleted: by another consumer or an imm-tui just ended.",
            "{count} messages were received and are not deleted: by another consumer or an imm-tui just ended.",
            held,
        )
        yield sentences(told.format(count=held), each)
    elif back:
        told = ngettext(
            "{count} message was received and came back: another consumer or an imm-tui just ended did not delete it.",
            "{count} messages were received and came back: another consumer or an imm-tui just ended did not delete "
            "them.",
            len(back),
        )
        yield sentences(told.format(count=len(back)), each)


def _never_came(e: Evidence) -> Iterator[str]:
    """That an event is missing, where those of earlier tasks came: IMM publishes them."""
    missing = without_event(e)
    if missing is None or not _is_published(e, missing):
        return
    told = _("The task {task} has ended, and its event did not come, though earlier ones did: it was taken.")
    yield told.format(task=missing.task_id)


def without_event(e: Evidence) -> Task | None:
    """One of the last tasks that IMM says have ended, whose event neither came nor waits on the queue; None where there
    is none, or no telling."""
    found, history = known(e.queue).value, known(e.history)
    if found is None or found.queue is None or found.peeked is None:
        return None
    queue = found.queue
    if queue.active > len(found.peeked) or queue.inactive + queue.delayed > history.hidden:
        return None  # it may be among those that were not looked at
    waiting = {event.task_id for message in found.peeked for event in notifications.parse(message.body).events}
    for task in history.ended[:_LAST]:
        unheard = task.asked and not task.events and task.task_id not in waiting
        late = history.looked_at - (task.finished_at or 0) > _LATE
        if unheard and late and (task.submitted_at or 0) > (queue.created_at or 0):
            return task
    return None


def _is_published(e: Evidence, missing: Task) -> bool:
    """Whether the event of a task that ended before came."""
    before = missing.finished_at or 0
    return any(task.events and (task.finished_at or 0) < before for task in known(e.history).ended)
