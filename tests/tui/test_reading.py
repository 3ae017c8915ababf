"""What the screen reads of a history: all there is, then what is new."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from imm_tui.tasks import Status
from imm_tui.tui.reading import Reading, outline
from tests.tui.conftest import Writer, event


def test_what_was_there_at_first_is_no_news(writer: Writer, path: Path) -> None:
    first = writer.submitted("a.docx", "t-1")
    writer.received(event("t-1"))
    before = outline(path, 0, 1)
    assert list(before.index) == [task.id for task in before.newest] == [first]
    assert before.received == {before.last_event: 1}
    with closing(Reading(path, before)) as reading:
        news = reading.news()
        assert (news.statuses, news.removed, news.received, news.quarantined) == ({}, [], {}, [])


def test_what_was_committed_meanwhile_is_news_once(writer: Writer, path: Path) -> None:
    before = outline(path, 0, 1)
    assert before.last_event is None
    task = writer.submitted("a.docx", "t-1")
    writer.received(event("t-1"))
    with closing(Reading(path, before)) as reading:
        news = reading.news()
        assert (news.statuses, news.received.total()) == ({task: Status.SUCCEEDED}, 1)
        assert not reading.outdated
        writer.received(b"no event")
        assert reading.outdated
        seen = reading.version
        news = reading.news()
        assert (news.statuses, news.received) == ({}, {})
        assert [message.event for message in news.quarantined] == [None]
        assert reading.version != seen
        assert reading.news().quarantined == []
