"""The quarantine's screen: what could not be read, and what becomes of a person's decisions, read as they are drawn."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot

from imm_tui.tui.app import ImmApp
from imm_tui.tui.screens.quarantine import QuarantineScreen
from imm_tui.tui.widgets.json_view import JsonView
from imm_tui.tui.widgets.message_list import MessageList
from tests.mailbox import Mailbox
from tests.tui.conftest import Writer, app, event, lines
from tests.tui.stage import read, seen, until, until_read

STRANGER = b'{"order": 7}'
REASON = "The message is not a notification of IMM."


async def open_quarantine(pilot: Pilot[str | None]) -> None:
    await pilot.press("u")
    await until(pilot, lambda: isinstance(pilot.app.screen, QuarantineScreen))


def rows(pilot: Pilot[str | None]) -> list[str]:
    drawn = lines(pilot.app.screen.query_one(MessageList))[1:]
    return [" ".join(strip.text.split()) for strip in drawn if strip.text.strip()]


def listening(mailbox: Mailbox, path: Path) -> ImmApp:
    return ImmApp(mailbox.settings, path, mailbox.credentials)


async def test_an_empty_quarantine_says_something_kind_and_offers_nothing(path: Path) -> None:
    async with app(path).run_test(size=(120, 24)) as pilot:
        await open_quarantine(pilot)
        await until_read(pilot, "Every message that came could be read")
        for key in ("retry", "export", "delete", "release"):
            assert key not in seen(pilot.app).splitlines()[-1]


@pytest.mark.parametrize("size", [(60, 24), (80, 24), (120, 40), (200, 50)])
async def test_it_says_when_how_often_and_why_and_shows_what_is_in_it(
    path: Path, writer: Writer, size: tuple[int, int]
) -> None:
    writer.received('{"订单": "季度报告.pptx"}'.encode(), "M-1")
    async with app(path).run_test(size=size) as pilot:
        await until_read(pilot, "1 not read: u shows it")
        await open_quarantine(pilot)
        await until_read(pilot, '"订单": "季度报告.pptx"')
        words = read(pilot.app)
        assert re.match(r"\d+ s 1 – The message is", rows(pilot)[0])
        for known in ("Quarantine 1", "message M-1", "delivered once", "hidden no", "31 bytes"):
            assert known in words


async def test_bytes_that_are_no_text_are_shown_one_by_one(path: Path, writer: Writer) -> None:
    writer.received(b"\xff\xfe\x1b]0;title\x07 order")
    async with app(path).run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "1 not read")
        await open_quarantine(pilot)
        await until_read(pilot, "00000 ff fe 1b 5d 30 3b 74 69 ...]0;ti")
        assert "00008 74 6c 65 07 20 6f 72 64 tle. ord" in read(pilot.app)
        assert "\x1b" not in "".join(strip.text for strip in lines(pilot.app.screen.query_one(JsonView)))


async def test_json_is_indented_and_f_shows_it_as_it_came(path: Path, writer: Writer) -> None:
    writer.received(STRANGER)
    async with app(path).run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "1 not read")
        await open_quarantine(pilot)
        await until_read(pilot, '"order": 7')
        assert "no plain text" not in read(pilot.app)
        await pilot.press("f")
        await until_read(pilot, '{"order": 7}')


async def test_messages_come_and_go_and_the_selection_stays(path: Path, writer: Writer) -> None:
    for number in (1, 2, 3):
        writer.received(STRANGER, f"M-{number}")
    async with app(path).run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "3 not read: u shows them")
        await open_quarantine(pilot)
        await until_read(pilot, "message M-3")
        await pilot.press("down")
        await until_read(pilot, "message M-2")
        writer.received(STRANGER, "M-4")
        await until_read(pilot, "Quarantine 4")
        assert "message M-2" in read(pilot.app)
        assert pilot.app.screen.query_one(MessageList).row_of(2) == 2
        writer.history.record_deleted(2, 1)
        await until_read(pilot, "message M-1")
        assert "Quarantine 3" in read(pilot.app)
        await pilot.press("escape")
        await until_read(pilot, "3 not read")


async def test_what_can_be_read_after_all_leaves_it(
    path: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer imm-tui can read what an older one could not."""
    monkeypatch.setattr("imm_tui.tui.screens.quarantine._TOLD_FOR", 4.0)
    for number in (1, 2):
        writer.received(event(f"t-{number}"))
    writer.received(STRANGER)
    with closing(sqlite3.connect(path)) as file, file as db:
        db.execute("DELETE FROM deliveries")
        db.execute("UPDATE tasks SET decisive = NULL, events = 0, status = 'Running'")
        db.execute("DELETE FROM events")
        db.execute("UPDATE messages SET reason = 'It was too new.' WHERE id < 3")
    async with app(path).run_test(size=(120, 40), notifications=True) as pilot:
        await until_read(pilot, "3 not read")
        await open_quarantine(pilot)
        await until_read(pilot, "Quarantine 3")
        await pilot.press("r")
        await until_read(pilot, "It still cannot be read.")
        await pilot.press("down", "r")
        await until_read(pilot, "It could be read: its task is in the list.")
        await until_read(pilot, "Quarantine 2")
        await pilot.press("R")
        await until_read(pilot, "1 of 2 could be read.")
        await until_read(pilot, "Quarantine 1")
        await pilot.press("escape")
        await until_read(pilot, "1 not read: u shows it")
        assert "✔" in read(pilot.app)


