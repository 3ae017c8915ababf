"""A filter as people type it → a condition on the history's table of tasks.

Words, "quoted words", `or`, `not` or `-`, brackets, `field:value`, figures (`pages>10`), times (`since:1h`), properties
(`is:untracked`). What a Chinese input method writes in place of ASCII means the same. Pure: no clock, no file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from imm_tui.config import nearest
from imm_tui.errors import BadInput
from imm_tui.history import NAME
from imm_tui.i18n import _, language
from imm_tui.tasks import API_VERSIONS, Status, task_key

_LONGEST, _MOST, _DEEPEST = 4_000, 100, 8
"""Characters, parts (and alternatives of one of them), and brackets in brackets: what SQLite takes with ease."""


@dataclass(frozen=True, slots=True)
class Filter:
    """`where` is for SQLite, `values` are those of its placeholders; each task makes it 0 or 1, never NULL."""

    text: str
    where: str = "1"
    values: tuple[object, ...] = ()
    takes_time: bool = False
    """What it finds changes as time passes: parse the text anew now and then."""

    def only(self, status: Status) -> Filter:
        """Of what it finds, the tasks of this status."""
        return replace(self, where=f"({self.where}) AND status = '{status}'")

    def without(self, status: Status) -> Filter:
        """Of what it finds, all but the tasks of this status."""
        return replace(self, where=f"({self.where}) AND status <> '{status}'")


# What there is to ask for

_STATUSES = {
    status.lower(): f"status = '{status}'"
    for status in (Status.FAILED, Status.RUNNING, Status.SUCCEEDED, Status.UNKNOWN, Status.SUBMITTING)
}
_IN_CHINESE = {
    "提交中": _STATUSES["submitting"],
    "运行中": _STATUSES["running"],
    "成功": _STATUSES["succeeded"],
    "失败": _STATUSES["failed"],
    "未知": _STATUSES["unknown"],
}
_PROPERTIES = {
    "untracked": "submitted_at IS NULL",
    "asked": "asked",
    "finished": f"status IN ('{Status.SUCCEEDED}', '{Status.FAILED}')",
    "batch": "batch IS NOT NULL",
    "resubmitted": "resubmits IS NOT NULL",
}
_CHOICES = {"status": _STATUSES | _IN_CHINESE, "is": _STATUSES | _PROPERTIES | _IN_CHINESE}

_TEXTS = {
    "type": ("target_type",),
    "code": ("code",),
    "source": ("source_uri",),
    "target": ("target_uri",),
    "project": ("project",),
    "id": ("task_id",),
    "request": ("request_id",),
    "version": ("api_version",),
}
_ANYWHERE = ("source_uri", "task_id", "code", "message", "request_id")
"""Where a word is looked for that names no field."""

_FIGURES = {"pages": "page_count", "percent": "percent", "events": "events", "batch": "batch"}
_NO_FIGURE = {
    # Until a task has succeeded 2017-09-06 says 0 pages, which is no count, and is not shown as one.
    "pages": f"page_count <= 0 AND status <> '{Status.SUCCEEDED}'",
}
_TOOK = "CASE WHEN finished_at IS NULL THEN ? - coalesce(submitted_at, seen_at) ELSE finished_at - submitted_at END"

_TIMES = {"since": ">=", "before": "<"}

FIELDS = (
    *("status", "type", "pages", "since", "is", "name", "took", "code", "percent", "before", "source", "target"),
    *("project", "events", "batch", "id", "request", "version"),
)
"""Those that are most often wanted first."""

_KNOWN_VALUES: Mapping[str, Iterable[str]] = {
    **_CHOICES,
    "type": ("png", "jpg", "pdf", "txt", "vector"),
    "version": API_VERSIONS,
    "since": ("today", "yesterday"),
    "before": ("today", "yesterday"),
}

_OR, _AND, _NOT = {"or", "或"}, {"and", "且"}, {"not", "非"}

_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([smhdw])")

# The parts of a text

_OPEN, _CLOSE, _MINUS, _COMMA = "(（", ")）", "-－", re.compile("[,，、]")
_QUOTES = dict.fromkeys('"“”＂', '"“”＂') | {"「": "」", "『": "』"}
"""Each opening quote, and those that close it."""

_HEAD = re.compile(r"([A-Za-z]+)([:：=＝]|[<>＜＞][=＝]?|[≤≥])(?!//)")
"""The field and the operator of a part; `oss://` is neither."""


class _Part(NamedTuple):
    kind: str
    """A bracket, a minus, or "word"."""
    written: str
    start: int
    text: str = ""
    """Without the quotes."""
    bare: str = ""
    """The same with a `"` for each character that was quoted: what is found here is not."""
    closed: bool = True
    """No quote was left open."""

    @property
    def word(self) -> str:
        """What tells an operator from all else; never empty."""
        return (self.bare.lower() or '"') if self.kind == "word" else self.kind


def _parts(text: str) -> Iterator[_Part]:
    at = 0
    while at < len(text):
        it, following = text[at], text[at + 1 : at + 2]
        if it.isspace():
            at += 1
            continue
        if it in _OPEN or it in _CLOSE:
            part = _Part("(" if it in _OPEN else ")", it, at)
        elif it in _MINUS and following and not following.isspace() and following not in _CLOSE:
            part = _Part("-", it, at)
        else:
            part = _word_at(text, at)
        yield part
        at += len(part.written)


def _word_at(text: str, start: int) -> _Part:
    """Brackets in the midst of a word are the word's, as in `report(1).docx`."""
    words, bare, closing, depth = "", "", "", 0
    at = start
    while at < len(text):
        it = text[at]
        if closing:
            if it == "\\" and text[at + 1 : at + 2] in {*closing, "\\"}:
                at += 1
                words, bare = words + text[at], bare + '"'
            elif it in closing:
                closing = ""
            else:
                words, bare = words + it, bare + '"'
        elif it in _QUOTES:
            closing = _QUOTES[it]
        elif it.isspace() or (it in _CLOSE and not depth) or (it in _OPEN and bare.lower() in _OR | _AND | _NOT):
            break
        else:
            depth += (it in _OPEN) - (it in _CLOSE)
            words, bare = words + it, bare + it
        at += 1
    return _Part("word", text[start:at], start, words, bare, not closing)


