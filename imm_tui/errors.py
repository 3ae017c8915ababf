"""What a person is told when something goes wrong: what happened, why, and what to do next.

Texts here may quote the outside world as it came; whoever shows them cleans them first (text.py).
"""

from __future__ import annotations

import os

from imm_tui import __version__
from imm_tui.i18n import _, sentences


class Trouble(Exception):
    """Something that a person can be told about.

    `what` happened, `why`, and the `fix` to try, each a sentence or empty. `code` and `request_id` are the service's
    own words, where it gave any; `retry_after` is for how many seconds it wants to be left alone. No part ever holds a
    key, a token, a signature or a signed URL.
    """

    def __init__(
        self,
        what: str,
        why: str = "",
        fix: str = "",
        *,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what, why, fix)
        self.what = what
        self.why = why
        self.fix = fix
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        request = f"RequestId {self.request_id}." if self.request_id else ""
        return sentences(self.what, self.why, self.fix, request)


class BadInput(Trouble):
    """An argument, a field or a setting that cannot be used; `field` names the setting or the form's field."""

    def __init__(self, what: str, why: str = "", fix: str = "", *, field: str = "") -> None:
        super().__init__(what, why, fix)
        self.field = field


class ReadOnly(Trouble):
    """The profile is read-only, and this would change something in the cloud. Nothing was sent."""


class NoCredentials(Trouble):
    """No access key was found in any of the places where one may be."""


class Refused(Trouble):
    """The service understood the call and said no; `code` says why."""


class Barred(Refused):
    """A refusal that every such call will meet until a person mends something: a key, a permission, a name, a clock."""


class KeyRefused(Barred):
    """The service does not accept the access key, its token or its signature: another key may do."""


class Denied(Barred):
    """The access key is good, but its owner lacks a permission: the RAM action `action`, like mns:ReceiveMessage."""

    def __init__(
        self,
        what: str,
        why: str = "",
        fix: str = "",
        *,
        action: str,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what, why, fix, code=code, request_id=request_id, retry_after=retry_after)
        self.action = action


class NotActivated(Barred):
    """The account has not activated the service."""


class Unreachable(Trouble):
    """No usable answer came: no connection, a cut, a time-out, or a reply that is not the service's.

    `denied`: something on the way, a proxy or a portal, answered in its place that the call is not allowed. `opened` is
    false where not even a connection came about, so that no other call would fare better.
    """

    def __init__(
        self,
        what: str,
        why: str = "",
        fix: str = "",
        *,
        request_id: str | None = None,
        retry_after: float | None = None,
        denied: bool = False,
        opened: bool = True,
    ) -> None:
        super().__init__(what, why, fix, request_id=request_id, retry_after=retry_after)
        self.denied = denied
        self.opened = opened


class OutcomeUnknown(Trouble):
    """A submission may or may not have arrived: it was cut, or its answer cannot be read, after it was sent."""


class HistoryUnusable(Trouble):
    """The history cannot be opened, read or written."""


class HistoryTorn(HistoryUnusable):
    """What the history's file holds is damaged: waiting does not mend it."""


def mistake(error: BaseException | None, who: str = "imm-tui", then: str = "") -> Trouble:
    """What is told of a mistake of this program itself: `who` ended through it, and what holds `then`.

    Of the error only the kind and the place are told: its own text may quote anything, a key as well.
    """
    places = []
    trace = error.__traceback__ if error is not None else None
    while trace is not None:
        places.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    own = [place for place in places if "imm_tui" in place[0]] or places
    where = _("{file}, line {number}").format(file=os.path.basename(own[-1][0]), number=own[-1][1]) if own else ""
    place = ", ".join(part for part in (where, f"imm-tui {__version__}") if part)
    what = _("{who} ended through a mistake of its own: {error} ({place}).")
    what = what.format(who=who, error=type(error).__name__, place=place)
    return Trouble(what, then, _("Please report this."))
