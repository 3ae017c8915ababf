"""Submissions: what was typed → conversions → intents in the history → IMM.

The intent is on disk before anything is sent, so that a submission whose outcome is not known can be told from one that
was never made. Nothing is ever sent twice.
"""

from __future__ import annotations

import os
import re
import time
import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from threading import Event, Lock
from typing import TYPE_CHECKING

from imm_tui import options as option_room
from imm_tui.backoff import Backoff
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import BadInput, Barred, HistoryUnusable, OutcomeUnknown, Refused, Trouble
from imm_tui.history import History
from imm_tui.i18n import N_, _
from imm_tui.tasks import ApiVersion, Conversion, Task, now

if TYPE_CHECKING:
    from imm_tui.cloud.imm import Accepted, Imm

AT_ONCE = 8
"""Calls under way at the same time: enough for IMM's 50 a second at 150 ms each."""

RATE = 50
"""Submissions that IMM takes from one account in a second."""

_AGAIN_FOR = 25.0
"""Seconds for which a submission is offered again that IMM did not take because there were too many."""

_LONGEST = 60_000
"""Milliseconds, more than a submission can take: a call to IMM with its connection, after it was offered in vain."""

PATIENCE = 1.0
"""Seconds that the answers under way have when a run of submissions is interrupted."""

DPI = range(96, 601)
"""CreateOfficeConversionTask, ImageDPI."""

_TARGET_TYPES: dict[ApiVersion, tuple[str, ...]] = {
    "2017-09-06": ("png", "jpg", "pdf", "txt", "vector"),
    "2020-09-30": ("png", "jpg", "pdf", "txt"),
}
_OSS_URI = re.compile(r"oss://[^/\s]+/(.+)", re.DOTALL)
_PAGES = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*")
_DEFAULT_FOLDER = "imm-format-convert-tgt"
"""The folder that IMM's documentation suggests for results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person wants of their documents, as typed: nothing of it is checked, and empty is not given."""

    target_type: str
    target_uri: str = ""
    pages: str = ""
    dpi: str = ""
    password: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    """Those of options.py, by name."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one submission: the task as recorded, and the trouble where it was not accepted."""

    task: Task
    trouble: Trouble | None = None


def target_types(api_version: ApiVersion) -> tuple[str, ...]:
    """What a document can be converted to, the most common first."""
    return _TARGET_TYPES[api_version]


def check_source_uri(text: str) -> str:
    """A source URI as IMM takes it, `oss://bucket/key`. Raises BadInput."""
    uri = text.strip()
    found = _OSS_URI.fullmatch(uri)
    if found is not None and not found[1].endswith("/"):
        return uri
    what, why = _("The source is not an OSS URI."), _("It needs a bucket and the key of one object in it.")
    if not uri:
        what, why = _("The source is missing."), ""
    elif re.match(r"https?://", uri, re.IGNORECASE):
        why = _("IMM reads documents from OSS and takes no web address.")
    raise BadInput(what, why, _("Write it as {form}.").format(form="oss://bucket/key"), field="source_uri")


def check_target_uri(text: str, api_version: ApiVersion) -> str | None:
    """Where results go, `oss://bucket/folder/`, or a template of 2020-09-30; None for no choice. Raises BadInput."""
    uri = text.strip()
    if not uri:
        return None
    fix = _("Write it as {form}.").format(form="oss://bucket/folder/")
    if "{" in uri:
        if api_version == "2020-09-30" and uri.startswith("oss://"):
            return uri
        why = _("A template with {braces} in it is for API version 2020-09-30 only.").format(braces="{…}")
        raise BadInput(_("The target is not an OSS URI."), why, fix, field="target_uri")
    if _OSS_URI.fullmatch(uri) is None:
        why = _("It needs a bucket and a folder in it.")
        raise BadInput(_("The target is not an OSS URI."), why, fix, field="target_uri")
    return uri


def check_target_type(text: str, api_version: ApiVersion) -> str:
    """One of `target_types`. Raises BadInput."""
    target_type = {"text": "txt", "jpeg": "jpg"}.get(text.strip().lower(), text.strip().lower())
    known = target_types(api_version)
    if target_type not in known:
        what = _("“{type}” is no target type.").format(type=text.strip())
        why = _("IMM {version} converts to {types}.").format(version=api_version, types=", ".join(known))
        raise BadInput(what, why, _("Choose one of them."), field="target_type")
    return target_type


