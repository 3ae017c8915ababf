"""The two themes of our own: quiet greys, one accent, and green, amber and red for states only."""

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

STATUS_COLOURS = {
    Status.SUBMITTING: QUIET,
    Status.RUNNING: "$text-warning",
    Status.SUCCEEDED: "$text-success",
    Status.FAILED: "$text-error",
    Status.UNKNOWN: "$text-warning",
}
