"""The last line says of each key the whole word, at every width, in each language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets._footer import FooterKey

from imm_tui import i18n
from tests.tui.conftest import Writer, app
from tests.tui.stage import until


@pytest.fixture(params=list(i18n.LANGUAGES), autouse=True)
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = i18n.language()
    monkeypatch.setattr(i18n, "of_environment", lambda _environ: request.param)
    yield
    i18n.use(before)


async def test_no_word_is_cut(path: Path, writer: Writer) -> None:
    writer.submitted("a.docx", "A")
    shown = app(path)
    async with shown.run_test(size=(100, 20)) as pilot:
        await until(pilot, lambda: shown.dashboard.whereabouts.selected is not None)
        for width in (60, 40, 75, 79, 80, 90, 99, 100, 101, 110, 60, 140):
            await pilot.resize_terminal(width, 20)
            await pilot.pause()
            await pilot.pause()
            keys = [key.region for key in shown.dashboard.query(FooterKey)]
            assert keys
            assert max(key.right for key in keys) <= width
            assert sum(key.width for key in keys) == len({x for key in keys for x in range(key.x, key.right)}), width
