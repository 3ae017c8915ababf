"""Submitting once more, from the screen: the questions before it, and what is told of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual.app import App

from imm_tui.errors import HistoryUnusable, Trouble, mistake
from imm_tui.history import History
from imm_tui.i18n import _, ngettext
from imm_tui.profiles import Profile
from imm_tui.resubmission import Resubmit, differences, resubmission
from imm_tui.submission import Outcome
from imm_tui.tasks import Status
from imm_tui.text import block, line
from imm_tui.tui import answer
from imm_tui.tui.localized import Localized
from imm_tui.tui.screens.confirm import ConfirmScreen
from imm_tui.tui.screens.password import PasswordScreen
from imm_tui.tui.submissions import Submissions
from imm_tui.tui.trouble_words import in_full

_TOLD_FOR = 30.0

_NAMED = 5
"""Differences that are told; tasks of one batch have the same."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What can be submitted once more, what cannot, and what is not now as it was then."""

    ready: Sequence[Resubmit]
    troubled: Sequence[Resubmit]
    changed: Sequence[str]


_Send = Callable[[Sequence[Resubmit]], None]


def resubmit(
    screen: Localized[Any],
    profile: Profile,
    submissions: Submissions,
    tasks: Sequence[int],
    on_sent: Callable[[Sequence[int]], object] = lambda _: None,
) -> None:
    """Submits these tasks of the history once more, each with its exact request, after a question.

    `screen` lists them: when it is left meanwhile, nobody waits for the question any more. `on_sent` is called with
    those of them that are on their way.
    """
    history_path, settings = profile.history_path, profile.settings
    send = partial(_send, screen, profile, submissions, on_sent)
    found = partial(screen.app.call_later, _ask, screen, send)

    def find() -> _Found:
        with History(history_path) as history:
            found = resubmission(history, tasks, settings)
            ready = [it for it in found if it.trouble is None]
            requests = (history.request_of(it.task.id) for it in ready)
            changed = dict.fromkeys(told for request in requests for told in differences(request, settings))
        return _Found(ready, [it for it in found if it.trouble is not None], list(changed))

    threading.Thread(target=_find, args=(find, found), name="resubmission", daemon=True).start()


def _find(find: Callable[[], _Found], found: Callable[[_Found | Trouble], object]) -> None:
    result: _Found | Trouble
    try:
        result = find()
    except Trouble as trouble:
        result = trouble
    except Exception as error:  # a key that does nothing would be worse than any sentence
        result = mistake(error, _("The resubmission"), _("Nothing was sent."))
    with suppress(RuntimeError):  # the app has ended meanwhile
        found(result)


def _ask(screen: Localized[Any], send: _Send, found: _Found | Trouble) -> None:
    if not screen.is_open:
        return
    if isinstance(found, Trouble):
        _fail(screen.app, found)
        return
    if not found.ready:
        trouble = next((it.trouble for it in found.troubled if it.trouble is not None), None)
        if trouble is not None:
            _fail(screen.app, trouble)
        return

    def agreed(yes: bool | None) -> None:
        if yes:
            _with_password(screen, send, found.ready)

    count = len(found.ready)
    question = ngettext("Submit this task once more?", "Submit {count} tasks once more?", count)
    screen.app.push_screen(
        ConfirmScreen(
            question.format(count=f"{count:,}"),
            _said(found),
            _("Submit"),
            _("Leave it"),
            grave=False,
        ),
        agreed,
    )


def _said(found: _Found) -> str:
    """Which tasks, and what a person should know before they agree."""
    parts = [answer.named([it.task.name for it in found.ready])]
    succeeded = sum(it.task.status not in (Status.FAILED, Status.UNKNOWN) for it in found.ready)
    if succeeded:
        words = ngettext("{count} of them has not failed.", "{count} of them have not failed.", succeeded)
        alone = len(found.ready) == 1
        parts.append(_("It has not failed.") if alone else words.format(count=f"{succeeded:,}"))
    if found.troubled:
        words = ngettext(
            "{count} other cannot be submitted once more: {why}",
            "{count} others cannot be submitted once more: {why}",
            len(found.troubled),
        )
        first = found.troubled[0].trouble
        assert first is not None
        parts.append(words.format(count=f"{len(found.troubled):,}", why=line(first.why or first.what)))
    parts.append(_("The request is the same as it was, with a new token."))
    parts += [line(told) for told in found.changed[:_NAMED]]
    return "\n".join(parts)


def _with_password(screen: Localized[Any], send: _Send, ready: Sequence[Resubmit]) -> None:
    protected = [it.task.name for it in ready if it.needs_password]
    if not protected:
        send(ready)
        return

    def typed(password: str | None) -> None:
        if password is not None:
            send([it.with_password(password) if it.needs_password else it for it in ready])

    words = ngettext(
        "{names} was submitted with a password, which is not kept.",
        "{names} were submitted with a password, which is not kept.",
        len(protected),
    )
    screen.app.push_screen(PasswordScreen(words.format(names=answer.named(protected))), typed)


def _send(
    screen: Localized[Any],
    profile: Profile,
    submissions: Submissions,
    on_sent: Callable[[Sequence[int]], object],
    ready: Sequence[Resubmit],
) -> None:
    conversions = [it.conversion for it in ready if it.conversion is not None]
    numbers = [it.task.id for it in ready if it.conversion is not None]
    if len(conversions) > 1:
        try:
            submissions.batches.start(profile, conversions, None, numbers)
        except HistoryUnusable as trouble:
            _fail(screen.app, trouble)
            return
    else:
        submissions.send(profile, conversions, partial(_tell, screen.app), numbers)
    on_sent(numbers)


def _tell(app: App[Any], result: list[Outcome] | Trouble) -> None:
    trouble = result if isinstance(result, Trouble) else next((it.trouble for it in result if it.trouble), None)
    if trouble is not None:
        _fail(app, trouble)
    elif not isinstance(result, Trouble):
        names = answer.named([outcome.task.name for outcome in result])
        app.notify(names, title=_("Submitted once more"), timeout=5, markup=False)


def _fail(app: App[Any], trouble: Trouble) -> None:
    words = block(in_full(trouble).plain)
    app.notify(words, title=_("Not submitted"), severity="error", timeout=_TOLD_FOR, markup=False)
