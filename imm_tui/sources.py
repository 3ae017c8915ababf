"""Where sources come from: lines that were typed or stand in a file, and patterns such as `oss://bucket/*.docx`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from imm_tui.errors import BadInput
from imm_tui.i18n import _

Lister = Callable[[str, str], Iterable[str]]
"""Lists a bucket: its name and a prefix → the keys of its objects that begin so."""

_PATTERN = re.compile(r"oss://([^/*\s]+)/(.*\*.*)", re.DOTALL)


def read(file: str) -> bytes:
    """All of a file; `-` is standard input. Raises BadInput."""
    try:
        if file != "-":
            return Path(file).expanduser().read_bytes()
        return sys.stdin.buffer.read() if sys.stdin is not None else b""
    except (OSError, ValueError, RuntimeError) as error:  # a NUL in the name, a home that is not known
        why = getattr(error, "strerror", None) or str(error)
        raise BadInput(_("{file} cannot be read.").format(file=shown(file)), f"{why}.", field="source_uri") from None


def shown(file: str) -> str:
    """What a person calls a file that is read."""
    return _("Standard input") if file == "-" else file


def read_lines(file: str) -> list[str]:
    """Every line of a text file in UTF-8, with or without a BOM, also those that name no source. Raises BadInput."""
    lines = []
    for number, raw in enumerate(read(file).removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            lines.append(raw.decode().strip())
        except UnicodeDecodeError:
            what = _("Line {number} of {file} is not text in UTF-8.").format(number=number, file=shown(file))
            raise BadInput(what, fix=_("Save the file as UTF-8."), field="source_uri") from None
    return lines


def read_sources(file: str) -> list[str]:
    """The lines of a file that name a source. Raises BadInput, also where there are none."""
    found = [line for _number, line in numbered(read_lines(file))]
    if not found:
        what = _("{file} names no source.").format(file=shown(file))
        raise BadInput(what, fix=_("Write one source URI a line."), field="source_uri")
    return found


def numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The lines that name a source, with their numbers from 1: not blank, and no comment that begins with #."""
    for number, line in enumerate(lines, 1):
        if (source := line.strip()) and not source.startswith("#"):
            yield number, source


def is_pattern(source: str) -> bool:
    """Whether a source stands for many: `*` is anything within a folder, `**` across folders."""
    return _PATTERN.fullmatch(source) is not None


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
