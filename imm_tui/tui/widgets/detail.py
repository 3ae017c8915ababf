"""One thing in full: a region with a title, and the pages in it that scroll."""

from __future__ import annotations

from typing import ClassVar, Self

from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widget import Widget

from imm_tui.i18n import N_
from imm_tui.tui.widgets.json_view import JsonView


class Detail(Vertical):
    """What the selected row of a list is about. A subclass shows it, and names what takes the keys."""

    class Copied(Message):
        """A text is to be copied as it is; `what` says to a person what it is."""

        def __init__(self, text: str, what: str) -> None:
            super().__init__()
            self.text = text
            self.what = what

    @property
    def inside(self) -> Widget | None:
        """What in it takes the keys; None while there is nothing."""
        raise NotImplementedError

    def focus(self, scroll_visible: bool = True) -> Self:
        if (inside := self.inside) is not None:
            inside.focus(scroll_visible)
        return self

    def on_json_view_copied(self, event: JsonView.Copied) -> None:
        event.stop()
        self.post_message(self.Copied(event.text, event.what))


class Page(VerticalScroll, can_focus=True, inherit_bindings=False):
    """A part of a detail that is longer than the region as a rule."""

    BINDING_GROUP_TITLE = N_("Text")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", N_("Up"), show=False, id="detail.up", tooltip=N_("Scroll up")),
        Binding("down,j", "scroll_down", N_("Down"), show=False, id="detail.down", tooltip=N_("Scroll down")),
        Binding("pageup", "page_up", N_("Page up"), show=False, id="detail.page-up", tooltip=N_("One page up")),
        Binding(
            "pagedown", "page_down", N_("Page down"), show=False, id="detail.page-down", tooltip=N_("One page down")
        ),
        Binding("home", "scroll_home", N_("Top"), show=False, id="detail.top", tooltip=N_("Scroll to the top")),
        Binding("end", "scroll_end", N_("Bottom"), show=False, id="detail.bottom", tooltip=N_("Scroll to the bottom")),
    ]
