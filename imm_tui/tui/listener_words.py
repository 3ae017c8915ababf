"""What the listener is doing, and what it means that it hears nothing; with the shapes that say it without colour."""

from __future__ import annotations

from imm_tui.config import Settings
from imm_tui.errors import Trouble
from imm_tui.i18n import _, ngettext
from imm_tui.listener import ListenerState, Phase
from imm_tui.text import line
from imm_tui.tui.times import clock, elapsed

SHAPES = {
    Phase.STARTING: "◌",
    Phase.LISTENING: "●",
    Phase.PEEKING: "◉",
    Phase.RECONNECTING: "◌",
    Phase.STOPPED: "✕",
    Phase.PAUSED: "ǁ",  # a letter: the bars that mean a pause are not as wide in every terminal
    Phase.WATCHING: "◉",
}

_PEEKED = 16
"""Messages of a queue that can be seen without receiving any (MNS API 2015-06-06, BatchPeekMessage)."""


def words(state: ListenerState, last_event: int | None, now: int) -> tuple[str, list[str]]:
    """What the listener is doing, and the details of it, from the fullest to the shortest wording."""
    match state.phase:
        case Phase.LISTENING:
            since = _("since {time}").format(time=clock(state.since, now))
            if last_event is None:
                return _("listening"), [f"{since} · {_('no event yet')}", _("no event yet")]
            age = elapsed(now - last_event)
            seen = _("last event {age} ago").format(age=age)
            return _("listening"), [f"{since} · {seen}", seen, _("{age} ago").format(age=age)]
        case Phase.PEEKING:
            limit = _("sees the first {count} messages").format(count=_PEEKED)
            seen = _("no event yet")
            if last_event is not None:
                seen = _("last event {age} ago").format(age=elapsed(now - last_event))
            return _("peeking"), [f"{limit} · {seen}", limit, _("the first {count}").format(count=_PEEKED)]
        case Phase.RECONNECTING:
            wait = -((now - (state.retry_at or now)) // 1000)
            if wait <= 0:
                return _("reconnecting now"), []
            return ngettext("reconnecting in {count} s", "reconnecting in {count} s", wait).format(count=wait), []
        case Phase.STOPPED:
            return _("stopped"), []
        case Phase.PAUSED:
            return _("paused"), [_("events wait on the queue")]
        case Phase.WATCHING:
            return _("another imm-tui is listening"), [_("watching its history")]
        case Phase.STARTING:
            return _("starting"), []


def unheard(number: int, settings: Settings) -> Trouble:
    """What it means that so many tasks ended and no event said so."""
    queue, topic = line(settings.queue), line(settings.topic)
    what = ngettext(
        "{count} task of the last hour has ended at IMM, and no event came for it.",
        "{count} tasks of the last hour have ended at IMM, and no event came for them.",
        number,
    )
    why = (
        _(
            "Somebody else may be taking from the queue {queue}, its subscription to the topic {topic} may be missing, "
            "or the project's service role may not publish."
        )
        if topic
        else _(
            "Somebody else may be taking from the queue {queue}, its subscription to IMM's topic may be missing, "
            "or the project's service role may not publish."
        )
    )
    fix = _("Give every viewer a queue of its own, subscribed to the topic.")
    return Trouble(what.format(count=f"{number:,}"), why.format(queue=queue, topic=topic), fix)