# From the text to the condition


class _Condition(NamedTuple):
    where: str
    values: tuple[object, ...] = ()
    takes_time: bool = False


def parse(text: str, at: int, *, unfinished: bool = False) -> Filter:
    """The filter that `text` says, by the clock `at` (epoch milliseconds).

    Raises BadInput: where it is wrong, why, and what would fit. One that is `unfinished` is never wrong: what cannot
    be read, or not yet, is left out.
    """
    parts = list(_parts(text[: _LONGEST + 1]))
    if unfinished:
        parts = parts[:_MOST]
    elif len(text) > _LONGEST or len(parts) > _MOST:
        raise BadInput(
            _("The filter is too long."),
            _("It can have {parts} parts, and {characters} characters.").format(
                parts=_MOST, characters=f"{_LONGEST:,}"
            ),
            _("Use fewer words."),
            field="filter",
        )
    condition = _Reading(parts, at, unfinished).all()
    return Filter(text) if condition is None else Filter(text, *condition)


class _Reading:
    """Reads the parts in order; None stands for a condition that is left out."""

    def __init__(self, parts: list[_Part], at: int, unfinished: bool) -> None:
        self._parts = parts
        self._at = at
        self._unfinished = unfinished
        self._next = 0
        self._depth = 0

    def all(self) -> _Condition | None:
        found: list[_Condition | None] = []
        while self._next < len(self._parts):
            found.append(self._either())
            if self._next < len(self._parts):
                self._wrong(_("This bracket closes nothing."), _("Remove it, or put it in quotes."))
                self._next += 1
        return _joined("AND", found)

    def _peek(self) -> str:
        return self._parts[self._next].word if self._next < len(self._parts) else ""

    def _wrong(self, why: str, fix: str, part: _Part | None = None) -> None:
        """Tells what is wrong at `part`, or at the next one, unless all of it is not to be taken so seriously yet."""
        if not self._unfinished:
            raise _told(part or self._parts[min(self._next, len(self._parts) - 1)], why, fix)

    def _either(self) -> _Condition | None:
        found = [self._all_of()]
        while self._peek() in _OR:
            self._next += 1
            found.append(self._all_of())
        return _joined("OR", found)

    def _all_of(self) -> _Condition | None:
        found = [self._one()]
        while (word := self._peek()) and word != ")" and word not in _OR:
            self._next += word in _AND
            found.append(self._one())
        return _joined("AND", found)

    def _one(self) -> _Condition | None:
        negated = False
        while (word := self._peek()) == "-" or word in _NOT:
            self._next += 1
            negated = not negated
        if word == ")" and not self._depth:
            return None  # whoever is asked for the next part tells that
        if not word or word == ")" or word in _OR | _AND:
            self._wrong(_("A condition is missing here."), _("To look for a word like “or”, put it in quotes."))
            return None
        condition = self._group() if word == "(" else self._word()
        if condition is None or not negated:
            return condition
        return condition._replace(where=f"NOT {condition.where}")

    def _group(self) -> _Condition | None:
        opening = self._parts[self._next]
        self._next += 1
        self._depth += 1
        if self._depth > _DEEPEST:
            self._wrong(_("There are too many brackets in brackets."), _("Use fewer."), opening)
        inner = self._either()
        self._depth -= 1
        if self._peek() == ")":
            self._next += 1
        else:
            self._wrong(_("This bracket is not closed."), _("Close it, or put it in quotes."), opening)
        return inner if self._depth < _DEEPEST else None

    def _word(self) -> _Condition | None:
        part = self._parts[self._next]
        self._next += 1
        try:
            if not part.closed and not self._unfinished:
                raise _told(part, _("The quote is not closed."), _("Close it."))
            return _read(part, self._at)
        except BadInput:
            if self._unfinished:
                return None
            raise


