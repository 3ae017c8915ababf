"""One thing in full: a region that scrolls as a whole."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll


class Detail(VerticalScroll, can_focus=True, inherit_bindings=False):
    """What the selected row of a list is about. A subclass shows it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False, id="detail.up", tooltip="Scroll up"),
        Binding("down,j", "scroll_down", "Down", show=False, id="detail.down", tooltip="Scroll down"),
        Binding("pageup", "page_up", "Page up", show=False, id="detail.page-up", tooltip="One page up"),
        Binding("pagedown", "page_down", "Page down", show=False, id="detail.page-down", tooltip="One page down"),
        Binding("home", "scroll_home", "Top", show=False, id="detail.top", tooltip="Scroll to the top"),
        Binding("end", "scroll_end", "Bottom", show=False, id="detail.bottom", tooltip="Scroll to the bottom"),
    ]
