"""Keys as a person wants them: what can be granted, what cannot and why, and that they work and are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.tui import keymap
from imm_tui.tui.app import ImmApp
from imm_tui.tui.screens.help import HelpScreen
from imm_tui.tui.screens.keys import KeysScreen
from imm_tui.tui.screens.submit import SubmitScreen
from tests.tui.stage import read, seen, until, until_read


@pytest.fixture
def app(tmp_path: Path) -> ImmApp:
    settings = Settings(region="cn-beijing", project="demo", imm_endpoint="http://127.0.0.1:9")
    return ImmApp(settings, tmp_path / "history.db", Credentials("an-id", "a-secret"))


def troubles(**wanted: str) -> list[str]:
    return [
        str(trouble)
        for trouble in keymap.resolve({name.replace("__", "."): it for name, it in wanted.items()}, ImmApp)[1]
    ]


def test_every_binding_with_an_id_can_be_found_and_says_what_it_does() -> None:
    names = [name for place in keymap.places(ImmApp) for name in place.keys]
    assert {"new", "quit", "list.down", "copy.id", "form.submit", "confirm.yes", "help.close"} <= set(names)
    assert all(place.words[name] for place in keymap.places(ImmApp) for name in place.keys)


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("x", "x"),
        ("X", "X"),
        ("/", "slash"),
        ("?", "question_mark"),
        ("+", "plus"),
        ("alt++", "alt+plus"),
        ("ctrl+n, f2", "ctrl+n,f2"),
        ("ctrl+shift+home", "ctrl+shift+home"),
        ("页", "页"),
    ],
)
def test_keys_may_be_written_as_people_write_them(typed: str, key: str) -> None:
    assert keymap.resolve({"export": typed}, ImmApp)[0]["export"] == key


@pytest.mark.parametrize("key", ["ctrl+foo", "strg+n", "", "ctrl+", "ctrl+n,,x", "\x1b", "n n", "<any>"])
def test_what_is_no_key_is_told_and_left_out(key: str) -> None:
    granted, (trouble,) = keymap.resolve({"export": key}, ImmApp)
    assert not granted
    assert "is no key" in str(trouble)
    assert "export" in str(trouble)
    assert "\x1b" not in str(trouble)


def test_an_id_that_there_is_not_names_the_nearest() -> None:
    assert troubles(exprot="x") == ["There is no key called “exprot”. Did you mean export?"]


def test_two_on_one_key_of_one_screen_are_told() -> None:
    (told,) = troubles(batches="u")
    assert told.startswith("u is the key of batches, and of quarantine as well.")
    (told,) = troubles(new="end")
    assert "list.last" in told, "the list takes it first"
    told = " ".join(troubles(suspend="n"))
    assert "new" in told, "what works everywhere takes it from every screen"


def test_keys_that_change_places_do_not_clash() -> None:
    assert not troubles(batches="u", quarantine="b")
    assert not troubles(reconnect="ctrl+r", ask="ctrl+r"), "they share one as it is: never are both of use"


def test_who_shares_a_key_keeps_it_when_the_other_moves() -> None:
    granted, _ = keymap.resolve({"reconnect": "ctrl+r"}, ImmApp)
    assert granted["ask"] == "r"


async def test_the_wanted_key_works_and_the_help_shows_it(app: ImmApp) -> None:
    async with app.run_test(size=(160, 90)) as pilot:
        assert keymap.apply(app, {"new": "ctrl+n", "help": "f3"}) == []
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.pause()
        (row,) = [row for row in seen(app).splitlines() if "Submit documents for conversion" in row]
        assert "^n" in row
        await pilot.press("escape")
        await pilot.press("n")
        await pilot.pause()
        assert not isinstance(app.screen, SubmitScreen)
        await pilot.press("ctrl+n")
        await until(pilot, lambda: isinstance(app.screen, SubmitScreen))


async def test_without_a_wish_nothing_is_changed(app: ImmApp) -> None:
    async with app.run_test():
        assert keymap.apply(app, {}) == []


async def test_all_ids_can_be_looked_up_with_the_keys_of_now(app: ImmApp) -> None:
    async with app.run_test(size=(140, 400)) as pilot:
        app.push_screen(KeysScreen({"new": "ctrl+n", "nwe": "x"}, "/etc/config.toml"))
        await until_read(pilot, "Keys and their ids")
        assert "✘ There is no key called “nwe”. Did you mean new?" in read(app)
        assert "/etc/config.toml" in read(app)
        rows = [row.split() for row in seen(app).splitlines()]
        for place in keymap.places(ImmApp):
            for name in place.keys:
                assert any(name in row for row in rows), name
        (row,) = [row for row in rows if "new" in row and "Submit" in row]
        assert "^n" in row


async def test_on_a_narrow_screen_what_a_key_does_is_said_to_its_end(app: ImmApp) -> None:
    async with app.run_test(size=(60, 900)) as pilot:
        app.push_screen(KeysScreen({}, "config.toml"))
        await until_read(pilot, "Keys and their ids")
        assert "…" not in seen(app)


async def test_the_help_leads_to_them(app: ImmApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.press("k")
        await until_read(pilot, "Keys and their ids")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.dashboard)


async def test_the_list_of_keys_fits_a_small_terminal_and_scrolls(app: ImmApp) -> None:
    async with app.run_test(size=(60, 20)) as pilot:
        app.push_screen(KeysScreen({}, "config.toml"))
        await until_read(pilot, "Keys and their ids")
        await pilot.press("end")
        await until_read(pilot, "list.turn")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, KeysScreen))
