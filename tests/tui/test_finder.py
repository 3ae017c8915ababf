"""What is found for the list, question after question."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from queue import Queue

from imm_tui.errors import Trouble
from imm_tui.history import Order
from imm_tui.tui.finder import Finder
from imm_tui.tui.task_index import Arrangement, Found
from tests.tui.conftest import Writer


def test_of_many_questions_the_last_is_answered_and_none_with_a_trouble(writer: Writer, path: Path) -> None:
    for number in range(100):
        writer.submitted(f"{number}.docx")
    answers: Queue[tuple[Arrangement, Found | Trouble]] = Queue()
    finder = Finder(path, lambda arrangement, found: answers.put((arrangement, found)))
    try:
        for number in range(100):
            finder.ask(Arrangement(query=f"{number}.docx"))
        told = [answers.get(timeout=30)]
        while told[-1][0].query != "99.docx":
            told.append(answers.get(timeout=30))
        numbers = [list(found) for _asked, found in told if isinstance(found, Found)]
        assert len(numbers) == len(told)
        assert numbers[-1] == [100]
        finder.drop()
        finder.ask(Arrangement(query="7.docx"))
        assert answers.get(timeout=30)[0].query == "7.docx"
    finally:
        finder.stop()


def test_the_newest_that_are_found_are_told_before_all_of_a_long_history_was_looked_through(
    writer: Writer, path: Path
) -> None:
    first = writer.submitted("first.docx")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE sqlite_sequence SET seq = 100000 WHERE name = 'tasks'")  # many have come since
    newest = writer.submitted("newest.docx")
    answers: Queue[Found | Trouble] = Queue()
    finder = Finder(path, lambda _arrangement, found: answers.put(found))
    try:
        finder.ask(Arrangement(query=".docx"))
        told = [answers.get(timeout=30), answers.get(timeout=30)]
        assert [(list(it), it.whole) for it in told if isinstance(it, Found)] == [
            ([newest], False),
            ([newest, first], True),
        ]
        finder.ask(Arrangement(Order(descending=False), ".docx"))
        found = answers.get(timeout=30)
        assert isinstance(found, Found)
        assert (list(found), found.whole) == ([first, newest], True), "in another order nothing is told in parts"
    finally:
        finder.stop()
