"""The way of a task, step by step, and how long each step took."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imm_tui.history import Message
from imm_tui.tasks import Status, Task, rfc3339
from imm_tui.timeline import Stage, Step, longest, steps

BEGAN = 1_795_000_000_000


def task(**known: object) -> Task:
    return Task(**({"id": 1, "task_id": "t-1", "status": Status.RUNNING, "seen_at": BEGAN} | known))  # type: ignore[arg-type]


def message(received: int, *, happened: int | None = None, asked: bool = False, **known: int) -> Message:
    """Times are milliseconds after BEGAN."""
    return Message(
        message_id=f"M-{received}",
        body=b"",
        received_at=BEGAN + received,
        times=1,
        asked=asked,
        event_name="Event",
        event_time=None if happened is None else rfc3339(BEGAN + happened),
        **{name: BEGAN + at for name, at in known.items()},
    )


def told(found: list[Step]) -> list[str]:
    return [f"{step.stage} {step.gap:+}" + (f" since {step.since}" if step.since else "") for step in found]


def test_every_stage_is_measured_from_the_one_before() -> None:
    ended = task(status=Status.SUCCEEDED, submitted_at=BEGAN, accepted_at=BEGAN + 120, finished_at=BEGAN + 2_000)
    came = message(2_050, happened=2_000, enqueued_at=2_030, stored_at=2_054, deleted_at=2_090)
    assert told(steps(ended, [came])) == [
        "submitted +0",
        "accepted +120 since submitted",
        "finished +1880 since accepted",
        "published +30 since finished",
        "received +20 since published",
        "stored +4 since received",
        "deleted +36 since stored",
    ]


def test_what_is_not_known_is_left_out_and_the_gap_reaches_over_it() -> None:
    ended = task(status=Status.SUCCEEDED, submitted_at=BEGAN, finished_at=BEGAN + 2_000)
    assert told(steps(ended, [message(2_050, happened=2_000)])) == [
        "submitted +0",
        "finished +2000 since submitted",
        "received +50 since finished",
    ]


def test_events_stand_in_the_order_in_which_they_happened_whatever_came_first() -> None:
    ended = task(status=Status.SUCCEEDED, submitted_at=BEGAN, accepted_at=BEGAN + 100, finished_at=BEGAN + 3_000)
    found = steps(ended, [message(3_100, happened=3_000), message(9_000, happened=1_000)])
    assert told(found) == [
        "submitted +0",
        "accepted +100 since submitted",
        "reported +900 since accepted",
        "received +8000 since reported",
        "finished +2000 since reported",
        "received +100 since finished",
    ]


def test_an_event_that_came_before_the_answer_is_measured_from_the_submission() -> None:
    ended = task(status=Status.SUCCEEDED, submitted_at=BEGAN, accepted_at=BEGAN + 700, finished_at=BEGAN + 300)
    assert told(steps(ended, [message(400, happened=300)])) == [
        "submitted +0",
        "finished +300 since submitted",
        "received +100 since finished",
        "accepted +700 since submitted",
    ]


def test_two_clocks_that_disagree_give_a_negative_gap_and_do_not_change_the_order() -> None:
    ended = task(status=Status.FAILED, submitted_at=BEGAN, accepted_at=BEGAN + 100, finished_at=BEGAN - 4_000)
    found = steps(ended, [message(900, happened=-4_000, enqueued_at=800)])
    assert [step.stage for step in found] == ["submitted", "accepted", "finished", "published", "received"]
    assert [step.gap for step in found] == [0, 100, -4_100, 4_800, 100]


def test_a_refused_submission_ends_with_the_refusal() -> None:
    refused = task(task_id=None, status=Status.FAILED, submitted_at=BEGAN, finished_at=BEGAN + 80)
    assert told(steps(refused, [])) == ["submitted +0", "refused +80 since submitted"]


def test_an_untracked_task_begins_with_its_event() -> None:
    assert told(steps(task(), [message(50, happened=0)])) == ["reported +0", "received +50 since reported"]


def test_what_imm_says_when_asked_is_a_step_and_the_time_of_an_unfinished_task_is_none() -> None:
    running = task(submitted_at=BEGAN, asks=2, asked_at=BEGAN + 90_000)
    assert told(steps(running, [message(60_000, happened=5, asked=True)])) == [
        "submitted +0",
        "asked +60000 since submitted",
        "asked +90000 since submitted",
    ]


def test_the_end_that_was_learned_by_asking_comes_before_the_answer() -> None:
    asked_at = BEGAN + 60_000
    ended = task(status=Status.SUCCEEDED, submitted_at=BEGAN, finished_at=BEGAN + 2_000, asks=1, asked_at=asked_at)
    assert told(steps(ended, [message(60_000, happened=2_000, asked=True)])) == [
        "submitted +0",
        "finished +2000 since submitted",
        "asked +58000 since finished",
    ]


def test_the_longest_gap_is_the_longest_wait() -> None:
    ended = task(submitted_at=BEGAN, accepted_at=BEGAN + 100)
    found = steps(ended, [message(900, happened=-4_000), message(950, happened=500)])
    slowest = longest(found)
    assert slowest is not None
    assert (slowest.stage, slowest.gap) == (Stage.RECEIVED, 4_900)
    assert longest(steps(task(), [])) is None


times = st.integers(-(10**6), 10**6)
messages = st.lists(
    st.builds(
        message,
        times,
        happened=st.none() | times,
        asked=st.booleans(),
        enqueued_at=times,
        stored_at=times,
        deleted_at=times,
    ),
    max_size=6,
)
stamp = st.none() | times.map(lambda at: BEGAN + at)
tasks = st.builds(
    task,
    status=st.sampled_from(Status),
    submitted_at=stamp,
    accepted_at=stamp,
    finished_at=stamp,
    asked_at=stamp,
)


@given(tasks, messages)
def test_every_step_but_the_first_has_its_cause_above_it_and_its_gap_from_there(
    task: Task, messages: list[Message]
) -> None:
    found = steps(task, messages)
    for place, step in enumerate(found):
        if step.since is None:
            assert step.gap == 0
        else:
            above = [(before.stage, before.at) for before in found[:place]]
            assert (step.since, step.at - step.gap) in above
    received = [step.at for step in found if step.stage is Stage.RECEIVED]
    assert sorted(received) == sorted(it.received_at for it in messages if not it.asked)
