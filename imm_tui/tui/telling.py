"""Tells the end of tasks as the person prefers it: with a toast, the terminal's bell, or the desktop's notification."""

from __future__ import annotations

import os
from typing import Any

from textual.app import App

from imm_tui import sequences
from imm_tui.completion import Telling
from imm_tui.i18n import _
from imm_tui.tui.terminal import send


def tell(app: App[Any], telling: Telling, by: str) -> None:
    """`by` is one of preferences.TELLINGS."""
    if by == "toast":
        app.notify(
            telling.words,
            title=_("Ended"),
            severity="warning" if telling.failed else "information",
            timeout=telling.lasts,
            markup=False,
        )
    elif by == "bell":
        app.bell()
    elif by == "osc9":
        send(app, sequences.notification(telling.words, os.environ))
