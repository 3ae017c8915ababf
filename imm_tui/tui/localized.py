"""What every screen of ours has in common: its keys are explained in the language of the moment, it knows when it is
over, and it is styled once."""

from __future__ import annotations

from dataclasses import replace

from textual import events
from textual.binding import ActiveBinding
from textual.screen import Screen, ScreenResultType

from imm_tui.i18n import N_, _


class Localized(Screen[ScreenResultType]):
    """Bindings are written in English, marked with N_: they are made when no language is chosen yet."""

    _was_behind = False

    @property
    def is_open(self) -> bool:
        """Whether an answer that comes now can be shown: on its way out a screen is attached but has no widgets."""
        return self.is_attached and self in self.app.screen_stack

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        # All of it was styled when it was mounted: only behind another screen may it have missed a change of the theme.
        event.refresh_styles = self._was_behind

    def _on_screen_suspend(self) -> None:
        self._was_behind = True

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        return {key: _translated(active) for key, active in super().active_bindings.items()}


def _translated(active: ActiveBinding) -> ActiveBinding:
    binding = replace(active.binding, description=_(active.binding.description), tooltip=_(active.binding.tooltip))
    return active._replace(binding=binding, tooltip=_(active.tooltip))


_OF_TEXTUAL = (
    N_("Copy selected text"),
    N_("Cursor down select"),
    N_("Cursor down"),
    N_("Cursor left select"),
    N_("Cursor left word select"),
    N_("Cursor left"),
    N_("Cursor line end select"),
    N_("Cursor line end"),
    N_("Cursor line start select"),
    N_("Cursor line start"),
    N_("Cursor page down"),
    N_("Cursor page up"),
    N_("Cursor right select"),
    N_("Cursor right word select"),
    N_("Cursor right"),
    N_("Cursor up select"),
    N_("Cursor up"),
    N_("Cursor word left"),
    N_("Cursor word right"),
    N_("Cut selected text"),
    N_("Cut"),
    N_("Delete all to the left"),
    N_("Delete all to the right"),
    N_("Delete character left"),
    N_("Delete character right"),
    N_("Delete left to start of word"),
    N_("Delete line"),
    N_("Delete right to start of word"),
    N_("Delete to line end"),
    N_("Delete to line start"),
    N_("Exit the command palette"),
    N_("Focus Next"),
    N_("Focus Previous"),
    N_("Go to bottom"),
    N_("Go to end"),
    N_("Go to start"),
    N_("Go to top"),
    N_("Move cursor left a word and select"),
    N_("Move cursor left a word"),
    N_("Move cursor left and select"),
    N_("Move cursor left"),
    N_("Move cursor right a word and select"),
    N_("Move cursor right a word"),
    N_("Move cursor right and select"),
    N_("Move cursor right or accept the completion suggestion"),
    N_("Next command"),
    N_("Next page"),
    N_("Open the command palette"),
    N_("Page Down"),
    N_("Page Left"),
    N_("Page Right"),
    N_("Page Up"),
    N_("palette"),
    N_("Paste text from the clipboard"),
    N_("Paste"),
    N_("Previous command"),
    N_("Previous page"),
    N_("Quit the app and return to the command prompt."),
    N_("Redo"),
    N_("Scroll Down"),
    N_("Scroll End"),
    N_("Scroll Home"),
    N_("Scroll Left"),
    N_("Scroll Right"),
    N_("Scroll Up"),
    N_("Select all"),
    N_("Select line end"),
    N_("Select line start"),
    N_("Select line"),
    N_("Undo"),
)
"""What Textual says of the keys that are its own: those of the fields, of what scrolls, and of the app."""