async def test_an_export_asks_for_the_folder_and_says_the_path(
    path: Path, writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    writer.received(b"\xff\x00", "../M-1")
    async with app(path).run_test(size=(200, 40), notifications=True) as pilot:
        await until_read(pilot, "1 not read")
        await open_quarantine(pilot)
        await pilot.press("e")
        await until_read(pilot, "Export the message")
        assert tmp_path.name in read(pilot.app)
        await pilot.press("escape", "e")
        await until_read(pilot, "Export the message")
        await pilot.press("end", *"/out", "enter")
        await until_read(pilot, "Written to")
        assert "New folder: " in read(pilot.app)
        (written,) = (tmp_path / "out").iterdir()
        assert written.read_bytes() == b"\xff\x00"
        assert list(tmp_path.glob("*.bin")) == []
        await pilot.press("e")
        await until_read(pilot, "Export the message")
        await pilot.press("end", *f"/{written.name}", "enter")
        await until_read(pilot, "Export failed")
        assert "Name another place." in read(pilot.app)


async def test_a_folder_that_cannot_be_is_told_in_words(path: Path, writer: Writer) -> None:
    writer.received(STRANGER)
    async with app(path).run_test(size=(200, 40), notifications=True) as pilot:
        await until_read(pilot, "1 not read")
        await open_quarantine(pilot)
        await pilot.press("e")
        await until_read(pilot, "Export the message")
        await pilot.press("ctrl+u", *"~no-such-user", "enter")
        await until_read(pilot, "Export failed")
        assert "home folder." in read(pilot.app)


async def test_without_credentials_the_queue_is_left_alone(path: Path, writer: Writer) -> None:
    writer.received(STRANGER)
    async with app(path).run_test(size=(120, 24)) as pilot:
        await until_read(pilot, "1 not read")
        await open_quarantine(pilot)
        await until_read(pilot, "e export")
        footer = seen(pilot.app).splitlines()[-1]
        assert "r retry" in footer
        assert "delete" not in footer
        assert "release" not in footer
        await pilot.press("d", "l")
        assert isinstance(pilot.app.screen, QuarantineScreen)


async def test_a_message_is_deleted_from_the_queue_when_that_was_confirmed(mailbox: Mailbox, path: Path) -> None:
    mailbox.publish(STRANGER.decode())
    async with listening(mailbox, path).run_test(size=(120, 40), notifications=True) as pilot:
        await until_read(pilot, "1 not read")
        await open_quarantine(pilot)
        await until_read(pilot, "hidden until")
        for keys in (["escape"], ["n"], ["enter"]):
            await pilot.press("d")
            await until_read(pilot, "Delete this message from the queue?")
            await pilot.press(*keys)
            await until(pilot, lambda: isinstance(pilot.app.screen, QuarantineScreen))
        assert mailbox.left == (0, 1)
        await pilot.press("d")
        await until_read(pilot, "Its bytes stay in the history.")
        await pilot.press("y")
        await until_read(pilot, "It is deleted from the queue.")
        await until_read(pilot, "Every message that came could be read")
        assert mailbox.left == (0, 0)


async def test_a_message_is_given_back_to_its_owner(mailbox: Mailbox, path: Path) -> None:
    mailbox.publish(STRANGER.decode())
    async with listening(mailbox, path).run_test(size=(120, 40), notifications=True) as pilot:
        await until_read(pilot, "1 not read")
        await open_quarantine(pilot)
        await until_read(pilot, "hidden until")
        await pilot.press("l")
        await until_read(pilot, "It can be received again a second from now.")
        await until_read(pilot, "decided released")
        assert "released · The message" in rows(pilot)[0]


async def test_a_decision_that_fails_is_told_in_words(path: Path, writer: Writer, mailbox: Mailbox) -> None:
    settings = mailbox.settings
    writer.received(STRANGER)
    writer.history.record_hidden(1, "HANDLE", 4_000_000_000_000)
    shown = ImmApp(settings.__class__(queue="q", mns_endpoint="http://127.0.0.1:9"), path, mailbox.credentials)
    async with shown.run_test(size=(120, 40), notifications=True) as pilot:
        await until_read(pilot, "1 not read")
        await open_quarantine(pilot)
        await until_read(pilot, "d delete")
        await pilot.press("d", "y")
        await until_read(pilot, "Delete failed")
        await until_read(pilot, "decided to be deleted")
        assert "to be deleted · The message" in rows(pilot)[0]


async def test_a_thousand_large_messages_are_not_all_read(path: Path, writer: Writer) -> None:
    writer.received(b"x" * 65_536, "M-0")
    with closing(sqlite3.connect(path)) as file, file as db:
        columns = "digest, body, reason, received_at, dequeue_count"
        db.executemany(
            f"INSERT INTO messages (message_id, {columns}) SELECT ?, {columns} FROM messages WHERE id = 1",
            [(f"M-{number}",) for number in range(1, 1000)],
        )
    async with app(path).run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "1,000 not read")
        await open_quarantine(pilot)
        await until_read(pilot, "message M-999")
        kept = pilot.app.screen.query_one(MessageList)._messages
        assert 0 < len(kept) < 60
        assert {message.body for message in kept.values()} == {b""}
        await pilot.press("end")
        await until_read(pilot, "message M-0")


@pytest.mark.parametrize(
    "hostile", ["[@click=app.quit]x[/] [/foo] [$primary]q[/]", "\x1b]52;c;aGk=\x07\x9b\u202e\u2066"]
)
async def test_nothing_in_it_is_obeyed(path: Path, writer: Writer, hostile: str) -> None:
    writer.received(hostile.encode(), f"M-{hostile}")
    async with app(path).run_test(size=(120, 40), notifications=True) as pilot:
        await until_read(pilot, "1 not read")
        await open_quarantine(pilot)
        await until_read(pilot, "message M-")
        await pilot.press("r")
        await until_read(pilot, "It still cannot be read.")
        drawn = seen(pilot.app) + "".join(strip.text for strip in lines(pilot.app.screen.query_one(JsonView)))
        assert not set("\x1b\x07\x9b\u202e\u2066") & set(drawn)
        if "[" in hostile and "\x1b" not in hostile:
            assert "[@click=app.quit]x[/]" in read(pilot.app)
        assert pilot.app.is_running
