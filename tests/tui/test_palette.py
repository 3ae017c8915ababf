"""The palette finds a command by the words that a person has for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.command import Command, CommandInput, CommandList

from imm_tui import i18n
from imm_tui.tui.screens.palette import NOT, score
from tests.tui.conftest import app
from tests.tui.stage import until, until_read


@pytest.fixture
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LC_ALL", f"{request.param}.UTF-8")
    yield
    i18n.use("en")


@pytest.mark.parametrize(
    ("language", "typed", "first"),
    [
        ("en", "theme", "Colours"),
        ("en", "dark", "Colours"),
        ("en", "bell", "When a task ends"),
        ("en", "filter", "filter: List only some tasks"),
        ("en", "cancel", "batches: "),
        ("en", "every key", "help: What every key does"),
        ("zh_CN", "主题", "配色"),
        ("zh_CN", "颜色", "配色"),
        ("zh_CN", "暂停 取消", "批次："),
    ],
    indirect=["language"],
)
async def test_what_is_typed_is_found_and_nothing_else(path: Path, language: None, typed: str, first: str) -> None:
    shown = app(path)
    async with shown.run_test(size=(100, 40)) as pilot:
        await pilot.press("escape", "ctrl+p")
        await until(pilot, lambda: bool(shown.screen.query(CommandInput)))
        shown.screen.query_one(CommandInput).value = typed
        found = shown.screen.query_one(CommandList)

        def answered() -> bool:
            hits = [option.hit for option in found.options if isinstance(option, Command)]
            texts = [f"{hit.text} {hit.help}".casefold() for hit in hits]
            fit = all(word in text for text in texts for word in typed.casefold().split())
            return fit and bool(hits) and str(hits[0].text).startswith(first)

        await until(pilot, answered)


def test_the_better_a_word_fits_the_higher_it_stands() -> None:
    ways = [("pause: Take no events", ""), ("go: A pause", ""), ("go: unpaused", ""), ("go", "or pause"), ("go", "or")]
    scores = [score("Pause", *way) for way in ways]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(scores)
    assert scores[-1] == NOT
    assert score("pause no", *ways[0]) != NOT == score("pause none", *ways[0])


async def test_what_nothing_fits_is_said(path: Path) -> None:
    shown = app(path)
    async with shown.run_test(size=(100, 40)) as pilot:
        await pilot.press("escape", "ctrl+p")
        await until(pilot, lambda: bool(shown.screen.query(CommandInput)))
        await pilot.press(*"nothing fits")
        await until_read(pilot, "No command has these words")
