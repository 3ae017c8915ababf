"""Every screen in another language: nothing stays in English but what is data, and what is wider still fits."""

from __future__ import annotations

import gettext
import importlib
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot
from textual.widget import Widget

import imm_tui.tui
from imm_tui import config, glossary, i18n, query
from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.profiles import lacking
from imm_tui.tui import keymap
from imm_tui.tui.app import ImmApp
from screenshots import scene
from tests.messages import texts
from tests.tui.conftest import SETTINGS, app
from tests.tui.stage import paste, seen, until, until_read

KNOWN = {text for found in texts() for text in ((found,) if isinstance(found, str) else found)}

_LETTER = re.compile(r"\{[^{}]*\}|%\(\w+\)\w|%\w|([A-Za-z])")


class Masked(gettext.NullTranslations):
    """A language that is English with a Cyrillic letter for each Latin one: what stays Latin was not translated."""

    def gettext(self, message: str) -> str:
        return masked(message) if message in KNOWN else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


def masked(text: str) -> str:
    return _LETTER.sub(lambda found: chr(ord("а") + ord(found[1].lower()) - ord("a")) if found[1] else found[0], text)


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    i18n.use("en")


@pytest.fixture
def history(path: Path) -> Path:
    """One with tasks of many kinds, a batch, and messages in quarantine."""
    scene.write(path, SETTINGS)
    return path


_NOWHERE = "http://127.0.0.1:9"

UNREACHABLE = replace(
    SETTINGS, account_id="1", target_uri="oss://demo/out/", mns_endpoint=_NOWHERE, imm_endpoint=_NOWHERE
)
"""What is told of services that cannot be reached is to be seen as well."""


@dataclass(frozen=True)
class Step:
    """Keys, and the screen that they lead to; `pastes` goes where the keys have led."""

    keys: str
    screen: str
    pastes: str = ""


WALKS = {
    "detail": (
        Step("", "Dashboard"),
        *(Step(f"{tab} escape", "Dashboard") for tab in ("enter 1", "enter 2", "enter 3", "enter 4")),
        Step("down down down down enter 1", "Dashboard"),
        Step("question_mark", "HelpScreen"),
    ),
    "filter": (
        Step("slash", "Dashboard", "statu:x"),
        Step("escape slash", "Dashboard", "status:failed"),
        Step("enter v", "ViewsScreen"),
        Step("s", "ViewsScreen"),
        Step("escape escape escape slash", "Dashboard", "none"),
        Step("escape z F", "Dashboard"),
        Step("z F question_mark", "HelpScreen"),
        Step("k", "KeysScreen"),
    ),
    "quarantine": (
        Step("u", "QuarantineScreen"),
        Step("r", "QuarantineScreen"),
        Step("question_mark", "HelpScreen"),
        Step("escape e", "FolderScreen"),
        Step("escape d", "ConfirmScreen"),
    ),
    "overlays": (
        Step("c", "GlossaryScreen"),
        Step("escape y", "CopyScreen"),
        Step("escape e", "ExportScreen"),
        Step("escape b", "BatchScreen"),
        Step("escape L", "ChooseScreen"),
    ),
    "form": (
        Step("n", "SubmitScreen"),
        Step("f4", "SubmitScreen"),
        Step("f1", "HelpScreen"),
        Step("escape f2", "SourcesScreen"),
        Step("escape", "SubmitScreen", "oss://demo/a.docx\noss://demo/a.docx\noss:/demo/b.docx"),
        Step("f5", "DryRunScreen"),
        Step("o question_mark", "HelpScreen"),
        Step("escape escape", "SubmitScreen"),
        Step("escape", "Dashboard"),
        Step("escape escape home down down down R", "ConfirmScreen"),
        Step("escape ctrl+p", "Palette"),
    ),
}


async def still(pilot: Pilot[Any]) -> str:
    """What the screen shows when nothing on it changes any more but the dot that wanders while a task runs."""
    before = ""
    same = 0
    while same < 2:
        await pilot.pause(0.05)
        now = seen(pilot.app)
        same = same + 1 if now.replace("·", " ") == before.replace("·", " ") else 0
        before = now
    return before


def words(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z]{2,}", text))


def data(history: Path) -> set[str]:
    """Every Latin word that is no text of ours."""
    told = [SETTINGS.region, SETTINGS.project, SETTINGS.queue, *query.FIELDS]
    told += (entry.code for entry in glossary.entries())
    told += (name for place in keymap.places(ImmApp) for name in place.keys)
    with closing(sqlite3.connect(history)) as db:
        for row in (*db.execute("SELECT * FROM tasks"), *db.execute("SELECT message_id, body FROM messages")):
            told += (value.decode() if isinstance(value, bytes) else str(value) for value in row)
    return words(" ".join(told))


NAMES = words(
    """
    imm-tui IMM IMM_TUI MNS OSS OSC JSON Lines CSV Python aliyun English config.toml oss http https
    RequestId MessageId RegionId png jpg pdf txt vector docx bucket folder document documents imm-format-convert-tgt
    imm-tasks DPI ID ms None
    is since status submitting running unknown failed untracked none or profiles.default
    esc tab shift super ctrl alt enter space home end pgup pgdn
    """
)
"""Names, units, protocol words, examples and what is printed on keys."""


