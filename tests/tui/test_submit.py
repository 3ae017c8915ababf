"""The form, by key, click and paste, against the emulator and against servers that go wrong."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Input, TextArea

from imm_tui import sources as source_room
from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.history import History
from imm_tui.options import options
from imm_tui.tasks import API_VERSIONS, ApiVersion, Conversion, Status
from imm_tui.tui.app import ImmApp
from imm_tui.tui.screens.dashboard import Dashboard
from imm_tui.tui.screens.submit import SubmitScreen
from imm_tui.tui.widgets.field import Choice
from imm_tui.tui.widgets.option_field import OptionField
from tests.conftest import RunningEmulator
from tests.tui.stage import paste, read, seen, until, until_read

SIZE = (80, 24)
SETTINGS = Settings(
    region="cn-beijing",
    api_version="2017-09-06",
    project="demo",
    imm_endpoint="http://127.0.0.1:9",
    config_file=Path("/etc/imm-tui/config.toml"),
)
KEYS = Credentials("an-id", "a-secret")


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


def form(history: Path, settings: Settings = SETTINGS, credentials: Credentials | None = KEYS) -> ImmApp:
    return ImmApp(settings, history, credentials)


def against(emulator: RunningEmulator, history: Path, *, secret: str = "", **changes: str) -> ImmApp:
    settings = Settings(
        region=emulator.region,
        project=emulator.project,
        topic=emulator.topic,
        account_id=emulator.account_id,
        mns_endpoint=emulator.endpoint,
        imm_endpoint=emulator.env["IMM_TUI_IMM_ENDPOINT"],
    )
    credentials = Credentials(emulator.access_key_id, secret or emulator.access_key_secret)
    return form(history, replace(settings, **changes), credentials)  # type: ignore[arg-type]


async def open_form(pilot: Pilot[str | None]) -> SubmitScreen:
    await until(pilot, lambda: isinstance(pilot.app.screen, Dashboard))
    await pilot.press("n")
    await until(pilot, lambda: isinstance(pilot.app.screen, SubmitScreen) and pilot.app.focused is not None)
    assert isinstance(pilot.app.screen, SubmitScreen)
    return pilot.app.screen


def field(pilot: Pilot[str | None], name: str) -> Input:
    return pilot.app.screen.query_one(f"#{name}", Input)


def sources(pilot: Pilot[str | None]) -> str:
    return pilot.app.screen.query_one("#sources", TextArea).text


# Fields


@pytest.mark.parametrize(
    ("stop", "typed", "wrong", "mended"),
    [
        ("sources", "demo.pdf", "The source is not an OSS URI.", "oss://demo/a.pdf"),
        ("sources", "https://demo/a.pdf", "IMM reads documents from OSS and takes no web address.", "oss://demo/a.pdf"),
        ("sources", "", "The source is missing.", "oss://demo/a.pdf"),
        ("sources", "oss://demo/a.pdf\ndemo.pdf", "Line 2: The source is not an OSS URI.", "oss://demo/a.pdf"),
        ("dpi", "95", "IMM takes a whole number from 96 to 600.", "96"),
        ("target-uri", "oss://demo", "It needs a bucket and a folder in it.", "oss://demo/out/"),
        ("target-uri", "oss://demo/{barename}", "API version 2020-09-30 only", "oss://demo/out/"),
        ("pages", "4-2", "Pages count from 1, and a range goes upwards.", "2-4"),
    ],
)
async def test_a_field_is_checked_as_it_is_left_and_the_word_goes_when_it_is_mended(
    history: Path, stop: str, typed: str, wrong: str, mended: str
) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_form(pilot)
        if stop != "sources":
            await paste(pilot, "oss://demo/a.pdf")
        screen.query_one(f"#{stop}").focus()
        await paste(pilot, typed)
        assert "✘" not in read(app), "nobody is told off while typing"
        await pilot.press("tab")
        await pilot.pause()
        assert wrong in read(app)
        assert read(app).count("✘") == 1

        await pilot.press("shift+tab", "f7" if stop == "sources" else "end", "ctrl+u", "backspace")
        await paste(pilot, mended)
        assert "✘" not in read(app), "the word is gone before the field is left"


async def test_nothing_moves_when_a_field_is_wrong(history: Path) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_form(pilot)
        before = {widget.id: widget.region for widget in screen.query("#form *") if widget.id}
        await pilot.press("x", "tab", "tab", "7", "tab", "x", "tab", "x", "tab")
        await pilot.pause()
        assert seen(app).count("✘") == 4
        assert {widget.id: widget.region for widget in screen.query("#form *") if widget.id} == before


async def test_looking_into_another_window_is_not_leaving_the_field(history: Path) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        app.post_message(events.AppBlur())
        await pilot.pause()
        assert "✘" not in read(app)


async def test_only_images_have_a_resolution(history: Path) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await paste(pilot, "oss://demo/a.pdf")
        await pilot.press("tab", "tab", "7", "shift+tab")
        await pilot.pause()
        assert "✘ This is no resolution." in read(app)
        await pilot.press("right", "right")
        await pilot.pause()
        assert field(pilot, "dpi").disabled
        assert "✘" not in read(app)
        assert "Only images have a resolution: png, jpg." in read(app)


async def test_the_target_type_is_chosen_by_arrow_letter_and_click(history: Path) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_form(pilot)
        choice = screen.query_one("#target-type", Choice)
        assert choice.value == "png"
        await pilot.press("tab", "right")
        assert choice.value == "jpg"
        await pilot.press("left", "left")
        assert choice.value == "vector"
        await pilot.press("p")
        assert choice.value == "png"
        await pilot.press("p")
        assert choice.value == "pdf"
        await pilot.click("#target-type", offset=(17, 0))
        assert choice.value == "txt"


async def test_the_new_version_has_its_own_target_types(history: Path) -> None:
    app = form(history, replace(SETTINGS, api_version="2020-09-30"))
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        assert "vector" not in read(app)


async def test_the_form_shows_where_results_go_when_no_target_is_given(history: Path) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await paste(pilot, "oss://demo/季度报告.pptx")
        assert "oss://demo/imm-format-convert-tgt/季度报告.pptx/" in read(app)
        await paste(pilot, "\noss://demo/b.docx\n")
        assert "2 documents, each into a folder of its own." in read(app)


async def test_in_the_profiles_folder_each_document_has_a_folder_of_its_own(history: Path) -> None:
    app = form(history, replace(SETTINGS, target_uri="oss://demo/结果/"))
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await paste(pilot, "oss://demo/季度报告.pptx")
        assert "oss://demo/结果/季度报告.pptx/" in read(app)


async def test_a_source_of_the_history_completes_what_is_typed(history: Path) -> None:
    with History(history) as db:
        for uri in ("oss://demo/5页Word.docx", "oss://demo/\x1b]0;x\x07.pdf"):
            conversion = Conversion(source_uri=uri, target_uri="oss://demo/out/", target_type="png")
            db.record_intent(conversion, project="demo", api_version="2017-09-06", token=uri, at=1)
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await pilot.press("o", "s")
        await pilot.pause()
        assert "oss://demo/5页Word.docx" in read(app), "the newest that can be shown"
        await pilot.press("right")
        assert sources(pilot) == "oss://demo/5页Word.docx"


async def test_the_password_is_never_shown(history: Path) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_form(pilot)
        screen.query_one("#password").focus()
        await pilot.press(*"hunter2")
        await pilot.pause()
        assert "hunter2" not in seen(app)
        assert "•••••••" in seen(app)


PAYLOADS = [
    "[red]x[/red]",
    "a [/foo] b",
    "[@click=app.quit]x[/]",
    "[$primary]q[/]",
    "\x1b]52;c;aGk=\x07",
    "\u202egpj",
    "\x9b31m",
]


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_what_is_pasted_is_neither_markup_nor_obeyed(history: Path, payload: str) -> None:
    app = form(history)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_form(pilot)
        for name in ("sources", "dpi", "target-uri", "pages", "password"):
            screen.query_one(f"#{name}").focus()
            await paste(pilot, f"oss://demo/{payload}")
        await pilot.press("tab", "ctrl+s")
        await pilot.pause()
        picture = seen(app)
        assert not any(
            ord(character) in {*range(10), *range(11, 32), *range(127, 160), 0x202E} for character in picture
        )
        if payload.startswith(("[", "a")):
            assert payload in picture
        else:
            assert "It held a character that cannot be shown." in read(app)


# Options


NEW = replace(SETTINGS, api_version="2020-09-30")


@pytest.mark.parametrize("version", API_VERSIONS)
async def test_every_option_of_the_version_is_there_once_it_is_unfolded(history: Path, version: ApiVersion) -> None:
    app = form(history, replace(SETTINGS, api_version=version))
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_form(pilot)
        shown = {field.option for field in screen.query(OptionField)}
        assert shown == {option for option in options(version) if option.common}
        await pilot.press("f4")
        await until(pilot, lambda: len(screen.query(OptionField)) == len(options(version)))
        assert {field.option for field in screen.query(OptionField)} == set(options(version))
        await pilot.press("f4")
        await until(pilot, lambda: not screen.query_one("#rare").display)


async def test_an_option_without_effect_on_the_type_or_without_another_is_not_to_be_had(history: Path) -> None:
    app = form(history, NEW)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_form(pilot)
        first_image = screen.query_one("#option-FirstPage", Choice)
        assert "Quality" in read(app)
        assert not first_image.focusable, "it needs the long picture"
        screen.query_one("#option-LongPicture").focus()
        await pilot.press("right")
        await pilot.pause()
        assert first_image.focusable
        screen.query_one("#target-type").focus()
        await pilot.press("t")
        await pilot.pause()
        assert "Quality" not in read(app)
        assert "Long text" in read(app)


async def test_an_option_is_checked_as_it_is_left_and_two_together_when_they_are_sent(history: Path) -> None:
    app = form(history, NEW)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_form(pilot)
        await paste(pilot, "oss://demo/a.pdf")
        screen.query_one("#option-Quality").focus()
        await pilot.press("1", "0", "1", "tab")
        await pilot.pause()
        assert "✘ It is a whole number from 0 to 100." in read(app)
        await pilot.press("shift+tab", "backspace")
        await pilot.pause()
        assert "✘" not in read(app)
        for name, page in (("StartPage", "5"), ("EndPage", "2")):
            screen.query_one(f"#option-{name}").focus()
            await pilot.press(page)
        await pilot.press("ctrl+s")
        await until_read(pilot, "✘ It is before the first page, 5.")
        assert app.focused is screen.query_one("#option-EndPage")


async def test_what_is_typed_for_an_option_is_sent_and_comes_back_in_the_next_session(
    emulator: RunningEmulator, history: Path
) -> None:
    app = against(emulator, history)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_form(pilot)
        await paste(pilot, "oss://demo/a.pdf")
        await pilot.press("f4")
        await until(pilot, lambda: bool(screen.query("#option-Tags")))
        for name, typed in (("option-Quality", "80"), ("option-Tags", "team=销售"), ("password", "hunter2")):
            screen.query_one(f"#{name}").focus()
            await paste(pilot, typed)
        screen.query_one("#option-LongPicture").focus()
        await pilot.press("right", "ctrl+s")
        await until(pilot, lambda: app.screen is app.dashboard)
        with History(history) as db:
            (task,) = db.tasks()
            request = db.request_of(task.id)
        assert request is not None
        sent = {name: request["parameters"].get(name) for name in ("Quality", "Tags", "LongPicture", "FirstPage")}
        assert sent == {"Quality": "80", "Tags": '{"team": "销售"}', "LongPicture": "true", "FirstPage": None}

    app = against(emulator, history)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_form(pilot)
        await until(pilot, lambda: bool(screen.query("#option-Tags")))  # unfolded: there is something in it
        assert field(pilot, "option-Quality").value == "80"
        assert field(pilot, "option-Tags").value == "team=销售"
        assert screen.query_one("#option-LongPicture", Choice).value == "true"
        assert (sources(pilot), field(pilot, "password").value) == ("", "")
    assert "hunter2" not in (history.parent / "preferences.json").read_text()


async def test_many_sources_are_counted(history: Path) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        lines = [*(f"oss://demo/{number}.pdf" for number in range(1_000)), "oss://demo/7.pdf", "x.pdf", "# a comment"]
        await paste(pilot, "\n".join(lines))
        await until_read(pilot, "1,002 sources · 1 duplicate · 1 wrong")
        await pilot.press("tab")
        await until_read(pilot, "✘ Line 1,002: The source is not an OSS URI.")


async def test_a_long_list_is_pasted_whole_and_dry_run_whole(history: Path) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await paste(pilot, "\r".join(f"oss://demo/many/文档 {number:05}.docx" for number in range(10_000)))
        await until_read(pilot, "10,000 sources")
        await pilot.press("f5")
        await until_read(pilot, "10,000 documents to submit")
        assert "wrong" not in read(app)


async def test_a_name_that_nobody_wrote_is_wrong_in_the_dry_run_too(history: Path) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await paste(pilot, "oss://demo/a\x07b.docx\ross://demo/\u202ecod.docx\ross://demo/ok.docx")
        await pilot.press("f5")
        await until_read(pilot, "1 document to submit")
        assert "2 wrong" in read(app)
        assert "It held a character that cannot be shown." in read(app)


async def test_a_key_in_many_lines_reads_none_of_them(history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_form(pilot)
        await paste(pilot, "\n".join(f"oss://demo/{number}.pdf" for number in range(1_000)))
        await until_read(pilot, "oss://demo/imm-format-convert-tgt/0.pdf/")  # they have been read
        reading: list[str] = []
        tally = source_room.tally

        def read_aside(lines: Iterable[str]) -> source_room.Tally:
            reading.append(threading.current_thread().name)
            return tally(lines)

        monkeypatch.setattr(source_room, "tally", read_aside)
        await pilot.press("ctrl+j", "x")
        assert "1,001 sources" in read(app), "their number is known at once"
        await pilot.press("tab")
        await until_read(pilot, "✘ Line 1,001: The source is not an OSS URI.")
        assert set(reading) == {"counting"}, "never in the screen's thread"
        assert screen.query_one("#sources-note").has_class("wrong")


# Submissions


async def test_a_submission_becomes_a_task_and_the_form_closes(emulator: RunningEmulator, history: Path) -> None:
    (emulator.data_dir / "demo" / "季度.txt").write_text("一页", encoding="utf-8")
    app = against(emulator, history)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_form(pilot)
        await paste(pilot, "oss://demo/季度.txt")
        await pilot.press("tab", "right", "right", "enter")
        await until(pilot, lambda: not screen.is_attached)
        await until_read(pilot, "季度.txt")
        with History(history) as db:
            (task,) = db.tasks()
        assert (task.status, task.target_type) == (Status.RUNNING, "pdf")
        assert task.target_uri == "oss://demo/imm-format-convert-tgt/季度.txt/"

        await open_form(pilot)
        assert sources(pilot) == "", "the next form is for another document"
        assert pilot.app.screen.query_one("#target-type", Choice).value == "pdf"


@pytest.mark.parametrize("how", ["button", "ctrl+s", "enter in the source", "enter in a line"])
async def test_there_are_four_ways_to_submit(emulator: RunningEmulator, history: Path, how: str) -> None:
    app = against(emulator, history)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_form(pilot)
        await paste(pilot, "oss://demo/a.pdf")
        match how:
            case "button":
                await pilot.click("#submit")
            case "ctrl+s":
                await pilot.press("ctrl+s")
            case "enter in the source":
                await pilot.press("enter")
            case _:
                await pilot.press("tab", "tab", "tab", "enter")
        await until(pilot, lambda: not screen.is_attached)
        with History(history) as db:
            assert len(db.tasks()) == 1


async def test_several_documents_are_submitted_each_to_a_folder_of_its_own(
    emulator: RunningEmulator, history: Path
) -> None:
    app = against(emulator, history)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_form(pilot)
        await paste(pilot, "oss://demo/a.pdf\ross://demo/b.pdf\r\n\r")
        await pilot.press("ctrl+j")
        await paste(pilot, "oss://demo/c.pdf")
        screen.query_one("#target-uri").focus()
        await paste(pilot, "oss://demo/out")
        await pilot.press("enter")
        await until(pilot, lambda: not screen.is_attached)
        with History(history) as db:
            targets = {task.target_uri for task in db.tasks()}
        assert targets == {f"oss://demo/out/{name}.pdf/" for name in "abc"}


async def test_what_is_wrong_is_not_submitted_and_the_first_of_it_gets_the_focus(history: Path) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await paste(pilot, "oss://demo/a.pdf")
        field(pilot, "pages").value = "0"
        field(pilot, "dpi").value = "9999"
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.focused is field(pilot, "dpi")
        assert seen(app).count("✘") == 2
        with History(history) as db:
            assert db.tasks() == []


async def test_a_refusal_is_told_in_full_and_the_input_is_kept(emulator: RunningEmulator, history: Path) -> None:
    app = against(emulator, history, project="no-such-project", api_version="2017-09-06")
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await paste(pilot, "oss://demo/a.pdf")
        await pilot.press("tab", "tab", "1", "5", "0", "enter")
        await until_read(pilot, "RequestId")
        with History(history) as db:
            (task,) = db.tasks()
        assert task.status is Status.FAILED
        assert task.request_id
        assert task.request_id in read(app)
        assert f"Code {task.code}" in read(app)
        assert sources(pilot) == "oss://demo/a.pdf"
        assert app.focused is field(pilot, "dpi"), "where the person was"
        assert field(pilot, "dpi").value == "150"


async def test_a_wrong_key_is_told_and_its_secret_is_not(emulator: RunningEmulator, history: Path) -> None:
    app = against(emulator, history, secret="not-the-secret")
    async with app.run_test(size=(120, 40)) as pilot:
        await open_form(pilot)
        await paste(pilot, "oss://demo/a.pdf\noss://demo/b.pdf")
        await pilot.press("ctrl+s")
        await until_read(pilot, "SignatureDoesNotMatch")
        assert "2 of 2 documents were not accepted. The form keeps 2, the list shows all." in read(app)
        assert read(app).count("✘ IMM does not accept") == 1, "one trouble, told once"
        assert sources(pilot) == "oss://demo/a.pdf\noss://demo/b.pdf"
        assert "not-the-secret" not in seen(app)


@contextmanager
def server_that_says_nothing() -> Iterator[tuple[str, threading.Event]]:
    """Takes requests and answers none; it hangs up when the event is set, at the latest at the end."""
    hang_up = threading.Event()

    def serve() -> None:
        with listener:
            while True:
                connection, _ = listener.accept()
                with connection:
                    if not connection.recv(65_536):
                        return
                    hang_up.wait()

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", hang_up
    finally:
        hang_up.set()
        socket.create_connection(listener.getsockname()).close()
        thread.join()


async def test_an_endpoint_that_nobody_serves_is_told(history: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"127.0.0.1:{taken.getsockname()[1]}"
    app = form(history, replace(SETTINGS, imm_endpoint=f"http://{nobody}"))
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await paste(pilot, "oss://demo/a.pdf")
        await pilot.press("ctrl+s")
        await until_read(pilot, nobody)
        assert "✘" in read(app)
        assert sources(pilot) == "oss://demo/a.pdf"


async def test_an_unknown_outcome_is_told_as_one(history: Path) -> None:
    with server_that_says_nothing() as (endpoint, hang_up):
        hang_up.set()
        app = form(history, replace(SETTINGS, imm_endpoint=endpoint))
        async with app.run_test(size=SIZE) as pilot:
            await open_form(pilot)
            await paste(pilot, "oss://demo/a.pdf")
            await pilot.press("ctrl+s")
            await until_read(pilot, "? The task was sent, and whether IMM has it is not known.")
            assert "The list shows it as Unknown until then." in read(app)
            with History(history) as db:
                assert [task.status for task in db.tasks()] == [Status.UNKNOWN]


async def test_a_form_that_is_torn_away_meanwhile_is_kept_with_what_was_not_accepted(history: Path) -> None:
    with server_that_says_nothing() as (endpoint, hang_up):
        app = form(history, replace(SETTINGS, imm_endpoint=endpoint))
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            await open_form(pilot)
            await paste(pilot, "oss://demo/a.pdf")
            await pilot.press("ctrl+s")
            await until_read(pilot, "Submitting…")
            await app._show_dashboard()
            hang_up.set()
            await until_read(pilot, "Not submitted")
            await open_form(pilot)
            assert sources(pilot) == "oss://demo/a.pdf"


async def test_while_a_submission_is_under_way_the_form_lives_and_can_be_left(history: Path) -> None:
    with server_that_says_nothing() as (endpoint, hang_up):
        app = form(history, replace(SETTINGS, imm_endpoint=endpoint))
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            screen = await open_form(pilot)
            await paste(pilot, "oss://demo/a.pdf")
            await pilot.press("ctrl+s")
            await until_read(pilot, "Submitting…")
            assert screen.query_one("#submit").disabled
            picture = seen(app)
            await until(pilot, lambda: seen(app) != picture)  # something moves
            await pilot.press("ctrl+s", "escape")
            await until(pilot, lambda: not screen.is_attached)
            assert isinstance(app.screen, Dashboard)
            with History(history) as db:
                assert len(db.tasks()) == 1, "pressed twice, submitted once"

            await open_form(pilot)
            assert sources(pilot) == "", "what is under way is not offered a second time"
            await pilot.press("escape")
            hang_up.set()
            await until_read(pilot, "Not submitted")
            assert "whether IMM has it is not known" in read(app)


async def test_a_form_that_another_screen_covers_closes_when_it_comes_back(
    emulator: RunningEmulator, history: Path
) -> None:
    app = against(emulator, history)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        screen = await open_form(pilot)
        await paste(pilot, "oss://demo/a.pdf")
        screen.action_submit()
        cover = ModalScreen[None]()
        await app.push_screen(cover)
        await until_read(pilot, "Submitted")
        assert app.screen is cover, "what a person is doing there is not cut off"
        await app.pop_screen()
        await until(pilot, lambda: not screen.is_attached)


# Opening and closing


async def test_what_was_typed_is_there_again_but_not_the_password(history: Path) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await paste(pilot, "oss://demo/a.pdf")
        for keys, typed in ((["tab", "right", "tab"], "150"), (["tab", "tab"], "1-3"), (["tab"], "hunter2")):
            await pilot.press(*keys)
            await paste(pilot, typed)
        await pilot.press("escape")
        await open_form(pilot)
        assert sources(pilot) == "oss://demo/a.pdf"
        assert pilot.app.screen.query_one("#target-type", Choice).value == "jpg"
        assert [field(pilot, name).value for name in ("dpi", "pages", "password")] == ["150", "1-3", ""]
        await pilot.click("#close")
        assert isinstance(app.screen, Dashboard)


async def test_it_says_which_settings_are_missing_and_where_they_go(history: Path) -> None:
    app = form(history, replace(SETTINGS, region="", project="", profile="实验"))
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        words = read(app)
        assert "region, project are not set" in words
        assert '[profiles."实验"] in /etc/imm-tui/config.toml' in words
        assert "IMM_TUI_REGION, IMM_TUI_PROJECT" in words
        await paste(pilot, "oss://demo/a.pdf")
        await pilot.press("ctrl+s")
        await pilot.pause()
        with History(history) as db:
            assert db.tasks() == []


@pytest.mark.parametrize("size", [(120, 40), (200, 50), (60, 16), (40, 10)])
async def test_it_fits_or_scrolls(history: Path, size: tuple[int, int]) -> None:
    app = form(history)
    async with app.run_test(size=size) as pilot:
        screen = await open_form(pilot)
        assert screen.focused is not None
        stops = [screen.focused]
        while screen.focused.id != "close":
            await pilot.press("tab")
            await pilot.pause()
            assert screen.focused is not None
            assert screen.region.contains_region(screen.focused.region), screen.focused.id
            assert screen.focused not in stops, "every field is reached, and then the buttons"
            stops.append(screen.focused)
            submit = screen.query_one("#submit").region
            assert submit.height == 1
            assert screen.region.contains_region(submit), "the buttons stay in sight"
