"""What the listener is doing, in words."""

from __future__ import annotations

import pytest

from imm_tui.errors import Unreachable
from imm_tui.listener import ListenerState, Phase
from imm_tui.tui import listener_words
from imm_tui.tui.times import clock

NOON = 1_795_435_200_000
"""2026-11-23T12:00:00Z."""


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ListenerState(phase=Phase.STARTING, since=NOON), "starting"),
        (
            ListenerState(phase=Phase.RECONNECTING, since=NOON, trouble=Unreachable("Cut."), retry_at=NOON + 4_200),
            "reconnecting in 5 s",
        ),
        (ListenerState(phase=Phase.RECONNECTING, since=NOON, retry_at=NOON - 1), "reconnecting now"),
        (ListenerState(phase=Phase.STOPPED, since=NOON), "stopped"),
        (ListenerState(phase=Phase.PAUSED, since=NOON), "paused · events wait on the queue"),
        (ListenerState(phase=Phase.WATCHING, since=NOON), "another imm-tui is listening · watching its history"),
    ],
)
def test_the_listener_is_told_in_words(state: ListenerState, words: str) -> None:
    first, details = listener_words.words(state, None, NOON)
    assert " · ".join([first, *details]) == words


def test_a_listener_says_since_when_and_how_long_ago_the_last_event_came() -> None:
    state = ListenerState(phase=Phase.LISTENING, since=NOON)
    since = f"since {clock(NOON, NOON)}"
    details = [f"{since} · last event 3 s ago", "last event 3 s ago", "3 s ago"]
    assert listener_words.words(state, NOON + 60_000, NOON + 63_000) == ("listening", details)
    assert listener_words.words(state, None, NOON) == ("listening", [f"{since} · no event yet", "no event yet"])


def test_every_phase_has_a_shape() -> None:
    assert listener_words.SHAPES.keys() == set(Phase)
