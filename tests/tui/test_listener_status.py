"""What the listener is doing, in words, for as much room as there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imm_tui.listener import ListenerState, Phase
from imm_tui.tui import listener_words
from imm_tui.tui.times import clock
from imm_tui.tui.widgets.heading import Heading
from tests.tui.conftest import Writer, app, event, now
from tests.tui.stage import read, seen, until_read


@pytest.mark.parametrize("phase", list(Phase))
async def test_each_phase_has_its_shape_and_its_words(path: Path, phase: Phase) -> None:
    state = ListenerState(phase=phase, since=now(), retry_at=now() + 60_000)
    shown = app(path)
    async with shown.run_test(size=(160, 24)) as pilot:
        shown.dashboard.show_listener(state)
        await pilot.pause()
        first = listener_words.words(state, None, now())[0].rsplit(" ", 2)[0]
        assert f"{listener_words.SHAPES[phase]} {first}" in seen(shown).splitlines()[0]


async def test_the_details_are_shortened_where_room_is_short(path: Path, writer: Writer) -> None:
    writer.received(event("t-1"))
    shown = app(path)
    async with shown.run_test(size=(200, 24)) as pilot:
        state = ListenerState(phase=Phase.LISTENING, since=now())
        shown.dashboard.show_listener(state)
        since = f"since {clock(state.since, now())}"
        await until_read(pilot, f"● listening · {since} · last event")
        await pilot.resize_terminal(120, 24)
        await until_read(pilot, "● listening · last event")
        await pilot.resize_terminal(60, 24)
        await until_read(pilot, " s ago")
        assert "last event" not in read(shown)
        assert "● listening · " in read(shown)


async def test_what_stands_beside_it_stays_as_it_is_whatever_it_does(path: Path) -> None:
    shown = app(path)
    async with shown.run_test(size=(80, 24)) as pilot:
        widths = set()
        for phase in (Phase.LISTENING, Phase.PAUSED, Phase.STARTING, Phase.RECONNECTING, Phase.STOPPED):
            shown.dashboard.show_listener(ListenerState(phase=phase, since=now(), retry_at=now() + 60_000))
            await pilot.pause()
            widths.add(shown.dashboard.query_one(Heading).size.width)
        assert len(widths) == 1


async def test_a_countdown_counts(path: Path) -> None:
    shown = app(path)
    async with shown.run_test() as pilot:
        shown.dashboard.show_listener(ListenerState(phase=Phase.RECONNECTING, since=now(), retry_at=now() + 1_900))
        await pilot.pause()
        assert re.search("reconnecting in [12] s", read(shown))
        await until_read(pilot, "reconnecting now")
