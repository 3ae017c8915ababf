"""The bytes of a message → the events in it. Pure: it never raises, whatever the bytes, and never looks anything up.

IMM's two versions, MNS's three envelopes and a publisher's base64 nest in one another; so a message is read as a tree
whose branches are JSON, XML or base64 again, and every leaf that tells of a task becomes an event.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from imm_tui.i18n import N_
from imm_tui.tasks import Event, Status

Object = dict[str, object]
"""A JSON object whose keys are in lower case; neither they nor its strings have blanks around them."""

_DEPTH = 8
"""How many steps inwards are taken. A list of envelopes, each with a list of wrapped bodies, needs seven."""

_NO_TASK = N_("The message is a notification of IMM, but it names no task.")
_FOREIGN = N_("The message is not a notification of IMM.")
_ORIGIN = frozenset({"type", "source", "eventsource"})
"""The keys with which an object says where it comes from."""

_OWN_KEYS = frozenset({"projectname", "requestid"})
"""Keys that all bodies of the new version have, and hardly anything else."""

_OWN_SOURCES = ("acs.imm", "acs:imm")

_TASK_TYPES = re.compile(
    "ArchiveFileInspection|DecodeBlindWatermark|FaceClustering|FacesSearching|FigureClustering|FigureClustersMerging|"
    "FileCompression|FileUncompression|ImageModeration|ImageSplicing|ImageToPDF|LiveTranscoding|LocationDateClustering|"
    "MediaConvert|OfficeConversion|PointCloudCompress(ion)?|SimilarImageClustering|StoryCreation|"
    "VideoLabelClassification|VideoModeration",
    re.IGNORECASE,
)
"""IMM's kinds of task (GetTask, and EventBridge's types of IMM's events), but for AsyncTask and SyncTask, which may be
anybody's."""

_WORDS = {
    "succeeded": Status.SUCCEEDED,
    "finished": Status.SUCCEEDED,
    "failed": Status.FAILED,
    "running": Status.RUNNING,
}


@dataclass(frozen=True, slots=True)
class Notification:
    """What one message turned out to hold: its events, or the reason why there is none."""

    events: tuple[Event, ...] = ()
    reason: str = ""
    """One sentence for a person, empty where there is an event. It never quotes the message."""


class _Unreadable(Exception):
    """This text is not what a notification is made of; the argument is the sentence that says so."""


def parse(body: bytes) -> Notification:
    """Read a message body as MNS delivered it.

    Events that cannot be read are skipped if another one can. A lone surrogate, which no file can hold, becomes the
    escape it came as (`\\ud800`); all other text is as received, but for blanks around it.
    """
    found = list(_walk(body.decode("utf-8", "replace"), None, 0))
    events = tuple(item for item in found if isinstance(item, Event))
    if events:
        return Notification(events)
    reasons = [item for item in found if isinstance(item, str)]
    return Notification(reason=_NO_TASK if _NO_TASK in reasons else (reasons or [_FOREIGN])[0])


def _walk(value: object, wrapper: Object | None, depth: int) -> Iterator[Event | str]:
    """The events in `value`, and a reason for each branch without one; `wrapper` is the object that held it."""
    if depth > _DEPTH:
        yield _FOREIGN
    elif isinstance(value, str):
        try:
            inner = _read(value)
        except _Unreadable as reason:
            yield str(reason)
        else:
            yield from _walk(inner, wrapper, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item, wrapper, depth + 1)
    elif not isinstance(value, dict):
        yield _FOREIGN
    elif "events" in value:
        events = value["events"]
        for item in events if isinstance(events, list) else [events]:
            yield _old_event(item)
    elif "taskid" in value:
        yield _new_event(value, wrapper)
    else:
        ours = _is_imm(wrapper) or _is_imm(value) or value.keys() >= _OWN_KEYS
        yield _NO_TASK if ours else _FOREIGN
        # The new version wraps its body in `content`, and CloudEvents in `data`; `Message` is MNS's own envelope, which
        # does not say whose message it is: what has said so holds for all that is in it.
        inner_wrapper = value if _ORIGIN & value.keys() else wrapper
        for key in ("content", "data", "message"):
            if key in value:
                yield from _walk(value[key], inner_wrapper, depth + 1)


def _old_event(item: object) -> Event | str:
    """One of the `events` of 2017-09-06. OSS announces its objects in the same shape, with no `imm` in it."""
    if not isinstance(item, dict):
        return _FOREIGN
    body = item.get("imm")
    task_id = _text(body.get("taskid")) if isinstance(body, dict) else None
    if not isinstance(body, dict) or not task_id:
        return _NO_TASK if "imm" in item or _is_imm(item) else _FOREIGN
    name = _text(item.get("eventname")) or ""
    code = _text(body.get("code"))
    percent = _whole(body.get("percent"), 100)
    return Event(
        task_id=task_id,
        name=name,
        status=_status(code, name, percent),
        percent=percent,
        page_count=_whole(body.get("pagecount"), 10**9),
        code=code,
        time=_text(item.get("eventtime")),
    )


