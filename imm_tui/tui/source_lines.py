"""What is typed into the form for sources: a document a line, or `@FILE` for the lines of a file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from imm_tui import sources, submission
from imm_tui.errors import BadInput
from imm_tui.i18n import _, ngettext

_FILE = re.compile("@(?!-$).")
"""A line that names a file; `@-`, standard input, is the keyboard here."""

_STAND_IN = re.compile("[\u2400-\u2421\ufffd]")
"""What stands in the place of a character that a terminal would obey (text.py)."""


def counted(typed: Sequence[str]) -> str:
    """`37 sources · 2 duplicates · 1 wrong`."""
    different = set(typed)
    wrong = sum(not _is_source(source) for source in different)
    count, twice = len(typed), len(typed) - len(different)
    parts = [ngettext("{count} source", "{count} sources", count).format(count=f"{count:,}")]
    if twice:
        parts.append(ngettext("{count} duplicate", "{count} duplicates", twice).format(count=f"{twice:,}"))
    if wrong:
        parts.append(ngettext("{count} wrong", "{count} wrong", wrong).format(count=f"{wrong:,}"))
    return " · ".join(parts)


def check_sources(typed: Sequence[str]) -> None:
    """Raises BadInput for the first that is wrong, with its line where there are several, or if there are none."""
    for number, source in enumerate(typed or [""], 1):
        try:
            check_source(source)
        except BadInput as wrong:
            if len(typed) < 2:
                raise
            what = _("Line {number}: {what}").format(number=number, what=wrong.what)
            raise BadInput(what, wrong.why, wrong.fix, field=wrong.field) from None


def _is_source(source: str) -> bool:
    try:
        check_source(source)
    except BadInput:
        return False
    return True


def check_source(source: str) -> None:
    """Raises BadInput for what is neither a source nor `@FILE`."""
    if not _FILE.match(source):
        submission.check_source_uri(as_typed(source, "source_uri"))


def with_files(lines: Sequence[str]) -> list[str]:
    """Every line, with those of a file in place of `@FILE`. Raises BadInput for a file that cannot be read."""
    found = []
    for source in lines:
        if _FILE.match(source):
            sources.read_sources(source[1:])  # says what is wrong with a file of no source
            found += sources.read_lines(source[1:])
        else:
            found.append(source)
    return found


def as_typed(typed: str, field: str) -> str:
    """`typed`, unless a stand-in took the place of a character in it. Raises BadInput."""
    if _STAND_IN.search(typed):
        fix = _("Take it out, or submit such a name with “imm-tui submit --from FILE”.")
        raise BadInput(_("It held a character that cannot be shown."), fix=fix, field=field)
    return typed
