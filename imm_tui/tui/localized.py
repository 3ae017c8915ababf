"""What every screen of ours has in common: its keys are explained in the language of the moment."""

from __future__ import annotations

from dataclasses import replace

from textual.binding import ActiveBinding
from textual.screen import Screen, ScreenResultType

from imm_tui.i18n import _


class Localized(Screen[ScreenResultType]):
    """Bindings are written in English, marked with N_: they are made when no language is chosen yet."""

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        return {key: _translated(active) for key, active in super().active_bindings.items()}


def _translated(active: ActiveBinding) -> ActiveBinding:
    binding = replace(active.binding, description=_(active.binding.description), tooltip=_(active.binding.tooltip))
    return active._replace(binding=binding, tooltip=_(active.tooltip))
