"""The doctor on the screen, against a running emulator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.doctor.verdicts import CHECKS
from imm_tui.errors import NoCredentials
from imm_tui.tui.app import ImmApp
from imm_tui.tui.screens.doctor import DoctorScreen
from tests.conftest import RunningEmulator
from tests.mailbox import Mailbox
from tests.tui.stage import read, seen, until, until_read


def doctor(mailbox: Mailbox, path: Path, **changes: str) -> tuple[ImmApp, DoctorScreen]:
    settings: Settings = replace(mailbox.settings, **changes)  # type: ignore[arg-type]
    return ImmApp(mailbox.settings, path, None), DoctorScreen(settings, mailbox.credentials, path)


async def test_a_line_a_check_and_the_verdict_on_all(mailbox: Mailbox, tmp_path: Path) -> None:
    app, screen = doctor(mailbox, tmp_path / "history.db")
    async with app.run_test(size=(120, 40)) as pilot:
        app.push_screen(screen)
        await until_read(pilot, "all is well")
        shown = [row.split()[:2] for row in seen(app).splitlines() if row.split()[:1] == ["✓"]]
        assert shown[: len(CHECKS)] == [["✓", name] for name in CHECKS]


async def test_the_one_that_is_broken_is_marked_with_what_to_do(mailbox: Mailbox, tmp_path: Path) -> None:
    app, screen = doctor(mailbox, tmp_path / "history.db", queue="nobodys-queue")
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(screen)
        await until_read(pilot, "1 broken")
        await until_read(pilot, "What to do")
        assert "✗ queue" in read(app)
        assert "imm-tui setup" in read(app)
        await pilot.press("y")
        copied = (tmp_path / "copied.txt").read_text()
        assert copied.startswith("queue: fail\nThere is no queue nobodys-queue")


async def test_a_person_who_has_moved_stays_where_they_are(mailbox: Mailbox, tmp_path: Path) -> None:
    app, screen = doctor(mailbox, tmp_path / "history.db", queue="nobodys-queue")
    async with app.run_test(size=(120, 40)) as pilot:
        app.push_screen(screen)
        await until_read(pilot, "1 broken")
        await pilot.press("home")
        await until_read(pilot, "✓ credentials The key")
        await pilot.press("r")
        await until_read(pilot, "1 broken")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, DoctorScreen))


async def test_without_a_key_that_is_what_is_missing(
    emulator: RunningEmulator, mailbox: Mailbox, tmp_path: Path
) -> None:
    wrong = Credentials("LTAI5tNobodyKnowsIt", "a-secret")
    path = tmp_path / "history.db"
    app = ImmApp(mailbox.settings, path, None)
    async with app.run_test(size=(120, 40)) as pilot:
        app.push_screen(DoctorScreen(mailbox.settings, wrong, path))
        await until_read(pilot, "1 broken")
        assert "✗ credentials" in read(app)


class _NoSourceOfKeys:
    """A part of the program that makes a mistake."""

    def current(self) -> Credentials:
        raise ZeroDivisionError

    def renew(self, refused: Credentials) -> bool:
        raise NotImplementedError


async def test_a_mistake_of_the_programs_own_ends_it_with_a_word(mailbox: Mailbox, tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    app = ImmApp(mailbox.settings, path, None)
    async with app.run_test(size=(120, 40)) as pilot:
        app.push_screen(DoctorScreen(mailbox.settings, _NoSourceOfKeys(), path))
        await until_read(pilot, "ended early")
        await until_read(pilot, "The doctor ended through a mistake of its own: ZeroDivisionError")
        assert "- queue not known" in read(app)
        await pilot.press("r")
        await until_read(pilot, "ended early")


async def test_one_key_of_the_dashboard_calls_it_beside_our_own_listener(mailbox: Mailbox, tmp_path: Path) -> None:
    app = ImmApp(mailbox.settings, tmp_path / "history.db", mailbox.credentials)
    async with app.run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "listening")
        await pilot.press("D")
        await until_read(pilot, "all is well")
        await until_read(pilot, "An imm-tui with this history receives them.")


async def test_where_nothing_can_be_done_yet_it_is_one_of_the_choices(tmp_path: Path) -> None:
    app = ImmApp(Settings(), tmp_path / "history.db", None, problem=NoCredentials("No access key was found."))
    async with app.run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "Ask the doctor what is missing")
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, DoctorScreen))
        await pilot.press("escape")
        await until_read(pilot, "Ask the doctor what is missing")