def forgotten(text: str, allowed: set[str]) -> set[str]:
    """The Latin words of a screen that are neither allowed nor, where they were cut, an end of one that is."""
    return {word for word in words(text) if not any(name.startswith(word) or name.endswith(word) for name in allowed)}


@pytest.fixture
def masked_language(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(i18n, "_catalogue", lambda language: Masked())
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("masked_language")
@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)
async def test_nothing_stays_in_english_but_what_is_data(history: Path, tmp_path: Path, walk: tuple[Step, ...]) -> None:
    allowed = data(history) | NAMES | words(str(tmp_path))
    shown = ImmApp(UNREACHABLE, history, Credentials("id", "secret"))
    left = {}
    async with shown.run_test(size=(130, 45), notifications=True) as pilot:
        await until(pilot, lambda: "Q3-results" in seen(shown))
        for step in walk:
            await pilot.press(*step.keys.split())
            if step.pastes:
                await paste(pilot, step.pastes)
            text = await still(pilot)
            assert type(shown.screen).__name__ == step.screen, step
            if found := forgotten(text, allowed):
                left[step] = found
    assert left == {}


@pytest.mark.usefixtures("masked_language")
async def test_what_the_palette_does_not_find_is_told_in_the_same_language(history: Path) -> None:
    shown = ImmApp(UNREACHABLE, history, None)
    async with shown.run_test(size=(130, 45)) as pilot:
        await until(pilot, lambda: "Q3-results" in seen(shown))
        await pilot.press("ctrl+p", *"zzz")
        await until(pilot, lambda: masked("No command has these words") in seen(shown))
        assert "No matches" not in seen(shown)


@pytest.mark.usefixtures("masked_language")
async def test_a_first_run_has_no_english_either(path: Path) -> None:
    settings = config.load({}, {"IMM_TUI_CONFIG": "/config.toml"})
    settings_names = [field.name for field in fields(Settings)]
    i18n.use("en")
    problem = lacking(settings, settings.missing_to_listen())
    shown = ImmApp(settings, path, None, problem=problem)
    async with shown.run_test(size=(120, 60)) as pilot:
        await until(pilot, lambda: type(shown.screen).__name__ == "WelcomeScreen")
        text = await still(pilot)
    assert masked("Look at the history") in text
    assert forgotten(text, NAMES | words(" ".join(f"{name} {name.upper()}" for name in settings_names))) == set()


def kinds(kind: type[Any]) -> Iterator[type[Any]]:
    for own in kind.__subclasses__():
        yield own
        yield from kinds(own)


def test_the_catalogue_has_what_is_said_of_every_key() -> None:
    for room in pkgutil.walk_packages(imm_tui.tui.__path__, "imm_tui.tui."):
        importlib.import_module(room.name)
    ours = [kind for kind in {*kinds(Widget), *kinds(App)} if kind.__module__.startswith("imm_tui.")]
    assert len(ours) > 40
    for kind in ours:
        bindings = [binding for same in kind._merge_bindings().key_to_bindings.values() for binding in same]
        said = {text for binding in bindings for text in (binding.description, binding.tooltip) if text}
        assert said <= KNOWN, kind
    for place in keymap.places(ImmApp):
        assert place.title in KNOWN


def cells_before(line: str, word: str) -> int:
    return cell_len(line[: line.index(word)])


def cells_through(line: str, word: str) -> int:
    return cells_before(line, word) + cell_len(word)


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("size", [(60, 24), (80, 24), (120, 40), (200, 50)], ids=str)
async def test_in_chinese_titles_stand_over_their_columns(history: Path, size: tuple[int, int]) -> None:
    shown = app(history)
    async with shown.run_test(size=size) as pilot:
        await until_read(pilot, "季度报告.pptx")
        rows = (await still(pilot)).splitlines()
    titles = next(row for row in rows if "格式" in row)
    task = next(row for row in rows if "季度报告.pptx" in row)
    titles = titles[: titles.index("文档") + len("文档")]
    assert "…" not in titles
    for title, figure in (("页数", "3 页"), ("完成", "100 %"), ("用时", "3.2 s")):
        mark = 1  # the cell that says which way the list is sorted, if it is by this column
        assert cells_through(titles, title) + mark == cells_through(task, figure)
    for title, text in (("格式", "png"), ("文档", "季度报告.pptx")):
        assert cells_before(titles, title) == cells_before(task, text)


@pytest.mark.usefixtures("chinese")
async def test_in_chinese_the_footer_holds_the_keys_that_matter(history: Path) -> None:
    shown = app(history)
    async with shown.run_test(size=(80, 24)) as pilot:
        await until_read(pilot, "季度报告.pptx")
        footer = (await still(pilot)).splitlines()[-1]
        for key in ("n 新建", "/ 筛选", "s 排序", "⏎ 详情", "y 复制", "? 帮助", "q 退出"):
            assert key in footer
