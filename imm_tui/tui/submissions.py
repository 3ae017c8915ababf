"""What is submitted from the screen: a few documents that are waited for, many in the background, and what the forms
hold."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from imm_tui.errors import Trouble, mistake
from imm_tui.history import History
from imm_tui.i18n import _
from imm_tui.profiles import Profile
from imm_tui.tui.chosen import Chosen
from imm_tui.tui.draft import Draft

if TYPE_CHECKING:
    from imm_tui.submission import Outcome
    from imm_tui.tasks import Conversion
    from imm_tui.tui.batches import Batches, BatchState


class Submissions:
    """Those of this session, of all profiles: what was begun goes on when another profile is shown.

    `later` calls a function in the screen's thread, from any. `on_change` is called from any thread whenever something
    has changed, `on_accepted` in the screen's with the first task that was accepted, and its profile.
    """

    def __init__(
        self,
        chosen: Chosen,
        *,
        later: Callable[..., None],
        on_change: Callable[[], None],
        on_accepted: Callable[[Profile, int], None],
    ) -> None:
        self._chosen = chosen
        self._later = later
        self._on_change = on_change
        self._on_accepted = on_accepted
        self._batches: Batches | None = None
        self._opened: list[Profile] = []
        """Those in whose history there may be something that another session never sent."""

    # The forms

    def draft(self, profile: Profile) -> Draft:
        """What the last form of a profile held, in this session or another."""
        return Draft.of(self._chosen.now.forms.get(profile.settings.profile, {}))

    def keep(self, profile: Profile, draft: Draft) -> None:
        """The next form of that profile begins with it."""
        if draft != self.draft(profile):
            self._chosen.change(forms={**self._chosen.now.forms, profile.settings.profile: draft.kept})

    def _keep_unsent(self, profile: Profile, unsent: Draft) -> None:
        self.keep(profile, self.draft(profile).with_unsent(unsent))

    # A few

    def send(
        self,
        profile: Profile,
        conversions: Sequence[Conversion],
        done: Callable[[list[Outcome] | Trouble], None],
        resubmits: Sequence[int] = (),
    ) -> None:
        """Submits in a thread of its own. `resubmits` is the task that each of them is once more.

        `done` is called in the screen's thread, with what became of each conversion, or why nothing was sent.
        """
        work = (profile, conversions, done, resubmits)
        threading.Thread(target=self._send, args=work, name="submission", daemon=True).start()

    def _send(
        self,
        profile: Profile,
        conversions: Sequence[Conversion],
        done: Callable[[list[Outcome] | Trouble], None],
        resubmits: Sequence[int],
    ) -> None:
        result = self._outcomes(profile, conversions, resubmits)
        if not isinstance(result, Trouble):
            accepted = [outcome.task.id for outcome in result if outcome.trouble is None]
            if accepted:
                self._later(self._on_accepted, profile, accepted[0])
        self._later(done, result)

    def _outcomes(
        self, profile: Profile, conversions: Sequence[Conversion], resubmits: Sequence[int]
    ) -> list[Outcome] | Trouble:
        from imm_tui import submission  # not before the first paint

        assert profile.credentials is not None
        outcomes = []
        try:
            imm = submission.connect(profile.settings, profile.credentials)
            with closing(imm), History(profile.history_path) as history:
                batch = 0 if len(conversions) > 1 else None
                outcomes_of = submission.submit(
                    history, imm, profile.settings, conversions, batch=batch, resubmits=resubmits
                )
                for outcome in outcomes_of:
                    outcomes.append(outcome)
                    self._on_change()
        except Trouble as trouble:
            return trouble
        except Exception as error:  # a form that waits for ever would be worse than any sentence
            return mistake(error, _("The submission"), _("The list has what was sent."))
        return outcomes

    # Many

    @property
    def batches(self) -> Batches:
        """Those of this session."""
        from imm_tui.tui.batches import Batches  # not before the first paint

        if self._batches is None:
            self._batches = Batches(self._on_change)
        return self._batches

    def batch(self, history_path: Path) -> BatchState | None:
        """The one of this history that is to be seen on the dashboard."""
        return self._batches.current(history_path) if self._batches is not None else None

    @property
    def unsent(self) -> int:
        """How many documents are still to be submitted."""
        return self._batches.unsent if self._batches is not None else 0

    def open(self, profile: Profile) -> None:
        """What sessions that were cut short have not sent of this profile comes back with the next `take_back`."""
        self._opened.append(profile)

    def take_back(self) -> int:
        """What batches have ended without sending is in the forms again, when they are next opened; how many documents
        of that are from another session."""
        for profile, unsent in self._batches.give_back() if self._batches is not None else ():
            self._keep_unsent(profile, unsent)
        opened, self._opened = self._opened, []
        return sum(self._look_back(profile) for profile in opened)

    def _look_back(self, profile: Profile) -> int:
        from imm_tui.tui.batches import left

        count = 0
        for unsent in left(profile):
            self._keep_unsent(profile, unsent)
            count += len(unsent.sources.splitlines())
        return count

    def stop(self) -> None:
        """Sends no more of the batches, and keeps what was not sent in the forms; that of one whose last answers do not
        come is for the next session to take back."""
        for profile, unsent in self._batches.stop() if self._batches is not None else ():
            self._keep_unsent(profile, unsent)
