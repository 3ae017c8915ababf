"""Writes tasks to a file of its owner's only: JSON Lines, just as `tasks --json` has them, or CSV for a spreadsheet."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import IO, Any, Literal

from imm_tui import places
from imm_tui.history import History
from imm_tui.i18n import _
from imm_tui.tasks import Status, Task

Form = Literal["csv", "jsonl"]

_PROGRESS = 500
"""Tasks between two words about how far it is."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a text begins with that a spreadsheet computes; the wide ones where its language is Chinese or Japanese."""

_COLUMNS = tuple(Task(id=0, task_id=None, status=Status.UNKNOWN, seen_at=0).as_object())


@dataclass(frozen=True, slots=True)
class Exported:
    """Where how many tasks are now."""

    path: Path
    count: int


def tasks(
    history: History,
    numbers: Sequence[int],
    path: Path,
    form: Form,
    *,
    on_progress: Callable[[int], None] = lambda done: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Exported | None:
    """Writes the tasks with these numbers, in this order, to `path`, or beside it where that file exists already.

    The file has its name once it is whole. `on_progress` is called now and then with how many were looked at. Returns
    None when it was `cancelled`: then there is no file, as after any failure. Raises BadInput where it cannot be
    written, HistoryUnusable where not be read.

    CSV is that of RFC 4180, UTF-8 with a byte order mark, without which Excel takes it for something else. A text that
    a spreadsheet would compute has a ' in front of it.
    """
    descriptor, part = _part_of(path)
    count = 0
    try:
        # What is not UTF-8, halves of surrogate pairs, stands in CSV as it would in JSON.
        encoding = "utf-8-sig" if form == "csv" else "ascii"
        with os.fdopen(descriptor, "w", encoding=encoding, errors="backslashreplace", newline="") as file:
            write = _csv_into(file) if form == "csv" else _json_into(file)
            for done, number in enumerate(numbers):
                if done % _PROGRESS == 0:
                    on_progress(done)
                    if cancelled():
                        part.unlink()
                        return None
                if (task := history.task(number)) is not None:  # it may have become another one
                    write(task.as_object())
                    count += 1
        return Exported(_named(part, path), count)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise places.cannot(path, error) from None
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _part_of(path: Path) -> tuple[int, Path]:
    """A new file beside `path`, where that can be made: its descriptor, and its name, which nobody takes for it."""
    try:
        with suppress(FileExistsError):
            path.parent.mkdir(mode=0o700, parents=True)
        with suppress(FileNotFoundError):
            path.lstat()  # now, not when all is written: whether it can be the name of a file
        descriptor, part = mkstemp(prefix=".imm-tui-", suffix=".part", dir=path.parent)
    except (OSError, ValueError) as error:
        raise places.cannot(path, error) from None
    return descriptor, Path(part)


def _named(part: Path, path: Path) -> Path:
    """Gives a file that is whole its name: `path`, or `path` with a number in it, which did not exist."""
    for number in range(1, 1000):
        fresh = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        try:
            os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # the name is ours from here on
        except FileExistsError:
            continue
        try:
            return part.replace(fresh)
        except BaseException:
            fresh.unlink()
            raise
    raise places.refusal(path, _("A thousand files of this name are there already."))


def _json_into(file: IO[str]) -> Callable[[dict[str, object]], Any]:
    return lambda task: file.write(json.dumps(task) + "\n")


def _csv_into(file: IO[str]) -> Callable[[dict[str, object]], Any]:
    writer = csv.writer(file)  # CRLF, and quotes where they are needed, as RFC 4180 has it
    writer.writerow(_COLUMNS)
    return lambda task: writer.writerow([_harmless(value) for value in task.values()])


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
