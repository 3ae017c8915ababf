"""What is found for the list, question after question."""

from __future__ import annotations

from pathlib import Path
from queue import Queue

from imm_tui.errors import Trouble
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