def check_pages(text: str) -> str | None:
    """Pages such as `1,2-4,7`; None for all of them. Raises BadInput."""
    pages = re.sub(r"\s", "", text)
    if not pages:
        return None
    if not _PAGES.fullmatch(pages) or not all(_is_range(part) for part in pages.split(",")):
        why = _("Pages count from 1, and a range goes upwards.")
        fix = _("Write them as {example}, or leave it empty for all.").format(example="1,2-4,7")
        raise BadInput(_("These are no pages."), why, fix, field="pages")
    return pages


def _is_range(part: str) -> bool:
    first, _dash, last = part.partition("-")
    return 1 <= int(first) <= int(last or first)


def check_dpi(text: str) -> int | None:
    """The resolution of images, dots per inch; None for the service's own. Raises BadInput."""
    digits = text.strip()
    if not digits:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", digits) or int(digits) not in DPI:
        why = _("IMM takes a whole number from {low} to {high}.").format(low=DPI.start, high=DPI.stop - 1)
        fix = _("Leave it empty for the service's own.")
        raise BadInput(_("This is no resolution."), why, fix, field="dpi")
    return int(digits)


def default_target_uri(source_uri: str, folder: str = "") -> str:
    """A folder of its own for one source, in `folder`, or else in a folder of the source's own bucket."""
    bucket, key = source_uri.removeprefix("oss://").split("/", 1)
    return f"{(folder or f'oss://{bucket}/{_DEFAULT_FOLDER}').rstrip('/')}/{key}/"


def plan(sources: Sequence[str], wanted: Wanted, settings: Settings) -> list[Conversion]:
    """Conversions of `sources`, each once, with every field checked. Raises BadInput.

    One source goes to the target as it stands. Several would write over each other there (IMM calls the first page of
    each 1.png), as would one after the other in the profile's folder: each gets a folder there that is named after it.
    """
    version = settings.api_version
    uris = list(dict.fromkeys(check_source_uri(source) for source in sources))
    if not uris:
        raise BadInput(_("There is nothing to submit."), fix=_("Give at least one source URI."), field="source_uri")
    target = check_target_uri(wanted.target_uri, version)
    folder = target or check_target_uri(settings.target_uri, version) or ""
    target_type = check_target_type(wanted.target_type, version)
    pages, dpi = check_pages(wanted.pages), check_dpi(wanted.dpi)
    chosen = option_room.chosen(version, target_type, wanted.options)
    buckets = {uri.removeprefix("oss://").partition("/")[0] for uri in uris}

    def place(uri: str) -> str:
        if "{" in folder or (target and len(uris) == 1):
            return folder
        if folder and len(buckets) > 1:
            return f"{folder.rstrip('/')}/{uri.removeprefix('oss://')}/"
        return default_target_uri(uri, folder)

    return [
        Conversion(
            source_uri=uri,
            target_uri=place(uri),
            target_type=target_type,
            pages=pages,
            dpi=dpi,
            options=chosen,
            password=wanted.password or None,
        )
        for uri in uris
    ]


def connect(settings: Settings, credentials: Keys) -> Imm:
    """The project of `settings`. Raises BadInput where the settings do not do."""
    from imm_tui.cloud.imm import Imm  # the SDK is imported when it is needed, not before the first paint

    return Imm(
        endpoint=settings.imm_endpoint,
        region=settings.region,
        api_version=settings.api_version,
        project=settings.project,
        topic=settings.topic,
        mns_endpoint=settings.mns_endpoint,
        credentials=credentials,
        read_only=settings.read_only,
    )