def _told(part: _Part, why: str, fix: str) -> BadInput:
    what = _("The filter cannot be read at character {place}, “{there}”.")
    return BadInput(what.format(place=part.start + 1, there=part.written), why, fix, field="filter")


def _joined(operator: str, conditions: Iterable[_Condition | None]) -> _Condition | None:
    some = [condition for condition in conditions if condition is not None]
    if len(some) < 2:
        return some[0] if some else None
    where = f" {operator} ".join(condition.where for condition in some)
    values = tuple(value for condition in some for value in condition.values)
    return _Condition(f"({where})", values, any(condition.takes_time for condition in some))


def _read(part: _Part, at: int) -> _Condition:
    """One word, or one field with what it is to be. Raises BadInput."""
    head = _HEAD.match(part.bare)
    field = head[1].lower() if head else ""
    if head is None or (field not in FIELDS and head[2] in "=＝"):  # an equals sign stands in many a text
        if not part.text:
            raise _told(part, _("There is nothing between the quotes."), _("Write the words that you look for."))
        return _contains(_ANYWHERE, part.text)
    if field not in FIELDS:
        raise _told(
            part,
            _("There is no field {name}.").format(name=head[1]),
            f"{_nearest(field, FIELDS)} {_('To look for these very words, put them in quotes.')}",
        )
    operator = _plain(head[2]).replace("≤", "<=").replace("≥", ">=").replace(":", "=")
    values = [part.text[head.end() :]]
    if field not in _TIMES:
        commas = [head.end() - 1, *(comma.start() for comma in _COMMA.finditer(part.bare, head.end())), len(part.text)]
        values = [part.text[left + 1 : right] for left, right in pairwise(commas)]
    values = [value for value in values if value.strip()]
    if not values:
        raise _told(part, _("{field} needs a value.").format(field=field), _examples(field))
    if len(values) > _MOST:
        raise _told(part, _("It has more than {count} alternatives.").format(count=_MOST), _("Use fewer."))
    if operator != "=" and field not in (*_FIGURES, "took"):
        why = _("{field} cannot be greater or less than something.").format(field=field)
        raise _told(part, why, _examples(field))
    read = _reader(part, field, operator, at)
    either = _joined("OR", map(read, values))
    assert either is not None
    return either


