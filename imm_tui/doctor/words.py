"""The words that checks share: how to change a setting or a key, and how a key and a length of time are written."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from difflib import get_close_matches

from imm_tui.doctor.evidence import Evidence
from imm_tui.i18n import _, ngettext, sentences


def setting(e: Evidence, name: str, value: str) -> str:
    """The step that gives a setting a value, where it comes from now."""
    source = _above_the_file(e, name)
    if source.startswith("--"):
        return _("Give {option} instead.").format(option=f"`{source} {value}`")
    if source:
        return _("Set {assignment}.").format(assignment=f"{source}={value}")
    written = _("Write {line} under {place}.").format(line=f'{name} = "{value}"', place=e.settings.place)
    return sentences(written, e.settings.first_line)


def another_key(e: Evidence) -> str:
    """The step that gives another key, where this one comes from."""
    if name := e.settings.aliyun_profile:
        command = f"`{shlex.join(['aliyun', 'configure', '--profile', name])}`"
        return _("Give the aliyun profile {name} that key: {command}.").format(name=name, command=command)
    names = "ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET"
    token = "ALIBABA_CLOUD_SECURITY_TOKEN"
    told = _("Set {names} to it, and unset {token} unless it has a token.")
    return told.format(names=names, token=token)


def given_up(e: Evidence, name: str) -> str:
    """The step that lets the file alone say what a setting is; empty where it does."""
    source = _above_the_file(e, name)
    if source.startswith("--"):
        return _("Then leave out {flag}, which wins over the file.").format(flag=source)
    return _("Then unset {variable}, which wins over the file.").format(variable=source) if source else ""


def _above_the_file(e: Evidence, name: str) -> str:
    """The flag or the variable that a setting comes from; empty where the file could say it."""
    source = e.settings.sources.get(name, "")
    return source if source in (f"--{name.replace('_', '-')}", f"IMM_TUI_{name.upper()}") else ""


def chosen(e: Evidence, name: str, names: Sequence[str], otherwise: str) -> str:
    """The step that gives a setting one of `names`; `otherwise` is what to do where there is none."""
    if not names:
        return otherwise
    close = get_close_matches(getattr(e.settings, name), names, n=1)
    if close or len(names) == 1:
        return setting(e, name, (close or names)[0])
    source = _above_the_file(e, name)
    told = _("Set {name} to one of these, in {place}: {names}.")
    told = told.format(name=name, place=source or e.settings.place, names=", ".join(names[:20]))
    return sentences(told, "" if source else e.settings.first_line)


def span(seconds: float) -> str:
    """A length of time in its largest whole unit."""
    whole = round(seconds)
    if whole >= 2 * 86400:
        count = round(whole / 86400)
        return ngettext("{count} day", "{count} days", count).format(count=count)
    if whole >= 2 * 3600:
        count = round(whole / 3600)
        return ngettext("{count} hour", "{count} hours", count).format(count=count)
    if whole >= 2 * 60:
        count = round(whole / 60)
        return ngettext("{count} minute", "{count} minutes", count).format(count=count)
    return ngettext("{count} second", "{count} seconds", whole).format(count=whole)


def masked(access_key_id: str) -> str:
    """An access key's id, so that its owner knows it and nobody else can."""
    return f"{access_key_id[:6]}…{access_key_id[-3:]}" if len(access_key_id) > 12 else f"{access_key_id[:4]}…"