class Pace:
    """How fast submissions may go: AT_ONCE at first, RATE in any second, and none while IMM wants to be left alone.

    For several threads. Once it is stopped nobody waits any more.
    """

    _SPACING = 1 / RATE

    _SECOND = 1.05
    """What is sent within a second may arrive within less."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._latest: deque[float] = deque(maxlen=RATE)
        """The monotonic times of as many submissions as may go in a second."""
        self._next = 0.0
        """The monotonic time of the next submission."""
        self._backoff = Backoff(first=0.5, last=15.0)
        self._over = Event()

    def turn(self) -> float:
        """The monotonic time of a submission's turn, which is its own from here on."""
        with self._lock:
            at = time.monotonic()
            turn = max(self._next, at - (AT_ONCE - 1) * self._SPACING)
            if len(self._latest) == RATE:
                turn = max(turn, self._latest[0] + self._SECOND)
            self._latest.append(max(turn, at))
            self._next = turn + self._SPACING
        return turn

    def wait(self, turn: float) -> bool:
        """Waits for that time; false once it is stopped."""
        return not self._over.wait(max(0.0, turn - time.monotonic()))

    def slow_down(self, retry_after: float | None) -> None:
        """IMM had too many submissions, and may have said for how many seconds it wants none."""
        with self._lock:
            at = time.monotonic()
            # Of those under way together the first one slows them all down.
            if self._next <= at + AT_ONCE * self._SPACING:
                self._next = at + self._backoff.delay(retry_after)

    def go_on(self) -> None:
        """IMM takes submissions."""
        with self._lock:
            self._backoff.reset()

    def stop(self) -> None:
        self._over.set()


def submit(
    history: History,
    imm: Imm,
    settings: Settings,
    conversions: Sequence[Conversion],
    *,
    batch: int | None = None,
    batch_size: int | None = None,
    resubmits: Sequence[int] = (),
    plan: str | None = None,
    pace: Pace | None = None,
    on_intent: Callable[[int], None] = lambda task: None,
) -> Generator[Outcome, None, None]:
    """Submits each conversion once and yields what became of it, in the order of the answers.

    `batch` is the number of the first task of those that these belong to (0: the first of these begins them),
    `batch_size` how many there will be (None: these are all), `resubmits` the task that each is once more, where it is
    one, `plan` the name of the batch's plan in the history, `pace` one that other runs share: what has not been sent
    when that is stopped is neither recorded nor sent.
    `on_intent` is called with the number of each task as soon as it is recorded.
    IMM's word that there are too many says that it did not take this one: it is offered again, slower.
    A refusal that would meet every other submission as well (a wrong key, say) ends the sending: the rest are recorded
    as failed, with the same reason, and not sent. Raises HistoryUnusable before anything unrecorded is sent, and
    ReadOnly, for a profile that is, before anything is recorded.
    Closed early, it sends no more, and records what is under way: its answer, or after PATIENCE that it is unknown.
    """
    if settings.read_only:
        from imm_tui.cloud.read_only import forbidden  # not before the first paint

        if trouble := forbidden("imm:CreateOfficeConversionTask"):
            raise trouble
    waiting: dict[Future[Accepted], int] = {}
    hopeless: Trouble | None = None
    pace = pace or Pace()
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="submission")

    def answers(until: float | None = None) -> Iterator[Outcome]:
        nonlocal hopeless
        for outcome in _answers(history, waiting, until):
            if isinstance(outcome.trouble, Barred):
                hopeless = outcome.trouble
            yield outcome

    try:
        for conversion, resubmitted in zip_longest(conversions, resubmits):
            turn = pace.turn() if hopeless is None else 0.0
            while waiting and turn > time.monotonic():
                yield from answers(turn)
            if not pace.wait(turn):
                break
            token = str(uuid.uuid4())
            task = history.record_intent(
                conversion,
                project=settings.project,
                api_version=settings.api_version,
                token=token,
                at=now(),
                request=imm.request(conversion, token),
                batch=batch,
                batch_size=len(conversions) if batch_size is None else batch_size,
                resubmits=resubmitted,
                plan=plan,
            )
            on_intent(task)
            if batch == 0:
                batch = task
            if hopeless is not None:
                yield _failed(history, task, hopeless)
                continue
            waiting[pool.submit(_send, imm, conversion, token, pace)] = task
            if len(waiting) >= AT_ONCE:
                yield from answers()
        while waiting:
            yield from answers()
    except BaseException as first:
        pace.stop()
        later = _settle(history, waiting)
        if batch and batch_size is None:
            with suppress(HistoryUnusable):  # what was raised first is what a person is told
                history.record_batch_ended(batch)
        if later and isinstance(first, GeneratorExit):  # nothing had failed until a signal came
            raise later from None
        raise
    finally:
        pool.shutdown(wait=False)