def _reader(part: _Part, field: str, operator: str, at: int) -> Callable[[str], _Condition]:
    """What reads one value of this field."""
    if field in _CHOICES:
        return lambda value: _choice(part, field, value)
    if field in _TIMES:
        return lambda value: _time(part, field, value, at)
    if field == "name":
        return _named
    if field in _TEXTS:
        return lambda value: _contains(_TEXTS[field], value)
    return lambda value: _figure(part, field, operator, value, at)


def _contains(columns: Iterable[str], text: str) -> _Condition:
    """Whether one of the columns has the text in it, whatever the case of its ASCII letters.

    A character that no text can hold, or that was shown in the place of one, stands for any.
    """
    patterns = dict.fromkeys(columns, text)
    if "task_id" in patterns and (key := task_key(text)) != text.lower():
        patterns["task_key"] = key  # the same id may be known by its other spelling
    # A text that is no UTF-8 is kept as bytes, which LIKE may take for unlike anything.
    likes = " OR ".join(f"CAST({column} AS TEXT) LIKE ? ESCAPE '\\'" for column in patterns)
    return _Condition(f"(({likes}) IS TRUE)", tuple(map(_pattern, patterns.values())))


def _named(text: str) -> _Condition:
    """Whether the task's name has the text in it: looked for where names are from first, which takes a fifth as long
    as to make the name of every task."""
    first, then = _contains(("source_uri", "task_id", "'#' || id"), text), _contains((NAME,), text)
    return _Condition(f"({first.where} AND {then.where})", first.values + then.values)


def _pattern(text: str) -> str:
    literal = re.sub(r"([%_\\])", r"\\\1", text)
    return "%" + re.sub("[\0\ud800-\udfff\ufffd]", "_", literal) + "%"


def _choice(part: _Part, field: str, value: str) -> _Condition:
    begun = _plain(value)
    fitting = dict.fromkeys(where for word, where in _CHOICES[field].items() if word.startswith(begun))
    if not fitting:
        why = _("“{value}” is nothing that {field} can be.").format(value=value, field=field)
        raise _told(part, why, _nearest(begun, _CHOICES[field]))
    return _Condition(f"({' OR '.join(fitting)})")


def _figure(part: _Part, field: str, operator: str, value: str, at: int) -> _Condition:
    took = field == "took"
    expression, values = (_TOOK, (at,)) if took else (_FIGURES[field], ())
    read = _span if took else _count
    low, dash, high = _plain(value).replace("..", "-").partition("-")
    least, most = read(low), read(high if dash else low)
    if least is None or most is None or (dash and operator != "="):
        why = _("“{value}” is no figure that {field} can be.").format(value=value, field=field)
        raise _told(part, why, _examples(field))
    # Whether it is a figure at all is looked at last: most tasks have another one.
    is_one = f" AND NOT ({_NO_FIGURE[field]})" if field in _NO_FIGURE else ""
    if operator != "=":
        return _Condition(f"((({expression}) {operator} ?{is_one}) IS TRUE)", (*values, least.first), took)
    return _Condition(f"((({expression}) BETWEEN ? AND ?{is_one}) IS TRUE)", (*values, least.first, most.last), took)


class _Span(NamedTuple):
    """A figure as it is written, and the last one that would be shown like it."""

    first: int
    last: int


def _count(text: str) -> _Span | None:
    number = re.fullmatch(r"(\d{1,15})%?", text)
    return _Span(int(number[1]), int(number[1])) if number else None


def _span(text: str) -> _Span | None:
    """A duration in milliseconds, seconds if it has no unit; `2m` is shown up to the third minute."""
    written = _DURATION.fullmatch(text if text[-1:] in _UNITS else f"{text}s")
    if written is None:
        return None
    first = round(float(written[1]) * _UNITS[written[2]])
    return _Span(first, first + _UNITS[written[2]] - 1)


