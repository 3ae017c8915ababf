"""What the screen reads of a history: all there is, then what is new."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from imm_tui.tui.reading import Reading, outline
from tests.tui.conftest import Writer, event


def test_what_was_there_at_first_is_no_news(writer: Writer, path: Path) -> None:
    first = writer.submitted("a.docx", "t-1")
    writer.received(event("t-1"))
    before = outline(path, 0, 1)
    assert list(before.index) == [task.id for task in before.newest] == [first]
    assert before.received == {before.last_event: 1}
    with closing(Reading(path, before)) as reading:
        changes, deliveries = reading.news()
        assert (changes.tasks, changes.removed, deliveries) == ([], [], [])


def test_what_was_committed_meanwhile_is_news_once(writer: Writer, path: Path) -> None:
    before = outline(path, 0, 1)
    assert before.last_event is None
    task = writer.submitted("a.docx", "t-1")
    writer.received(event("t-1"))
    with closing(Reading(path, before)) as reading:
        changes, deliveries = reading.news()
        assert ([it.id for it in changes.tasks], len(deliveries)) == ([task], 1)
        assert not reading.outdated
        writer.received(b"no event")
        assert reading.outdated
        seen = reading.version
        changes, (delivery,) = reading.news()
        assert (changes.tasks, delivery.event) == ([], None)
        assert reading.version != seen
        assert reading.news()[1] == []
