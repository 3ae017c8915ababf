"""Control sequences that we send to a terminal ourselves, as tmux and GNU screen let them through to it."""

from __future__ import annotations

from collections.abc import Mapping

_SCREEN_HOLDS = 700
"""Bytes that screen passes on at a time; it drops a sequence of 768."""


def notification(words: str, environ: Mapping[str, str]) -> str:
    """OSC 9, a notification of the desktop's. `words` are cleaned.

    It begins with our name: a figure and a semicolon there would make it another command, ConEmu's.
    """
    return passed_through(f"\x1b]9;imm-tui: {words}\x07", environ)


def passed_through(sequence: str, environ: Mapping[str, str]) -> str:
    """`sequence`, which ends with BEL, wrapped for the multiplexer that TMUX or STY says there is; tmux heeds that
    where its option allow-passthrough is on."""
    if environ.get("TMUX"):
        doubled = sequence.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{doubled}\x1b\\"
    if environ.get("STY"):
        parts = (sequence[at : at + _SCREEN_HOLDS] for at in range(0, len(sequence), _SCREEN_HOLDS))
        return "".join(f"\x1bP{part}\x1b\\" for part in parts)
    return sequence
