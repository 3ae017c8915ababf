"""The clipboard: through the terminal, which may be on another machine, and always into a file as well.

No terminal says whether it has taken a text, and some never do; so the person is told where else it is.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode
from pathlib import Path
from typing import Any

from textual.app import App

from imm_tui import sequences
from imm_tui.i18n import _
from imm_tui.text import line
from imm_tui.tui.terminal import send

LIMIT = 74_994
"""Bytes of UTF-8 that OSC 52 carries: in base64, with what is around them, 100,000, of which terminals take no more."""

_TOLD_FOR = 8.0

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""What a terminal would obey where it is pasted, and half characters."""


def copy(app: App[Any], content: str | bytes, what: str, file: Path) -> None:
    """Copies a text, or a message's bytes, and tells so; `what` is what the person calls it.

    `file` (0600) has it afterwards as well, bytes exactly as they are. Of control characters only line breaks and tabs
    reach the clipboard.
    """
    text = pasted(content)
    reason = _keep(file, content if isinstance(content, bytes) else text.encode())
    size = len(text.encode())
    if fits := size <= LIMIT:
        app.copy_to_clipboard(text)
        sequence = f"\x1b]52;c;{b64encode(text.encode()).decode()}\x07"
        if (through := sequences.passed_through(sequence, os.environ)) != sequence:
            send(app, through)
    if fits and not reason:
        words = _("Copied: {what}. Should the clipboard be empty: {path}")
    elif fits:
        words = _("Copied: {what}, if the terminal takes it. {path} cannot be written: {reason}.")
    elif not reason:
        words = _("{size} bytes are too many for the clipboard: {what} is in {path}")
    else:
        words = _("{size} bytes are too many for the clipboard, and {path} cannot be written: {reason}.")
    words = words.format(what=what, path=line(file), size=f"{size:,}", reason=line(reason))
    app.notify(words, severity="information" if fits and not reason else "warning", timeout=_TOLD_FOR, markup=False)


def pasted(content: str | bytes) -> str:
    """A text as it may be pasted anywhere: every control character but line breaks and tabs is replaced."""
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    return _OBEYED.sub("\ufffd", text.replace("\r\n", "\n"))


def _keep(file: Path, content: bytes) -> str:
    """Writes it; returns why it cannot be, or ""."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            os.chmod(file, 0o600)  # it may have been there with another mode
            opened.write(content)
    except OSError as error:
        return error.strerror or str(error)
    return ""
