"""The two themes of our own: quiet greys, one accent, and green, amber and red for states only.

Each has a second form, for a terminal of 16 colours: there Textual sends the nearest one of each colour.
"""

from __future__ import annotations

from textual.theme import Theme

from imm_tui.tasks import Status

QUIET = "$foreground 68%"
"""Text that is there when it is looked for."""

ORANGE = "#FF6A00"
"""Alibaba Cloud's."""

DARK = Theme(
    name="imm-dark",
    dark=True,
    primary=ORANGE,
    accent=ORANGE,
    secondary="#8A94A6",
    success="#3FB96B",
    warning="#E3B341",
    error="#F0524F",
    foreground="#D9DCE3",
    background="#14161B",
    surface="#191C22",
    panel="#20242C",
    variables={
        "border": "#3A404C",
        "border-blurred": "#2C313B",
        "footer-background": "#191C22",
        "footer-description-foreground": "#9AA2B1",
        "scrollbar": "#3A404C",
        "scrollbar-hover": "#4C5463",
        "scrollbar-background": "#191C22",
        "scrollbar-background-hover": "#191C22",
        "scrollbar-background-active": "#191C22",
        "block-cursor-foreground": "#14161B",
        "block-hover-background": "#FFFFFF 5%",
    },
)

LIGHT = Theme(
    name="imm-light",
    dark=False,
    primary=ORANGE,
    accent=ORANGE,
    secondary="#5B6575",
    success="#27B457",
    warning="#E09600",
    error="#F03E3E",
    foreground="#22262E",
    background="#F4F5F7",
    surface="#FFFFFF",
    panel="#E9EBEF",
    variables={
        "border": "#B9BFCA",
        "border-blurred": "#D3D7DE",
        "footer-background": "#E9EBEF",
        "footer-key-foreground": "#B84A00",
        "footer-description-foreground": "#4C5463",
        "scrollbar": "#C3C8D2",
        "scrollbar-hover": "#A9B0BD",
        "scrollbar-background": "#FFFFFF",
        "scrollbar-background-hover": "#FFFFFF",
        "scrollbar-background-active": "#FFFFFF",
        "block-cursor-foreground": "#FFFFFF",
        "block-hover-background": "#000000 4%",
    },
)
"""Where one of these colours is text, Textual darkens it; the footer's keys do it here: orange on white is too pale."""

# The 16 as Rich has them, which looks for the nearest. None of them is orange, and yellow is for states: the accent is
# cyan or blue.
DARK_OF_16 = Theme(
    name=DARK.name,
    dark=True,
    primary="#00AAAA",
    accent="#55FFFF",
    secondary="#AAAAAA",
    success="#55FF55",
    warning="#FFFF55",
    error="#FF5555",
    foreground="#FFFFFF",
    background="#000000",
    surface="#000000",
    panel="#555555",
    variables={
        "text-accent": "#55FFFF",
        "text-success": "#55FF55",
        "text-warning": "#FFFF55",
        "text-error": "#FF5555",
        "accent-muted": "#0000AA",
        "border": "#555555",
        "border-blurred": "#555555",
        "footer-background": "#000000",
        "footer-description-foreground": "#AAAAAA",
        "scrollbar": "#AAAAAA",
        "scrollbar-hover": "#FFFFFF",
        "scrollbar-background": "#000000",
        "scrollbar-background-hover": "#000000",
        "scrollbar-background-active": "#000000",
        "block-cursor-foreground": "#000000",
    },
)

LIGHT_OF_16 = Theme(
    name=LIGHT.name,
    dark=False,
    primary="#0000AA",
    accent="#0000AA",
    secondary="#555555",
    success="#00AA00",
    warning="#AA5500",
    error="#AA0000",
    foreground="#000000",
    background="#FFFFFF",
    surface="#FFFFFF",
    panel="#AAAAAA",
    variables={
        "text-accent": "#0000AA",
        "text-success": "#00AA00",
        "text-warning": "#AA5500",
        "text-error": "#AA0000",
        "accent-muted": "#55FFFF",
        "border": "#555555",
        "border-blurred": "#555555",
        "footer-background": "#FFFFFF",
        "footer-key-foreground": "#0000AA",
        "footer-description-foreground": "#555555",
        "scrollbar": "#555555",
        "scrollbar-hover": "#000000",
        "scrollbar-background": "#FFFFFF",
        "scrollbar-background-hover": "#FFFFFF",
        "scrollbar-background-active": "#FFFFFF",
        "block-cursor-foreground": "#FFFFFF",
    },
)


def themes(color_system: str | None) -> tuple[Theme, Theme]:
    """The dark and the light one for a terminal, of which Rich's console says what colours it has."""
    return (DARK_OF_16, LIGHT_OF_16) if color_system == "standard" else (DARK, LIGHT)


STATUS_COLOURS = {
    Status.SUBMITTING: QUIET,
    Status.RUNNING: "$text-warning",
    Status.SUCCEEDED: "$text-success",
    Status.FAILED: "$text-error",
    Status.UNKNOWN: "$text-warning",
}
