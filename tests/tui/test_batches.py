"""The batches of a session, without a screen: whose they are, and what comes back of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from imm_tui import submission
from imm_tui.history import History
from imm_tui.profiles import Profile
from imm_tui.tui.batches import Batches, BatchState
from imm_tui.tui.draft import Draft
from tests.cloud.servers import Service
from tests.program import HANG
from tests.test_batch import held, refused
from tests.tui.test_submit import KEYS, SETTINGS

FORM = Draft(sources="", target_type="pdf", target_uri="oss://demo/out/", pages="1-3", dpi="200")
MANY = [f"oss://demo/{number}.pdf" for number in range(30)]


class Stage:
    """Batches of one session, and whatever they change."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self.batches = Batches(self._tell)

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()

    def start(self, profile: Profile, form: Draft | None = FORM) -> None:
        self.batches.start(profile, submission.plan(MANY, submission.Wanted(target_type="png"), profile.settings), form)

    def ended(self, profile: Profile) -> BatchState:
        """The newest of a profile, when all that it sent has its answer."""
        with self._news:
            assert self._news.wait_for(lambda: self._newest(profile).progress.ended, HANG), self._newest(profile)
        return self._newest(profile)

    def over(self, profile: Profile) -> BatchState:
        with self._news:
            assert self._news.wait_for(lambda: self._newest(profile).over, HANG), self._newest(profile)
        return self._newest(profile)

    def _newest(self, profile: Profile) -> BatchState:
        return self.batches.states(profile.history_path)[0]


@contextmanager
def staged(profile: Profile) -> Iterator[Stage]:
    stage = Stage()
    stage.start(profile)
    try:
        yield stage
    finally:
        stage.batches.stop()


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return Profile(settings=replace(SETTINGS, profile="one"), history_path=tmp_path / "one.db", credentials=KEYS)


def at(profile: Profile, service: Service) -> Profile:
    return replace(profile, settings=replace(profile.settings, imm_endpoint=service.url))


def sent(profile: Profile) -> set[str | None]:
    with History(profile.history_path) as history:
        return {task.source_uri for task in history.tasks(limit=1000)}


def test_what_is_cancelled_comes_back_once_and_not_before_it_is_known_what_was_sent(profile: Profile) -> None:
    gate = threading.Event()
    with Service(held(gate)) as service, staged(at(profile, service)) as stage:
        assert service.arrived.wait(HANG)
        stage.batches.cancel(1)
        stage.batches.cancel(1)
        assert list(stage.batches.give_back()) == []
        (state,) = stage.batches.states(profile.history_path)
        assert state.progress.cut_short, "also while its last answers are awaited"
        gate.set()
        stage.ended(profile)
        ((owner, form),) = stage.batches.give_back()
        assert owner.settings.profile == "one"
        assert sent(profile) | set(form.sources.splitlines()) == set(MANY), "each was sent or comes back"
        assert not sent(profile) & set(form.sources.splitlines()), "and none is both"
        assert form == replace(FORM, sources=form.sources)
        assert list(stage.batches.give_back()) == list(stage.batches.stop()) == []


def test_leaving_gives_back_what_a_batch_has_not_sent(profile: Profile) -> None:
    gate = threading.Event()
    with Service(held(gate)) as service, staged(at(profile, service)) as stage:
        assert service.arrived.wait(HANG)
        stage.batches.cancel(1)
        gate.set()
        ((_owner, form),) = stage.batches.stop()
        assert sent(profile) | set(form.sources.splitlines()) == set(MANY)
        assert list(stage.batches.stop()) == []


def test_a_batch_that_cannot_be_sent_at_all_comes_back_whole(profile: Profile) -> None:
    with staged(replace(profile, settings=replace(profile.settings, project=""))) as stage:
        assert stage.ended(profile).progress.unsent == len(MANY)
        ((_owner, form),) = stage.batches.give_back()
        assert form.sources.splitlines() == MANY


def test_what_was_to_be_resubmitted_is_in_the_list_and_in_no_form(profile: Profile) -> None:
    stage = Stage()
    stage.start(replace(profile, settings=replace(profile.settings, project="")), None)
    stage.ended(profile)
    assert list(stage.batches.give_back()) == list(stage.batches.stop()) == []


def test_a_profile_has_its_own_batches(profile: Profile, tmp_path: Path) -> None:
    other = replace(profile, history_path=tmp_path / "other.db")
    gate = threading.Event()
    with Service(held(gate)) as service, staged(at(profile, service)) as stage:
        assert stage.batches.current(other.history_path) is None
        assert stage.batches.states(other.history_path) == []
        stage.start(at(other, service))
        assert [state.key for state in stage.batches.states(profile.history_path)] == [1]
        assert [state.key for state in stage.batches.states(other.history_path)] == [2]
        gate.set()


def test_every_batch_is_looked_at_also_one_that_begins_when_all_others_are_over(profile: Profile) -> None:
    # Without a project each is over at once; the next begins while the look at the one before ends.
    with (
        Service(refused("InvalidSourceURI")) as service,
        staged(replace(profile, settings=replace(profile.settings, project=""))) as stage,
    ):
        stage.ended(profile)
        stage.start(at(profile, service))
        assert stage.over(profile).failed == len(MANY)


# The form that it comes back to


def test_what_comes_back_is_the_form_that_it_was_sent_from() -> None:
    unsent = replace(FORM, sources="oss://demo/a.pdf", options={"Quality": "80"})
    assert Draft().with_unsent(unsent) == unsent
    assert unsent.next.with_unsent(unsent) == unsent


def test_and_what_was_typed_meanwhile_stays() -> None:
    unsent = replace(FORM, sources="oss://demo/a.pdf", options={"Quality": "80"})
    typed = replace(unsent.next, sources="oss://demo/b.pdf", target_type="png", pages="9", options={"Quality": "70"})
    assert typed.with_unsent(unsent) == replace(typed, sources="oss://demo/b.pdf\noss://demo/a.pdf")
    assert typed.with_unsent(unsent).with_unsent(unsent) == typed.with_unsent(unsent), "nothing comes back twice"
    cleared = replace(unsent.next, target_uri="", dpi="")
    assert cleared.with_unsent(unsent) == replace(unsent, target_uri="", dpi="")
