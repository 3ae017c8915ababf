"""The doctor's questions, side by side, each in a thread and with a client of its own. None changes anything."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from imm_tui.cloud.refusals import is_missing
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.doctor import records
from imm_tui.doctor.check import Check
from imm_tui.doctor.evidence import Answer, Evidence, Kind, ProjectFound, QueueFound, TopicFound
from imm_tui.doctor.verdicts import CHECKS, judge
from imm_tui.errors import Barred, Denied, Refused, Trouble, Unreachable
from imm_tui.tasks import API_VERSIONS, ApiVersion, now

if TYPE_CHECKING:
    from imm_tui.cloud.imm import Imm, Listed
    from imm_tui.cloud.mns_account import MnsAccount
    from imm_tui.cloud.mns_reply import Subscription
    from imm_tui.cloud.sts import Caller

T = TypeVar("T")

_TRIES, _PAUSE = 3, 0.4
"""How often a question is asked that something in passing, a throttle or a cut, kept from being answered; seconds."""

_PATIENCE = 5.0
"""Seconds after which a question is not asked again: whoever was silent for that long will be again."""

_RECENT = 86_400_000
"""Milliseconds: the tasks that are listed."""

_LISTED = 1_000

_WATCHED = 1.0
"""Seconds for which a queue with messages is looked at, to see whether somebody takes them."""

_NO_TASK = {
    "2017-09-06": "formatconvert-00000000-0000-4000-8000-000000000000",
    "2020-09-30": "OfficeConversion-00000000-0000-4000-8000-000000000000",
}
"""A task that there is not: asking about it tells whether one may ask."""

_ABOUT_THE_TASK = re.compile("InvalidTask|InvalidParameter|Not(Found|Exist)")
"""Codes that answer it. ResourceNotFound may mean the project: whether that exists is asked besides."""


def examine(settings: Settings, keys: Keys, history_path: Path) -> Iterator[Check]:
    """Every check, once, as soon as it is decided.

    Nothing is changed, received or made. Takes as long as the slowest answer, which a service that is silent holds up
    for some ten seconds.
    """
    evidence = Evidence(settings=settings)
    came: SimpleQueue[tuple[str, Any]] = SimpleQueue()
    _start("history", lambda: records.look(history_path, settings), came)
    evidence = replace(evidence, keys=_answered(keys.current))
    questions = _questions(settings, keys, "" if evidence.keys and evidence.keys.value else "credentials")
    for name, question in questions.items():
        _start(name, question, came)
    undecided = list(CHECKS)
    for _answer in range(len(questions) + 1):
        for name in list(undecided):
            if (check := judge(evidence, name)) is not None:
                undecided.remove(name)
                yield check
        name, answer = came.get()
        if isinstance(answer, Exception):
            raise answer
        evidence = replace(evidence, **{name: answer})
    for name in undecided:
        yield CHECKS[name](evidence)


def _start(name: str, question: Callable[[], Any], came: SimpleQueue[tuple[str, Any]]) -> None:
    def ask() -> None:
        try:
            came.put((name, question()))
        except Exception as mistake:  # raised again where the answers are awaited
            came.put((name, mistake))

    threading.Thread(target=ask, name=f"doctor {name}", daemon=True).start()


def _questions(settings: Settings, keys: Keys, needs: str) -> dict[str, Callable[[], Answer[Any]]]:
    """Those that are asked over the network, by the names of Evidence; `needs` is the check without which none can."""

    def unless(lacking: str, ask: Callable[[Settings, Keys], Answer[Any]]) -> Callable[[], Answer[Any]]:
        return lambda: Answer(needs=lacking) if lacking else ask(settings, keys)

    imm = needs or ("" if settings.region and settings.imm_endpoint else "region")
    mns = needs or ("" if settings.mns_endpoint else "mns_endpoint" if settings.region else "region")
    return {
        "caller": unless(needs, _caller),
        "project": unless(imm, _project),
        "task": unless(imm or ("" if settings.project else "project"), _task),
        "tasks": unless(imm or ("" if settings.project else "project"), _tasks),
        "topic": unless(mns, _topic),
        "queue": unless(mns, _queue),
        "subscriptions": unless(mns or ("" if settings.topic else "topic"), _subscriptions),
    }


def _answered(question: Callable[[], T], offset: Callable[[], float | None] = lambda: None) -> Answer[T]:
    """The answer to a question, which is asked again where only something in passing was in the way."""
    began = time.monotonic()
    for tries_left in reversed(range(_TRIES)):
        try:
            return Answer(value=question(), offset=offset())
        except Trouble as trouble:
            lasting = not isinstance(trouble, Refused | Unreachable) or isinstance(trouble, Barred)
            if lasting or not tries_left or time.monotonic() - began > _PATIENCE or not _opened(trouble):
                return Answer(trouble=trouble, offset=offset())
        time.sleep(_PAUSE)
    raise AssertionError


def _opened(trouble: Trouble) -> bool:
    return not isinstance(trouble, Unreachable) or trouble.opened


# STS


def _caller(settings: Settings, keys: Keys) -> Answer[Caller]:
    if not settings.sts_endpoint:
        return Answer()
    from imm_tui.cloud.sts import caller

    return _answered(lambda: caller(settings.sts_endpoint, keys))


# IMM


def _of_imm(settings: Settings, keys: Keys, question: Callable[[Imm], T]) -> Answer[T]:
    from imm_tui.cloud.imm import Imm

    try:
        imm = Imm(
            endpoint=settings.imm_endpoint,
            region=settings.region,
            api_version=settings.api_version,
            project=settings.project or None,
            topic="",
            mns_endpoint="",
            credentials=keys,
            read_only=True,
        )
    except Trouble as trouble:
        return Answer(trouble=trouble)
    with closing(imm):
        return _answered(lambda: question(imm), lambda: imm.clock_offset)


def _project(settings: Settings, keys: Keys) -> Answer[ProjectFound]:
    def ask(imm: Imm) -> ProjectFound:
        if settings.project and (project := imm.get_project()) is not None:
            return ProjectFound(project)
        return ProjectFound(None)

    answer = _of_imm(settings, keys, ask)
    absent = answer.value is not None and answer.value.project is None
    if not absent and answer.kind is not Kind.VERSION:
        return answer
    elsewhere = _in_the_other_version(settings, keys)
    if not absent:
        return Answer(value=ProjectFound(None, in_version=elsewhere), offset=answer.offset) if elsewhere else answer
    others = _of_imm(replace(settings, project=""), keys, lambda imm: tuple(it.name for it in imm.list_projects()))
    if not settings.project and not isinstance(others.trouble, Denied | None):
        return Answer(trouble=others.trouble, offset=others.offset)
    return Answer(value=ProjectFound(None, others.value or (), elsewhere), offset=answer.offset)


def _in_the_other_version(settings: Settings, keys: Keys) -> ApiVersion | None:
    """The other API version, if it has the project."""
    other = next(version for version in API_VERSIONS if version != settings.api_version)
    if not settings.project:
        return None
    there = _of_imm(replace(settings, api_version=other), keys, lambda imm: imm.get_project() is not None)
    return other if there.value else None


def _task(settings: Settings, keys: Keys) -> Answer[bool]:
    def ask(imm: Imm) -> bool:
        try:
            imm.get_task(_NO_TASK[settings.api_version])
        except Refused as refusal:
            if isinstance(refusal, Barred) or not _ABOUT_THE_TASK.search(refusal.code or ""):
                raise
        return True  # it may be asked about

    return _unless_missing(_of_imm(settings, keys, ask), "project")


def _tasks(settings: Settings, keys: Keys) -> Answer[tuple[Listed, ...]]:
    # 2017-09-06 lists all there are, in no order: what is not recent would be looked through to no end.
    since = 0 if settings.api_version == "2017-09-06" else now() - _RECENT

    def ask(imm: Imm) -> tuple[Listed, ...]:
        listed = imm.list_tasks(since, now() + _RECENT)
        return tuple(task for task, _number in zip(listed, range(_LISTED), strict=False))

    return _unless_missing(_of_imm(settings, keys, ask), "project")


def _unless_missing(answer: Answer[T], needs: str) -> Answer[T]:
    """An answer about something in a project or a topic that does not exist says no more than that."""
    code = answer.trouble.code or "" if answer.trouble is not None else ""
    if is_missing(code) or (needs == "project" and "NotFound" in code and "AccessKey" not in code):
        return Answer(needs=needs, offset=answer.offset)
    return answer


# MNS


def _of_mns(settings: Settings, keys: Keys, question: Callable[[MnsAccount], T]) -> Answer[T]:
    from imm_tui.cloud.mns_account import MnsAccount

    try:
        mns = MnsAccount(settings.mns_endpoint, keys, read_only=True)
    except Trouble as trouble:
        return Answer(trouble=trouble)
    with closing(mns):
        return _answered(lambda: question(mns), lambda: mns.clock_offset)


def _topic(settings: Settings, keys: Keys) -> Answer[TopicFound]:
    def ask(mns: MnsAccount) -> TopicFound:
        topic = _existing(settings.topic, mns.topic)
        return TopicFound(topic, () if topic else _names(mns.topics, bool(settings.topic)))

    return _of_mns(settings, keys, ask)


def _subscriptions(settings: Settings, keys: Keys) -> Answer[tuple[Subscription, ...]]:
    answer = _of_mns(settings, keys, lambda mns: tuple(mns.subscriptions(settings.topic)))
    return _unless_missing(answer, "topic")


def _queue(settings: Settings, keys: Keys) -> Answer[QueueFound]:
    def ask(mns: MnsAccount) -> QueueFound:
        queue = _existing(settings.queue, mns.queue)
        if queue is None:
            return QueueFound(None, _names(mns.queues, bool(settings.queue)))
        try:
            peeked = tuple(mns.peek(queue.name))
        except Refused as refusal:
            return QueueFound(queue, peek_trouble=refusal)
        if not queue.active:
            return QueueFound(queue, peeked=peeked)
        time.sleep(_WATCHED)
        later = mns.queue(queue.name)
        fewer = sum((queue.active, queue.inactive, queue.delayed)) - sum((later.active, later.inactive, later.delayed))
        return QueueFound(later, peeked=peeked, taken=max(fewer, 0))

    return _of_mns(settings, keys, ask)


def _existing(name: str, ask: Callable[[str], T]) -> T | None:
    """What is asked for by its name; None where there is none, or where no name is given."""
    try:
        return ask(name) if name else None
    except Refused as refusal:
        if is_missing(refusal.code):
            return None
        raise


def _names(listing: Callable[[], list[str]], only_to_help: bool) -> tuple[str, ...]:
    """What there is instead; nothing where that may not be known."""
    try:
        return tuple(listing())
    except Denied:
        return ()
    except Trouble:
        if only_to_help:
            return ()
        raise