def _new_event(body: Object, wrapper: Object | None) -> Event | str:
    """The body of 2020-09-30, bare or wrapped. Other services have a `taskId` too: it has to look like IMM's."""
    kind = _text(body.get("tasktype"))
    task_id = _text(body["taskid"])
    said = wrapper or (body if _ORIGIN & body.keys() else None)
    if not (_is_imm(said) if said else _is_imm_body(body, kind or "", task_id or "")):
        return _FOREIGN
    if not task_id:
        return _NO_TASK
    wrapper = wrapper or {}
    name = _text(wrapper.get("type")) or (f"imm:Task:{kind}" if kind else "")
    code = _text(body.get("code"))
    percent = _whole(body.get("percent", body.get("progress")), 100)
    status = _WORDS.get((_text(body.get("status")) or "").lower()) or _status(code, name, percent)
    moments = [wrapper.get("time"), body.get("starttime")]
    if status.finished:
        moments.insert(0, body.get("endtime"))
    return Event(
        task_id=task_id,
        name=name,
        status=status,
        percent=percent,
        page_count=_whole(body.get("pagecount"), 10**9),
        code=code,
        message=_text(body.get("message")),
        time=next(filter(None, map(_text, moments)), None),
        user_data=_text(body.get("userdata")),
    )


def _status(code: str | None, name: str, percent: int | None) -> Status:
    """A code decides; without a failure, only `…Finished` or 100 percent is the end, and anything less is Running."""
    if code and code.lower() != "noerror":
        return Status.FAILED
    if name.lower().endswith("finished") or percent == 100:
        return Status.SUCCEEDED
    return Status.RUNNING


def _is_imm(item: Object | None) -> bool:
    """Whether an object says that it comes from IMM, by its type or its source."""
    if item is None:
        return False
    return (
        (_text(item.get("type")) or "").lower().startswith("imm:")
        or item.get("source") in _OWN_SOURCES
        or item.get("eventsource") in _OWN_SOURCES
    )


def _is_imm_body(body: Object, kind: str, task_id: str) -> bool:
    """Whether a body that came without a word about its origin is IMM's: by its kind of task, or by IMM's own keys."""
    if _TASK_TYPES.fullmatch(kind) or (kind and task_id.lower().startswith(f"{kind.lower()}-")):
        return True
    status = (_text(body.get("status")) or "").lower()
    return body.keys() >= _OWN_KEYS and (bool(kind) or status in _WORDS)


def _text(value: object) -> str | None:
    """A string, or a number that stands for one; None where there is nothing to read."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    value = value.strip()
    if not value.isascii():
        value = value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value or None


_WHOLE = re.compile(r"([0-9]{1,10})(?:\.0*)?")
_FIGURES = (str, int, float)


def _whole(value: object, most: int) -> int | None:
    """A whole number from 0 to `most`, written as a number or as a string; anything else is no figure."""
    match = _WHOLE.fullmatch(str(value)) if isinstance(value, _FIGURES) else None
    return int(match[1]) if match and int(match[1]) <= most else None


def _read(text: str) -> object:
    """JSON, MNS's XML envelope, or either of them in base64, as values; raises _Unreadable."""
    text = text.strip().removeprefix("\ufeff").lstrip()
    if not text:
        raise _Unreadable(N_("The message is empty."))
    if text[0] in '{["':
        return _read_json(text)
    if text[0] == "<":
        return _read_xml(text)
    try:
        plain = base64.b64decode("".join(text.split()), validate=True).decode("utf-8-sig").lstrip()
    except ValueError:
        plain = ""
    if plain[:1] not in ("{", "[", "<"):
        raise _Unreadable(N_("The message is neither a JSON object nor an XML envelope."))
    return _read(plain)


def _tidy(pairs: list[tuple[str, object]]) -> Object:
    return {key.strip().lower(): value.strip() if isinstance(value, str) else value for key, value in pairs}


def _small_int(digits: str) -> int | None:
    """No figure of IMM has more than 18 digits, and Python takes its time over a number of thousands."""
    return int(digits) if len(digits) <= 18 else None


_JSON = json.JSONDecoder(object_pairs_hook=_tidy, parse_int=_small_int, strict=False)
_BLANKS = re.compile(r"\s*")


def _read_json(text: str) -> object:
    """One JSON value, or a list of several that follow each other; what comes after them and is no JSON is dropped."""
    values: list[object] = []
    at = 0
    try:
        while at < len(text):
            value, at = _JSON.raw_decode(text, at)
            values.append(value)
            at = _BLANKS.match(text, at).end()  # type: ignore[union-attr]  # it matches everywhere
    except ValueError:
        if not values:
            raise _Unreadable(N_("The message begins like JSON, but cannot be read as JSON.")) from None
    except RecursionError:
        if not values:
            raise _Unreadable(N_("The message is nested too deeply to be read.")) from None
    return values[0] if len(values) == 1 else values


_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
_OPENED = re.compile(r"<Message(?:\s[^<>]*)?>")


def _read_xml(text: str) -> Object:
    """The Message of an XML envelope, which need not be well-formed: the one in MNS's own documentation is not."""
    if "<!DOCTYPE" in text:
        raise _Unreadable(N_("The message is XML with a document type declaration, which is not read."))
    try:
        for element in ElementTree.fromstring(text).iter():
            if element.tag.rpartition("}")[2] == "Message":
                return {"message": "".join(element.itertext())}
    except (ElementTree.ParseError, ValueError):
        opened = _OPENED.search(text)
        message, closed, _ = text[opened.end() :].rpartition("</Message>") if opened else ("", "", "")
        if closed:
            return {"message": _unescaped(message)}
    raise _Unreadable(N_("The message is XML, but not an envelope of MNS."))


def _unescaped(markup: str) -> str:
    """The text of an element of a broken envelope; the element itself may be sound."""
    try:
        return "".join(ElementTree.fromstring(f"<Message>{markup}</Message>").itertext())
    except (ElementTree.ParseError, ValueError):
        return re.sub("|".join(_ENTITIES), lambda entity: _ENTITIES[entity[0]], markup)