def _time(part: _Part, field: str, value: str, at: int) -> _Condition:
    moment, moves = _moment(_plain(value), at)
    if moment is None:
        why = _("“{value}” is no time.").format(value=value)
        raise _told(part, why, _examples(field))
    return _Condition(f"(coalesce(submitted_at, seen_at) {_TIMES[field]} ?)", (moment,), moves)


def _moment(text: str, at: int) -> tuple[int | None, bool]:
    """Epoch milliseconds, and whether it is another one later on. Dates and times of the day are the person's own."""
    if span := _DURATION.fullmatch(text):
        return at - round(float(span[1]) * _UNITS[span[2]]), True
    try:
        today = datetime.fromtimestamp(at / 1000).replace(hour=0, minute=0, second=0, microsecond=0)
        if text in ("today", "今天"):
            return _milliseconds(today), True
        if text in ("yesterday", "昨天"):
            return _milliseconds(today - timedelta(days=1)), True
        if clock := re.fullmatch(r"(\d{1,2}):(\d{2})", text):
            return _milliseconds(today.replace(hour=int(clock[1]), minute=int(clock[2]))), True
        return _milliseconds(datetime.fromisoformat(text.upper())), False
    except (ValueError, OverflowError, OSError):
        return None, False


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _plain(text: str) -> str:
    """Without the width that an input method gave it."""
    return unicodedata.normalize("NFKC", text).strip().lower()


# What would fit


def _nearest(word: str, known: Iterable[str]) -> str:
    return nearest(word, [it for it in known if it.isascii()])


def _examples(field: str) -> str:
    if field in _CHOICES:
        return _nearest("", _CHOICES[field])
    if field in _TIMES:
        examples = [f"{field}:90m", f"{field}:2d", f"{field}:14:00", f"{field}:2026-11-20"]
    elif field == "took":
        examples = ["took>90s", "took<2m", "took:1h-2h"]
    elif field in _FIGURES:
        examples = [f"{field}>10", f"{field}:3", f"{field}:2-5"]
    else:
        examples = [f"{field}:word", f'{field}:"two words"', f"{field}:this,that"]
    return _("Examples: {examples}.").format(examples="  ".join(examples))


def completions(text: str) -> dict[str, str]:
    """The words that the last one in `text` could become, fields and their values, the likeliest first.

    Each comes with the text that it makes of `text`, which stands at its beginning as it was typed.
    """
    parts = list(_parts(text[:_LONGEST]))
    last = parts[-1] if parts else None
    if last is None or not _is_open(last, text):
        return {}
    head = _HEAD.match(last.bare)
    if head is None:
        ends = [f"{field}{'>' if field in (*_FIGURES, 'took') else ':'}" for field in FIELDS]
        begun = last.bare
    else:
        begun = _COMMA.split(last.bare[head.end() :])[-1]
        known = _KNOWN_VALUES.get(head[1].lower(), ())
        # The Chinese words are for those who read them, or have begun one.
        ends = [it for it in known if it.isascii() or language() != "en" or not begun.isascii()]
    return {end: text + end[len(begun) :] for end in ends if end.startswith(begun.lower()) and end != begun.lower()}


def settled(text: str) -> str:
    """`text` without the word at its end, while that may yet become the name of a field; a blank after it ends that."""
    parts = list(_parts(text[:_LONGEST]))
    if not parts or not _is_open(parts[-1], text):
        return text
    begun = parts.pop().bare.lower()
    if not any(field.startswith(begun) for field in FIELDS):
        return text
    while parts and parts[-1].kind == "-":
        parts.pop()  # it is the word's
    return text[: parts[-1].start + len(parts[-1].written)] if parts else ""


def _is_open(last: _Part, text: str) -> bool:
    """Whether the last part is a word that can go on, without quotes."""
    return last.kind == "word" and last.bare == last.written and text.endswith(last.written)
