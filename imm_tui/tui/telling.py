"""Tells the end of tasks as the person prefers it: with a toast, the terminal's bell, or the desktop's notification."""

from __future__ import annotations

import os
from typing import Any

from textual.app import App

from imm_tui import sequences
from imm_tui.completion import Telling
from imm_tui.i18n import _


def tell(app: App[Any], telling: Telling, by: str) -> None:
    """`by` is one of preferences.TELLINGS."""
    if by == "toast":
        app.notify(
            telling.words,
            title=_("Ended"),
            severity="error" if telling.failed else "information",
            timeout=telling.lasts,
            markup=False,
        )
    elif by == "bell":
        app.bell()
    elif by == "osc9":
        write(app, sequences.notification(telling.words, os.environ))


def write(app: App[Any], sequence: str) -> None:
    """Sends a control sequence of ours to the terminal, between two of Textual's."""
    if app._driver is not None:
        app._driver.write(sequence)
