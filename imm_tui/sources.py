"""Where sources come from: lines that were typed or stand in a file, and patterns such as `oss://bucket/*.docx`.

What is typed into the form is a document a line, or `@FILE` for the lines of a file.
"""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imm_tui import submission
from imm_tui.errors import BadInput
from imm_tui.i18n import _, ngettext

Lister = Callable[[str, str], Iterable[str]]
"""Lists a bucket: its name and a prefix → the keys of its objects that begin so."""

_PATTERN = re.compile(r"oss://([^/*\s]+)/(.*\*.*)", re.DOTALL)

_FILE = re.compile("@(?!-$).")
"""A line that names a file; `@-`, standard input, is the keyboard of a form."""

_MOST = 16 * 2**20
"""Bytes of a file that a line of the form can name: a hundred thousand sources and more."""

_STAND_IN = re.compile("[\u2400-\u2421\ufffd]")
"""What stands in the place of a character that a terminal would obey (text.py)."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the lines that were typed come to."""

    first: str
    """The first source; empty where there is none."""
    count: int
    told: str
    """`37 sources · 2 duplicates · 1 wrong`."""
    wrong: BadInput | None
    """What `check_all` says of them."""


def read(file: str) -> bytes:
    """All of a file; `-` is standard input. Raises BadInput."""
    try:
        if file != "-":
            return Path(file).expanduser().read_bytes()
        return sys.stdin.buffer.read() if sys.stdin is not None else b""
    except (OSError, ValueError, RuntimeError) as error:  # a NUL in the name, a home that is not known
        raise _unreadable(file, f"{getattr(error, 'strerror', None) or error}.") from None


def _read_regular(file: str) -> bytes:
    """All of a file that has an end, and no more than _MOST. Raises BadInput."""
    try:
        path = Path(file).expanduser()
        if not stat.S_ISREG(path.stat().st_mode):
            raise _unreadable(file, _("It is no ordinary file."))
        with path.open("rb") as opened:
            content = opened.read(_MOST + 1)
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreadable(file, f"{getattr(error, 'strerror', None) or error}.") from None
    if len(content) > _MOST:
        why = _("It is larger than {size} MB.").format(size=_MOST // 2**20)
        raise _unreadable(file, why, _("Give the sources in several files, one after the other."))
    return content


def _unreadable(file: str, why: str, fix: str = "") -> BadInput:
    return BadInput(_("{file} cannot be read.").format(file=shown(file)), why, fix, field="source_uri")


def shown(file: str) -> str:
    """What a person calls a file that is read."""
    return _("Standard input") if file == "-" else file


def read_lines(file: str) -> list[str]:
    """Every line of a text file in UTF-8, with or without a BOM, also those that name no source. Raises BadInput."""
    return _lines(read(file), file)


def read_named(file: str) -> list[str]:
    """The same of a file that the form names: an ordinary one, 16 MB at most, with a source in it. Raises BadInput."""
    lines = _lines(_read_regular(file), file)
    if next(numbered(lines), None) is None:
        what = _("{file} names no source.").format(file=shown(file))
        raise BadInput(what, fix=_("Write one source URI a line."), field="source_uri")
    return lines


def _lines(content: bytes, file: str) -> list[str]:
    lines = []
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            lines.append(raw.decode().strip())
        except UnicodeDecodeError:
            what = _("Line {number} of {file} is not text in UTF-8.").format(number=f"{number:,}", file=shown(file))
            raise BadInput(what, fix=_("Save the file as UTF-8."), field="source_uri") from None
    return lines


def numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The lines that name a source, with their numbers from 1: not blank, and no comment that begins with #."""
    for number, line in enumerate(lines, 1):
        if (source := line.strip()) and not source.startswith("#"):
            yield number, source


def tally(lines: Iterable[str]) -> Tally:
    """What these lines of the form come to; of a hundred thousand it takes a second."""
    typed = [source for _number, source in numbered(lines)]
    different = set(typed)
    count, twice = len(typed), len(typed) - len(different)
    wrong = sum(not _is_right(source) for source in different)
    parts = [ngettext("{count} source", "{count} sources", count).format(count=f"{count:,}")]
    if twice:
        parts.append(ngettext("{count} duplicate", "{count} duplicates", twice).format(count=f"{twice:,}"))
    trouble: BadInput | None = None
    if wrong:
        parts.append(ngettext("{count} wrong", "{count} wrong", wrong).format(count=f"{wrong:,}"))
    if wrong or not typed:
        try:
            check_all(typed)
        except BadInput as bad:
            trouble = bad
    return Tally(typed[0] if typed else "", count, " · ".join(parts), trouble)


def _is_right(source: str) -> bool:
    try:
        _check(source)
    except BadInput:
        return False
    return True


def check_all(typed: Sequence[str]) -> None:
    """Raises BadInput for the first that is wrong, with its line where there are several, or if there are none."""
    for number, source in enumerate(typed or [""], 1):
        try:
            _check(source)
        except BadInput as wrong:
            if len(typed) < 2:
                raise
            what = _("Line {number}: {what}").format(number=f"{number:,}", what=wrong.what)
            raise BadInput(what, wrong.why, wrong.fix, field=wrong.field) from None


def _check(source: str) -> None:
    """Raises BadInput for what is neither a source nor `@FILE`."""
    if not _FILE.match(source):
        submission.check_source_uri(as_typed(source, "source_uri"))


def with_files(lines: Iterable[str]) -> list[str]:
    """Every line, with those of a file in place of `@FILE`. Raises BadInput for a file that cannot be read."""
    found = []
    for source in lines:
        found += read_named(source[1:]) if _FILE.match(source) else [source]
    return found


def as_typed(typed: str, field: str) -> str:
    """`typed`, unless a stand-in took the place of a character in it. Raises BadInput."""
    if _STAND_IN.search(typed):
        fix = _("Take it out, or submit such a name with “imm-tui submit --from FILE”.")
        raise BadInput(_("It held a character that cannot be shown."), fix=fix, field=field)
    return typed


def is_pattern(source: str) -> bool:
    """Whether a source stands for many: `*` is anything within a folder, `**` across folders."""
    return _PATTERN.fullmatch(source) is not None


def example(source: str) -> str:
    """A source that stands for one document: of a pattern what all begin with that it stands for, and an ellipsis."""
    return f"{source.partition('*')[0]}…" if is_pattern(source) else source


def expand(pattern: str, lister: Lister) -> list[str]:
    """The sources that a pattern stands for, sorted. Raises what the lister raises."""
    found = _PATTERN.fullmatch(pattern)
    assert found is not None, "is_pattern said so"
    bucket, key = found.groups()
    parts = re.split(r"(\*\*|\*)", key)
    wild = {"**": ".*", "*": "[^/]*"}
    matches = re.compile("".join(wild.get(part) or re.escape(part) for part in parts), re.DOTALL).fullmatch
    return sorted(f"oss://{bucket}/{name}" for name in lister(bucket, parts[0]) if matches(name))


def folder_lister(root: Path) -> Lister:
    """Lists buckets that are folders in `root`, as the emulator has them."""

    def objects(bucket: str, prefix: str) -> Iterator[str]:
        folder = root / bucket
        for path in folder.rglob("*"):
            name = path.relative_to(folder).as_posix()
            if name.startswith(prefix) and path.is_file():
                yield name

    return objects
