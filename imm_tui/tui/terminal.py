"""The terminal itself, for what Textual has no word for."""

from __future__ import annotations

from typing import Any

from textual.app import App


def send(app: App[Any], sequence: str) -> None:
    """Sends a control sequence of ours, between two of Textual's; nothing where the app has no terminal yet."""
    if app._driver is not None:
        app._driver.write(sequence)
