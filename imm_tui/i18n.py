"""The language that a person is spoken to in: English as the source is written, or 简体中文 from its catalogue.

A text is written where it is used, in English, as a literal: `_("{count} pages").format(count=7)`. The catalogue in
`locale/` is GNU gettext's, and `make messages` brings it up to date.
"""

from __future__ import annotations

import gettext
import io
import struct
from collections.abc import Mapping
from functools import cache

LANGUAGES = {"en": "English", "zh_CN": "简体中文"}
"""The languages there are, each by its own name."""

_chosen: gettext.NullTranslations = gettext.NullTranslations()
_language = "en"


def _(text: str) -> str:
    """`text` in the language of the moment."""
    return _chosen.gettext(text) if text else ""  # gettext says its catalogue's header for ""


def ngettext(one: str, many: str, number: int) -> str:
    """The one or the other, as the language counts; both name the number as a field, `{count}`."""
    return _chosen.ngettext(one, many, number)


def sentences(*texts: str) -> str:
    """Sentences behind one another, without the empty ones: Chinese has no blank after its full stop."""
    told = ""
    for text in filter(None, texts):
        told += text if not told or told.endswith("。") else f" {text}"
    return told


def N_(text: str) -> str:  # noqa: N802 - gettext's name, by which texts are found
    """Marks a text that is translated later, where it is shown: at the top of a module no language is chosen yet."""
    return text


def language() -> str:
    """That of the moment, one of LANGUAGES."""
    return _language


def use(language: str) -> None:
    """Speaks this language from now on, in every thread. KeyError: there is none of that name."""
    global _chosen, _language
    LANGUAGES[language]
    _chosen, _language = _catalogue(language), language


def of_environment(environ: Mapping[str, str]) -> str:
    """The language that LC_ALL, LC_MESSAGES or LANG asks for: Chinese of any kind, else English."""
    asked = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environ.get(name))), "")
    return "zh_CN" if asked.lower().replace("-", "_").split(".")[0].split("_")[0] == "zh" else "en"


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    """English where there is no catalogue that can be read: that is no reason not to start."""
    if language == "en":
        return gettext.NullTranslations()
    import pkgutil  # reads from a zip of the sources as well, and costs --help nothing in English

    try:
        catalogue = pkgutil.get_data("imm_tui", f"locale/{language}/LC_MESSAGES/imm_tui.mo")
        return gettext.GNUTranslations(io.BytesIO(catalogue or b""))
    except (OSError, ValueError, struct.error):
        return gettext.NullTranslations()
