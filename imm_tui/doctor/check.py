"""What the doctor says of one thing that has to work."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"
    """It works, but something about it will hurt."""
    FAIL = "fail"
    SKIPPED = "skipped"
    """It cannot be known until another check has passed."""


SHAPES = {Verdict.OK: "✓", Verdict.WARN: "!", Verdict.FAIL: "✗", Verdict.SKIPPED: "-"}
"""Each verdict as a shape that says it without colour."""


LONGEST = 4_000
"""Characters of a text of a check that are shown: a policy to paste is in it, and has to be whole."""


@dataclass(frozen=True, slots=True)
class Check:
    """One verdict. Texts may quote the outside world as it came: whoever shows them cleans them first (text.py)."""

    name: str
    """One of verdicts.CHECKS."""
    status: Verdict
    cause: str
    """What was found, in sentences."""
    fix: str = ""
    """The next step, exactly; empty where there is none to take."""

    def as_object(self) -> dict[str, str]:
        """What `--json` says of it."""
        return {"check": self.name, "status": self.status, "cause": self.cause, "fix": self.fix}
