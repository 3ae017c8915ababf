"""The smoke test on the screen, against a running emulator."""

from __future__ import annotations

from pathlib import Path

from imm_tui.credentials import Credentials
from imm_tui.history import History
from imm_tui.tui.app import ImmApp
from imm_tui.tui.screens.smoke import SmokeScreen
from tests.conftest import RunningEmulator
from tests.mailbox import Mailbox
from tests.tui.stage import read, until, until_read

PDF = "oss://demo/产品手册.pdf"


def keys_of(emulator: RunningEmulator) -> Credentials:
    return Credentials(emulator.access_key_id, emulator.access_key_secret)


async def test_one_key_and_enter_try_the_way_beside_the_listener_of_the_dashboard(
    emulator: RunningEmulator, mailbox: Mailbox, tmp_path: Path
) -> None:
    path = tmp_path / "history.db"
    app = ImmApp(mailbox.settings, path, keys_of(emulator))
    async with app.run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "listening")
        await pilot.press("t")
        await until_read(pilot, "⏎ start")
        await pilot.press(*PDF, "enter")
        await until_read(pilot, "✔ Everything works")
        assert read(app).count("✔") >= 5  # four legs and the verdict
        await pilot.press("enter")  # once more
        with History(path) as history:
            await until(pilot, lambda: len(history.tasks()) == 2)
            await until_read(pilot, "✔ Everything works")
        await pilot.press("escape")
        await until(pilot, lambda: "Smoke test" not in read(app))
        await pilot.press("t")
        await until_read(pilot, PDF)  # the document that was converted last is offered


async def test_what_is_no_document_is_said_and_nothing_is_sent(
    emulator: RunningEmulator, mailbox: Mailbox, tmp_path: Path
) -> None:
    app = ImmApp(mailbox.settings, tmp_path / "history.db", keys_of(emulator))
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(SmokeScreen(mailbox.settings, keys_of(emulator), tmp_path / "history.db", "https://web/x.docx"))
        await until_read(pilot, "⏎ start")
        await pilot.press("enter")
        await until_read(pilot, "IMM reads documents from OSS")
        with History(tmp_path / "history.db") as history:
            assert history.tasks() == []
