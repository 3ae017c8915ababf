"""What a submission form holds: typed, not yet checked. It outlives the form, and the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

_OPTION = "option."
"""What the name of an option begins with among the values that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The values of the fields as they were typed; never the password."""

    sources: str = ""
    """One a line."""
    target_type: str = ""
    target_uri: str = ""
    pages: str = ""
    dpi: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    """What was typed for each option, by IMM's name for it."""

    @property
    def next(self) -> Draft:
        """What a form for other documents starts with."""
        return replace(self, sources="", pages="")

    def with_unsent(self, unsent: Draft) -> Draft:
        """This form, with what was sent from it as `unsent` and came back; what was typed since then stays.

        The same once more changes nothing.
        """
        if self == Draft():
            return unsent
        here = self.sources.splitlines()
        known = set(here)
        sources = "\n".join([*here, *(source for source in unsent.sources.splitlines() if source not in known)])
        names = ("target_type", "target_uri", "pages", "dpi", "options")
        typed = {name: getattr(self, name) for name in names if getattr(self, name) != getattr(unsent.next, name)}
        return replace(unsent, sources=sources, **typed)

    @property
    def kept(self) -> dict[str, str]:
        """What is worth keeping, by name: `of` reads it."""
        names = ("sources", "target_type", "target_uri", "pages", "dpi")
        values = {name: getattr(self, name) for name in names}
        values |= {f"{_OPTION}{name}": value for name, value in self.options.items()}
        return {name: value for name, value in values.items() if value}

    @classmethod
    def of(cls, kept: Mapping[str, str]) -> Draft:
        """The draft that was kept so. A name that another version of this program knew is passed over."""
        return cls(
            sources=kept.get("sources", ""),
            target_type=kept.get("target_type", ""),
            target_uri=kept.get("target_uri", ""),
            pages=kept.get("pages", ""),
            dpi=kept.get("dpi", ""),
            options={name.removeprefix(_OPTION): value for name, value in kept.items() if name.startswith(_OPTION)},
        )