def _send(imm: Imm, conversion: Conversion, token: str, pace: Pace) -> Accepted:
    """Offers one submission until IMM takes it, or refuses it for another reason than that there are too many.

    With its one token: should IMM have taken it all the same, 2017-09-06 takes the next offer for the same task.
    """
    from imm_tui.cloud.refusals import is_throttle

    until = time.monotonic() + _AGAIN_FOR
    while True:
        try:
            accepted = imm.create_conversion(conversion, token)
        except Refused as refusal:
            if not is_throttle(refusal.code):
                raise
            pace.slow_down(refusal.retry_after)
            too_late = time.monotonic() + (refusal.retry_after or 0.0) > until
            if too_late or not pace.wait(pace.turn()):
                raise
        else:
            pace.go_on()
            return accepted


def _settle(history: History, waiting: dict[Future[Accepted], int]) -> BaseException | None:
    """Records each submission under way: its answer, or after PATIENCE that it is unknown.

    One that cannot be recorded costs no other its record. Returns what asked for the end meanwhile, a signal say.
    """
    asked: BaseException | None = None
    deadline = time.monotonic() + PATIENCE
    while waiting:
        try:
            answered, _pending = wait(waiting, max(0.0, deadline - time.monotonic()), FIRST_COMPLETED)
            future = next(iter(answered or waiting))
            task = waiting.pop(future)
            if answered:
                _answer(history, task, future)
            else:
                why = N_("It was interrupted before IMM had answered.")
                history.record_unknown(task, message=why, request_id=None)
        except Exception:  # what was raised first is what a person is told
            pass
        except BaseException as end:
            asked = asked or end
    return asked


def settle_abandoned(history: History) -> int:
    """Records as unknown each submission whose process ended before it had its answer; returns how many.

    Whether a process runs cannot be told everywhere: a submission that is a minute old is taken for abandoned as well.
    Where that was wrong nothing is lost, for its answer is recorded when it comes.
    """
    abandoned = [
        task
        for task, process, since in history.submitting()
        if now() - since > _LONGEST or (process is not None and not _runs(process))
    ]
    why = N_(
        "The imm-tui that submitted it ended before IMM had answered. "
        "The dashboard, and submit --wait, look up whether IMM has it."
    )
    for task in abandoned:
        history.record_unknown(task, message=why, request_id=None)
    return len(abandoned)


def _runs(process: int) -> bool:
    if os.name != "posix":  # elsewhere os.kill would do what it says
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


def _answers(history: History, waiting: dict[Future[Accepted], int], until: float | None) -> Iterator[Outcome]:
    """Waits for an answer, till that monotonic time at most, records what came, and takes it out of `waiting`."""
    timeout = None if until is None else max(0.0, until - time.monotonic())
    answered, _pending = wait(waiting, timeout, FIRST_COMPLETED)
    for future in answered:
        outcome = _answer(history, waiting[future], future)
        del waiting[future]  # not before it is recorded
        yield outcome


def _answer(history: History, task: int, future: Future[Accepted]) -> Outcome:
    try:
        accepted = future.result()
    except OutcomeUnknown as trouble:
        history.record_unknown(task, message=str(trouble), request_id=trouble.request_id)
        return Outcome(_recorded(history, task), trouble)
    except Trouble as trouble:
        return _failed(history, task, trouble)
    history.record_accepted(task, accepted.task_id, accepted.request_id, accepted.percent, now())
    return Outcome(_recorded(history, task))


def _failed(history: History, task: int, trouble: Trouble) -> Outcome:
    history.record_refused(task, code=trouble.code, message=str(trouble), request_id=trouble.request_id, at=now())
    return Outcome(_recorded(history, task), trouble)


def _recorded(history: History, task: int) -> Task:
    recorded = history.task(task)
    assert recorded is not None, "a task that was submitted is never removed"
    return recorded
