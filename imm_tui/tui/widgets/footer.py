"""The keys that matter at the moment, in the last line: as many as there is room for, each of them whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget

_ROOM_FOR_PALETTE, _NARROW = 100, 80
"""Columns from which on there is room for one key more, and below which the keys stand close together."""


@dataclass(frozen=True, slots=True)
class _Key:
    """One of them, with what stands in front of it; `x` is the column that it begins in."""

    binding: Binding
    display: str
    before: str = " "
    x: int = 0

    @property
    def cells(self) -> int:
        return cell_len(f"{self.before}{self.display} {self.binding.description} ")

    def drawn(self, *, hovered: bool) -> Content:
        back = " on $block-hover-background" if hovered else ""
        word = "$footer-key-foreground" if hovered else "$footer-description-foreground"
        return Content.assemble(
            (self.before, f"$foreground 20%{back}"),
            (f"{self.display} ", f"bold $footer-key-foreground{back}"),
            (f"{self.binding.description} ", f"{word}{back}"),
        )


class Footer(Widget):
    """A line that is drawn: Textual's has a widget for each key, mounts all of them again at every change, and shows
    the half of a word at the right edge. A key that has no room is in the help."""

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self._keys: list[_Key] = []
        self._outdated = True
        self._hovered: _Key | None = None

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, _screen: object) -> None:
        if self.app.app_focus:  # else nothing has the focus, and most keys would be gone for that long
            self._outdated = True
            self.refresh()

    def on_resize(self) -> None:
        self._outdated = True
        self.refresh()

    def render(self) -> Content:
        if self._outdated:
            self._outdated, self._hovered = False, None
            self._keys = list(self._fitting(self.size.width))
        end = 0
        pieces: list[str | Content] = []
        for key in self._keys:
            pieces += [" " * (key.x - end), key.drawn(hovered=key is self._hovered)]
            end = key.x + key.cells
        return Content.assemble(*pieces)

    def _fitting(self, width: int) -> Iterator[_Key]:
        """Those that there is room for, from left to right; that of the palette has its place at the right."""
        active = [it.binding for it in self.screen.active_bindings.values()]
        by_action = {binding.action: binding for binding in reversed(active)}  # the first of several keys
        narrow = width < _NARROW
        x, room, palette = 0, width + 1 if narrow else width, None  # the last blank may be beyond the edge
        if width >= _ROOM_FOR_PALETTE and "command_palette" in by_action:
            palette = self._key(by_action["command_palette"], "▏")
            room -= palette.cells
        for binding in active:
            if binding.show and binding is by_action[binding.action]:
                key = self._key(binding, "" if narrow else " ")
                if x + key.cells <= room:
                    yield replace(key, x=x)
                    x += key.cells
        if palette is not None:
            yield replace(palette, x=room)

    def _key(self, binding: Binding, before: str) -> _Key:
        return _Key(binding, self.app.get_key_display(binding), before)

    def _key_at(self, event: events.MouseEvent) -> _Key | None:
        return next((key for key in self._keys if key.x <= event.x < key.x + key.cells), None)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._hover(self._key_at(event))

    def on_leave(self) -> None:
        self._hover(None)

    def _hover(self, key: _Key | None) -> None:
        if key is not self._hovered:
            self._hovered = key
            self.tooltip = None if key is None else Content(key.binding.tooltip or key.binding.description)
            self.refresh()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if (key := self._key_at(event)) is not None:
            self.app.simulate_key(key.binding.key)
