"""The dry run: what would be sent, from which line to which place, and what speaks against it. Nothing is sent."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from posixpath import splitext

from imm_tui import sources as source_room
from imm_tui import submission
from imm_tui.config import Settings
from imm_tui.errors import BadInput, Trouble
from imm_tui.history import History
from imm_tui.i18n import N_, _
from imm_tui.options import IMAGES
from imm_tui.sources import Lister
from imm_tui.submission import Wanted
from imm_tui.tasks import Conversion

_NO_TEXT = re.compile("[\ud800-\udfff]")
_VARIABLE = re.compile(r"\{([^{}]*)\}")


class Note(StrEnum):
    """What there is to say of a line; the values are marked for translation."""

    GOOD = ""
    WRONG = N_("wrong")
    """Not sent: it is no source."""
    DUPLICATE = N_("duplicate")
    """Not sent: an earlier line is the same."""
    COLLISION = N_("collision")
    """Sent; it and another line have the same place for their results."""
    OVERWRITES = N_("overwrites")
    """Sent; a task of the history has put its results there, or will."""


@dataclass(frozen=True, slots=True)
class Row:
    """One source, and the number of the line that it is on; a pattern has a row for each that it stands for."""

    line: int
    source: str
    target: str = ""
    """Empty where it is not sent; a template's variables are filled in as far as they are known."""
    note: Note = Note.GOOD
    why: str = ""
    """A sentence about the note, in the language of the moment."""


@dataclass(frozen=True)
class Preview:
    """What a submission would do."""

    rows: list[Row]
    conversions: list[Conversion]
    """What would be sent, each once."""

    @cached_property
    def counts(self) -> Mapping[Note, int]:
        return Counter(row.note for row in self.rows)

    @property
    def objections(self) -> bool:
        """Whether a person should look before it is sent: anything but good lines."""
        return any(self.counts[note] for note in Note if note is not Note.GOOD)


def dry_run(
    sources: Sequence[str],
    wanted: Wanted,
    settings: Settings,
    *,
    typed: Collection[str] = frozenset(),
    history: History | None = None,
    lister: Lister | None = None,
) -> Preview:
    """What `submission.plan` would make of these lines; never raises for a line, but says what is wrong with it.

    Blank lines and comments (#) have no row. `typed` are those lines in which a stand-in may have taken the place of a
    character: those of a form, not those of a file. `history` is asked whose results would be replaced, `lister` what a
    pattern stands for. Raises BadInput for what is wrong with `wanted`, HistoryUnusable.
    """
    read = list(_read(sources, typed, lister))
    good = [row.source for row in read if not row.note]
    # Also without a good line, for the sake of the other fields.
    conversions = submission.plan(good or ["oss://bucket/key"], wanted, settings)
    if not good:
        return Preview(read, [])
    results = {conversion.source_uri: _result(conversion) for conversion in conversions}
    first_lines: dict[str, int] = {}
    for row in read:
        if not row.note:
            first_lines.setdefault(results[row.source], row.line)
    shared = {result for result, times in Counter(results.values()).items() if times > 1}
    replaced = _replaced(conversions, history) if history is not None else {}

    def judged(row: Row) -> Row:
        if row.note:
            return row
        result = results[row.source]
        target = _shown(result)
        if result in shared and row.line != first_lines[result]:
            why = _("Line {line} has the same place for its results.").format(line=f"{first_lines[result]:,}")
            return Row(row.line, row.source, target, Note.COLLISION, why)
        if result in shared:
            why = _("Another line has the same place for its results.")
            return Row(row.line, row.source, target, Note.COLLISION, why)
        if (task := replaced.get(result)) is not None:
            why = _("It overwrites the result of task {task}.").format(task=task)
            return Row(row.line, row.source, target, Note.OVERWRITES, why)
        return Row(row.line, row.source, target)

    return Preview([judged(row) for row in read], conversions)


def _read(lines: Sequence[str], typed: Collection[str], lister: Lister | None) -> Iterator[Row]:
    """A row for each source, with a note where it is not to be sent."""
    seen: dict[str, int] = {}
    for number, line in source_room.numbered(lines):
        try:
            if line in typed:
                source_room.as_typed(line, "source_uri")
            found = _expanded(line, lister)
        except Trouble as trouble:
            yield Row(number, line, note=Note.WRONG, why=str(trouble))
            continue
        for source in found:
            if source in seen:
                why = _("It is the same as line {line}.").format(line=f"{seen[source]:,}")
                yield Row(number, source, note=Note.DUPLICATE, why=why)
            else:
                seen[source] = number
                yield Row(number, source)


def _expanded(line: str, lister: Lister | None) -> list[str]:
    if not source_room.is_pattern(line):
        uri = submission.check_source_uri(line)
        if _NO_TEXT.search(uri):
            raise BadInput(_("This is not valid text."), _("It holds a byte that is not UTF-8."), field="source_uri")
        return [uri]
    if lister is None:
        what, why = _("This pattern cannot be resolved."), _("The bucket cannot be listed from here.")
        raise BadInput(what, why, _("Name each document."), field="source_uri")
    try:
        found = source_room.expand(line, lister)
    except OSError as error:
        raise BadInput(_("The bucket cannot be listed."), f"{error.strerror or error}.", field="source_uri") from None
    if not found:
        raise BadInput(_("No object matches this pattern."), field="source_uri")
    return found


def _result(conversion: Conversion) -> str:
    """What a conversion writes, as far as two of them can be compared: in a folder images are called 1.png and so on,
    anything else is called like its source."""
    target_type = conversion.target_type
    template = "{" in conversion.target_uri
    if not template and target_type in IMAGES:
        return f"{conversion.target_uri.rstrip('/')}/*.{target_type}"
    bucket, _slash, key = conversion.source_uri.removeprefix("oss://").partition("/")
    folder, _slash, name = key.rpartition("/")
    bare, extension = splitext(name)
    if not template:
        return f"{conversion.target_uri.rstrip('/')}/{bare}.{target_type}"
    options = dict(conversion.options)
    tags = json.loads(options["Tags"]) if "Tags" in options else {}
    known = {
        "bucket": bucket,
        "dirname": folder,
        "barename": bare,
        "filename": name,
        "ext": extension[1:],
        "autoext": target_type,
        **{f"tags.{name}": str(value) for name, value in tags.items()},
    }
    filled = _VARIABLE.sub(lambda variable: known.get(variable[1], variable[0]), conversion.target_uri)
    return re.sub(r"(?<!:)/{2,}", "/", filled)  # an object in no folder


def _shown(result: str) -> str:
    """A result without the stand-in for the numbers of images: the folder."""
    folder, _slash, name = result.rpartition("/")
    return f"{folder}/" if name.startswith("*.") else result


def _replaced(conversions: Sequence[Conversion], history: History) -> dict[str, str]:
    """What the newest task of the history that has the same result is called, by the result."""
    found: dict[str, str] = {}
    for number, task_id, source_uri, target_uri, target_type in history.results(
        list({conversion.target_uri for conversion in conversions})
    ):
        sent = Conversion(source_uri=source_uri, target_uri=target_uri, target_type=target_type)
        found.setdefault(_result(sent), task_id or f"#{number}")
    return found
