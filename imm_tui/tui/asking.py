"""Asking IMM about a task: whether that makes sense, and what is told of it beside what came of it."""

from __future__ import annotations

from imm_tui.errors import Trouble
from imm_tui.i18n import _
from imm_tui.tasks import Status, Task


def can_be_asked(task: Task) -> bool:
    """Whether IMM may have something to say of a task that no event has said."""
    return task.asked or task.status in (Status.RUNNING, Status.UNKNOWN)


class Asking:
    """How it stands with asking, as far as a person has to know."""

    def __init__(self) -> None:
        self.trouble: Trouble | None = None
        """Why IMM cannot be asked about overdue tasks; None where it can."""
        self._wanted: tuple[Task, Trouble | None] | None = None
        """The task that a person wanted IMM to be asked about, and the trouble, both as they were then."""

    def want(self, task: Task) -> None:
        """A person wants IMM to be asked about it, as it is now."""
        self._wanted = task, self.trouble

    def told(self, task: Task) -> Trouble | str:
        """Why asking about it failed, or that it goes on; "" where neither is so."""
        if self._wanted is not None and self._wanted[0].id == task.id:
            before, trouble = self._wanted
            if task.asks != before.asks:
                self._wanted = None
            elif self.trouble is trouble or self.trouble is None:
                return _("Asking IMM …")
            else:
                return self.trouble
        overdue = can_be_asked(task) and not task.asked and task.asked_at is not None
        return self.trouble if overdue and self.trouble is not None else ""
