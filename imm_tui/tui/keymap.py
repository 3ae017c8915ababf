"""The keys that a person wants in place of ours: which bindings there are, and what of a wish can be granted."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, _character_to_key, key_to_character
from textual.screen import Screen

from imm_tui.config import nearest
from imm_tui.errors import BadInput, Trouble
from imm_tui.i18n import N_, _
from imm_tui.text import line

_MODIFIERS = {"ctrl", "shift", "alt", "super", "hyper", "meta"}
_NAMED = {key.value for key in Keys if re.fullmatch(r"\w+", key.value)} | set(KEY_NAME_REPLACEMENTS.values())


_App = type[App[Any]]


@dataclass(frozen=True, slots=True)
class Place:
    """A screen or a widget with the keys that work while it has the focus."""

    title: str
    """In English; translated where it is shown."""
    keys: Mapping[str, tuple[str, ...]]
    """By the id of the binding."""
    words: Mapping[str, str]
    """What each does, in English."""
    inner: Mapping[str, tuple[str, ...]]
    """The keys of the app and of the widgets on a screen, which take them first: a widget while it has the focus."""


@cache
def places(app: _App) -> tuple[Place, ...]:
    """All that have keys, of the app first. Every screen and every widget is imported for it."""
    return tuple(_place(node, app) for node in (app, *_nodes()))


def apply(app: App[Any], wanted: Mapping[str, str]) -> list[Trouble]:
    """Gives the app the keys that are wanted, by id, as far as that goes; returns what a person is to know of it."""
    if not wanted:
        return []  # and nothing is imported
    keymap, troubles = resolve(wanted, type(app))
    app.set_keymap(keymap)
    return troubles


def resolve(wanted: Mapping[str, str], app: _App) -> tuple[dict[str, str], list[Trouble]]:
    """A keymap as Textual takes it, and why something in it is left out, or leaves another binding without its key."""
    usual = {name: keys for place in places(app) for name, keys in place.keys.items()}
    keymap: dict[str, str] = {}
    troubles: list[Trouble] = []
    for name, typed in wanted.items():
        try:
            if name not in usual:
                what = _("There is no key called “{name}”.").format(name=line(name))
                raise BadInput(what, fix=nearest(name, list(usual)), field="keys")
            keymap[name] = ",".join(_checked(key, name) for key in typed.split(","))
        except BadInput as bad:
            troubles.append(bad)
    troubles += _clashes(keymap, app)
    # Textual takes a key away from all that share it when one of them moves: the others say that they stay.
    for place in places(app):
        for name, keys in place.keys.items():
            if any(
                name not in keymap and moved in keymap and set(keys) & set(place.keys[moved]) for moved in place.keys
            ):
                keymap[name] = ",".join(keys)
    return keymap, troubles


def _checked(key: str, name: str) -> str:
    """A key by Textual's name for it. Raises BadInput where there is no such key."""
    *modifiers, last = re.sub(r"(^|\+)\+$", r"\1plus", key.strip()).split("+")
    known = last.isprintable() and (last in _NAMED or key_to_character(last) is not None)
    if not last or not known or not set(modifiers) <= _MODIFIERS:
        what = _("“{key}” is no key.").format(key=line(key))
        why = _("It is wanted for {name}.").format(name=name)
        raise BadInput(what, why, _("Keys are written like n, N, ctrl+n, f2, slash or pagedown."), field="keys")
    return "+".join([*modifiers, _character_to_key(last) if len(last) == 1 else last])


def _clashes(keymap: Mapping[str, str], app: _App) -> Iterator[Trouble]:
    """Bindings on one key of one screen, or of one widget, that were not meant to share it."""
    told: set[frozenset[str]] = set()
    for place in places(app):
        usual = {**place.inner, **place.keys}
        now = {name: set(keymap[name].split(",") if name in keymap else keys) for name, keys in usual.items()}
        for name in place.keys:
            others: dict[str, list[str]] = {}
            for other in usual:
                meant = set(usual[name]) & set(usual[other])  # then only one of them works at a time
                if {name, other} & keymap.keys() and not meant and frozenset((name, other)) not in told:
                    for key in now[name] & now[other]:
                        others.setdefault(key, []).append(other)
                        told.add(frozenset((name, other)))
            for key, names in sorted(others.items()):
                what = _("{key} is the key of {name}, and of {others} as well.")
                fix = _("Only one of them works at a time. Give one of them another key in [keys].")
                yield Trouble(what.format(key=key, name=name, others=", ".join(names)), fix=fix)


def _nodes() -> Iterator[type[DOMNode]]:
    """The screens, then the widgets; those with bindings of their own."""
    from imm_tui.tui import screens, widgets

    for package in (screens, widgets):
        for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name != "dashboard"):
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            yield from (node for node in _ours(module) if node.__module__ == module.__name__ and _has_keys(node))


def _ours(module: ModuleType) -> Iterator[type[DOMNode]]:
    """The nodes that a module defines or imports."""
    for found in vars(module).values():
        if isinstance(found, type) and issubclass(found, DOMNode) and found.__module__.startswith("imm_tui.tui"):
            yield found


def _has_keys(node: type[DOMNode]) -> bool:
    return bool(vars(node).get("BINDINGS"))


def _widgets_of(node: type[DOMNode], seen: set[type[DOMNode]]) -> set[type[DOMNode]]:
    """What a screen is made of: it imports it, or what it imports does."""
    for found in _ours(sys.modules[node.__module__]):
        if found not in seen and not issubclass(found, Screen):
            seen.add(found)
            _widgets_of(found, seen)
    return seen


def _place(node: type[DOMNode], app: _App) -> Place:
    keys, words = _keys_of(node)
    inner: dict[str, tuple[str, ...]] = {}
    if issubclass(node, Screen):
        inner |= _keys_of(app)[0]
        for widget in sorted(_widgets_of(node, set()), key=lambda widget: widget.__name__):
            inner |= _keys_of(widget)[0]
    return Place(node.BINDING_GROUP_TITLE or title_of(node), keys, words, inner)


def _keys_of(node: type[DOMNode]) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    keys: dict[str, tuple[str, ...]] = {}
    words: dict[str, str] = {}
    for binding in _own(node):
        if binding.id is not None:
            keys[binding.id] = (*keys.get(binding.id, ()), binding.key)
            words[binding.id] = binding.tooltip or binding.description
    return keys, words


def _own(node: type[DOMNode]) -> Iterable[Binding]:
    """Its bindings, each with one key, and those of what it is made from, if they are ours."""
    for kind in node.__mro__:
        if kind.__module__.startswith("imm_tui."):
            yield from Binding.make_bindings(vars(kind).get("BINDINGS", ()))


_TITLES = (
    N_("Choices"),
    N_("Confirm"),
    N_("Dashboard"),
    N_("Help"),
    N_("Input"),
    N_("Message list"),
    N_("Preview list"),
    N_("Row list"),
    N_("Task list"),
    N_("Welcome"),
)


def title_of(node: type[DOMNode]) -> str:
    """`TaskList` as people read it: `Task list`, one of _TITLES."""
    name = node.__name__.removesuffix("Screen") if issubclass(node, Screen) else node.__name__
    return re.sub("(?<=.)[A-Z]", lambda at: f" {at[0].lower()}", name)
