"""Hooks, with real programs: what they are told, and that none of them can do harm by the way it behaves."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from imm_tui import notifications
from imm_tui.arrivals import Arrival
from imm_tui.errors import Trouble
from imm_tui.history import History
from imm_tui.hooks import AT_ONCE, WAITING, Hooks, _Follower
from imm_tui.tasks import Conversion, now
from tests.mailbox import notification
from tests.program import until

KEEP = (
    "import json, os, sys, tempfile\n"
    "kept = {'news': json.load(sys.stdin), 'env': dict(os.environ)}\n"
    "name = tempfile.mkstemp(dir=sys.argv[1])[1]\n"
    "open(name, 'w').write(json.dumps(kept))\n"
    "os.rename(name, name + '.json')\n"
)
"""A program that keeps what it is told in a file of its own."""


def python(script: str, *arguments: object) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", script, *map(str, arguments)]


class Stage:
    """A history that somebody writes to, and the hooks that follow it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "history.db"
        self.history = History(self.path)
        self.troubles: list[Trouble] = []
        self._hooks: list[Hooks] = []

    def follow(self, **options: Any) -> Hooks:
        commands = {
            name: options.pop(name) for name in list(options) if name.startswith("on_") and name != "on_trouble"
        }
        hooks = Hooks(commands, self.path, on_trouble=self.troubles.append, **options)
        self._hooks.append(hooks)
        hooks.start()
        return hooks

    def submitted(self, task_id: str = "", batch: int | None = None, of: int | None = None) -> int:
        conversion = Conversion(source_uri="oss://b/季度 报告.docx", target_uri="oss://b/out/", target_type="png")
        task = self.history.record_intent(
            conversion, project="p", api_version="2017-09-06", token="t", at=now(), batch=batch, batch_size=of
        )
        if task_id:
            self.history.record_accepted(task, task_id, None)
        return task

    def ended(self, *task_ids: str, code: str = "NoError") -> None:
        bodies = [notification(task_id, code).encode() for task_id in task_ids]
        arrivals = [
            Arrival(message_id=f"M-{task_id}", body=body, events=notifications.parse(body).events)
            for task_id, body in zip(task_ids, bodies, strict=True)
        ]
        self.history.store(arrivals, now())

    @property
    def told(self) -> list[dict[str, Any]]:
        """What KEEP was told."""
        return [json.loads(file.read_text()) for file in self.folder.glob("*.json")]

    def close(self) -> None:
        for hooks in self._hooks:
            hooks.stop()
        self.history.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def runs(process: int) -> bool:
    """Whether it runs still; one that waits to be collected by its parent has ended."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


# What they are told


def test_each_hook_gets_its_tasks_as_json_and_no_key(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "a-secret")
    keep = python(KEEP, stage.folder)
    hooks = stage.follow(on_succeeded=keep, on_failed=keep)
    good, bad = stage.submitted("good"), stage.submitted("bad")
    stage.ended("good")
    stage.ended("bad", code="InvalidFile")
    hooks.finish()
    told = {it["news"]["task_id"]: it for it in stage.told}
    for number, task_id, event in ((good, "good", "succeeded"), (bad, "bad", "failed")):
        task = stage.history.task(number)
        assert task is not None
        assert told[task_id]["news"] == task.as_object()
        assert told[task_id]["env"]["IMM_TUI_EVENT"] == event
        assert told[task_id]["env"]["IMM_TUI_TASK_ID"] == task_id
        assert told[task_id]["env"]["PATH"] == os.environ["PATH"]
    assert "a-secret" not in json.dumps(stage.told)
    assert not stage.troubles


def test_a_task_is_told_once_and_not_when_it_had_ended_before(stage: Stage) -> None:
    stage.submitted("before")
    stage.ended("before")
    stage.submitted("then")
    hooks = stage.follow(on_succeeded=python(KEEP, stage.folder))
    stage.ended("then")
    until(lambda: len(stage.told) == 1)
    again = notification("then").replace("}", ', "seen": "again"}', 1).encode()
    for task_id in ("before", "then"):
        stage.ended(task_id)  # the same once more
        stage.ended(task_id, code="InvalidFile")  # and another event of a task that has ended
    stage.history.store([Arrival(message_id="N", body=again, events=notifications.parse(again).events)], now())
    hooks.finish()
    assert [it["news"]["task_id"] for it in stage.told] == ["then"]


def test_an_event_before_its_answer_is_told_once_with_the_source(stage: Stage) -> None:
    hooks = stage.follow(on_succeeded=python(KEEP, stage.folder))
    task = stage.submitted()
    stage.submitted("other")
    stage.ended("early")  # untracked: IMM has not answered
    stage.ended("other")
    until(lambda: len(stage.told) == 1)  # and by then it was seen
    stage.history.record_accepted(task, "early", None)
    hooks.finish()
    told = {it["news"]["task_id"]: it["news"]["source_uri"] for it in stage.told}
    assert told == dict.fromkeys(("early", "other"), "oss://b/季度 报告.docx")
    assert len(stage.told) == 2


def test_a_task_that_nobody_submitted_here_is_told_as_well_and_not_again_when_it_turns_out_to_be_ours(
    stage: Stage,
) -> None:
    hooks = stage.follow(on_succeeded=python(KEEP, stage.folder))
    stage.ended("foreign")
    until(lambda: len(stage.told) == 1)
    assert stage.told[0]["news"]["source_uri"] is None
    stage.history.record_accepted(stage.submitted(), "foreign", None)
    hooks.finish()
    assert len(stage.told) == 1


def test_a_batch_is_told_when_its_last_task_has_ended(stage: Stage) -> None:
    hooks = stage.follow(on_batch_done=python(KEEP, stage.folder))
    first = stage.submitted("b-1", batch=0, of=3)
    for number in (2, 3):
        stage.submitted(f"b-{number}", batch=first)
    stage.submitted("alone")
    stage.submitted("open", batch=0, of=1)
    stage.ended("b-1", "alone")
    stage.ended("b-2", code="InvalidFile")
    hooks.wake()
    stage.ended("b-3")
    until(lambda: len(stage.told) == 1)
    stage.ended("b-3", code="InvalidFile")  # later, and no end any more
    hooks.finish()
    (told,) = stage.told
    assert {name: told["news"][name] for name in ("batch", "total", "succeeded", "failed")} == {
        "batch": first,
        "total": 3,
        "succeeded": 2,
        "failed": 1,
    }
    assert [task["task_id"] for task in told["news"]["tasks"]] == ["b-1", "b-2", "b-3"]


def test_a_batch_whose_last_task_ends_while_it_is_looked_at_is_told_once(stage: Stage) -> None:
    with closing(History(stage.history.path)) as history:
        follower = _Follower(history)
        first = stage.submitted("b-1", batch=0, of=2)
        stage.submitted("b-2", batch=first)
        stage.ended("b-1")
        looking = follower.news(at_last=False)
        told = [next(looking)]
        stage.ended("b-2")
        told += [*looking, *follower.news(at_last=True)]
    assert sorted(call.hook for call in told) == ["on_batch_done", "on_succeeded", "on_succeeded"]


def test_a_batch_of_which_some_is_not_sent_yet_is_not_done(stage: Stage) -> None:
    keep = python(KEEP, stage.folder)
    hooks = stage.follow(on_batch_done=keep, on_succeeded=keep)
    first = stage.submitted("b-1", batch=0, of=3)
    stage.ended("b-1")
    until(lambda: len(stage.told) == 1)
    stage.submitted("b-2", batch=first)
    stage.ended("b-2")
    until(lambda: len(stage.told) == 2)
    stage.submitted("b-3", batch=first)
    stage.ended("b-3")
    hooks.finish()
    assert [it["news"]["total"] for it in stage.told if it["env"]["IMM_TUI_EVENT"] == "batch_done"] == [3]


def test_a_batch_that_was_cancelled_is_done_when_what_was_sent_has_ended(stage: Stage) -> None:
    stage.follow(on_batch_done=python(KEEP, stage.folder))
    first = stage.submitted("b-1", batch=0, of=3)
    stage.ended("b-1")
    stage.history.record_batch_ended(first)
    until(lambda: len(stage.told) == 1)
    assert stage.told[0]["news"]["total"] == 1


def test_of_two_on_one_history_one_starts_programs_and_the_other_takes_over(stage: Stage) -> None:
    keep = python(KEEP, stage.folder)
    one, other = [stage.follow(on_succeeded=keep) for _ in range(2)]
    stage.ended("first")
    until(lambda: len(stage.told) == 1)
    one.finish()
    names = (f"t-{number}" for number in count())

    def another_is_told() -> bool:
        stage.ended(next(names))
        return len(stage.told) > 1

    until(another_is_told)
    other.finish()
    told = [it["news"]["task_id"] for it in stage.told]
    assert told.count("first") == 1
    assert len(told) == len(set(told))


# What they may do


def test_a_program_that_hangs_is_ended_with_all_it_started(stage: Stage) -> None:
    hang = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(os.fork() or os.getpid(), file=open(sys.argv[1], 'a'), flush=True)\n"
        "time.sleep(600)\n"
    )
    pids = stage.folder / "pids"
    hooks = stage.follow(on_succeeded=python(hang, pids), limit=0.5)
    stage.submitted("one")
    stage.ended("one")
    hooks.finish()
    found = {int(word) for word in pids.read_text().split()}
    assert found
    until(lambda: not any(map(runs, found)))
    (trouble,) = stage.troubles
    assert "on_succeeded" in trouble.what
    assert "had not ended after 0.5 s" in trouble.why


def test_a_flood_of_output_is_neither_waited_for_nor_kept(stage: Stage) -> None:
    flood = (
        "import sys\n"
        "for stream in (sys.stdout, sys.stderr):\n"
        "    for _ in range(500): stream.write('x' * 100_000)\n"
        "sys.exit('\\nthe \\x1b[31mlast\\u202e line')\n"
    )
    hooks = stage.follow(on_failed=python(flood))
    stage.submitted("one")
    stage.ended("one", code="InvalidFile")
    hooks.finish()
    (trouble,) = stage.troubles
    assert trouble.why.endswith("ended with the exit code 1. It said: the ␛[31mlast\ufffd line")


def test_news_that_nobody_reads_hold_nothing_up(stage: Stage) -> None:
    hooks = stage.follow(on_batch_done=python("pass"), on_succeeded=python("import sys; sys.stdin.close()"))
    first = stage.submitted("b-0", batch=0)
    names = [f"b-{number}" for number in range(1, 400)]
    for name in names:
        stage.submitted(name, batch=first)
    stage.ended("b-0", *names)  # more than a pipe holds
    hooks.finish()
    assert not stage.troubles


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["/no/such/program"], "/no/such/program: No such file or directory."),
        (["/"], "/: Permission denied."),
        (["a\0b"], "a\0b: embedded null byte."),
        (python("import os; os.kill(os.getpid(), 9)"), f"{sys.executable} was ended by SIGKILL."),
        (python("import sys; sys.exit(3)"), f"{sys.executable} ended with the exit code 3."),
    ],
    ids=["not there", "no program", "no name", "killed", "exit code"],
)
def test_a_program_that_fails_is_told_once_however_often_it_does(stage: Stage, command: list[str], why: str) -> None:
    hooks = stage.follow(on_succeeded=command)
    names = [f"t-{number}" for number in range(12)]
    for name in names:
        stage.submitted(name)
    stage.ended(*names)
    hooks.finish()
    (trouble,) = stage.troubles
    assert trouble.why == why
    assert "[hooks]" in trouble.fix


def test_a_program_is_found_in_the_home_folder(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(stage.folder))
    program = stage.folder / "done.sh"
    program.write_text('#!/bin/sh\ncat > "$HOME/news.json"\n')
    program.chmod(0o700)
    hooks = stage.follow(on_succeeded=["~/done.sh"])
    stage.submitted("one")
    stage.ended("one")
    hooks.finish()
    assert json.loads((stage.folder / "news.json").read_text())["task_id"] == "one"


def test_many_at_once_are_all_told_and_few_run_at_the_same_time(stage: Stage) -> None:
    script = 'echo begin >> "$0"; read -r news; echo "$news" >> "$0.news"; echo end >> "$0"'
    log = stage.folder / "log"
    hooks = stage.follow(on_succeeded=["sh", "-c", script, str(log)])
    names = {f"t-{number}" for number in range(200)}
    for name in sorted(names):
        stage.submitted(name)
    stage.ended(*sorted(names))
    hooks.finish()
    assert {json.loads(news)["task_id"] for news in Path(f"{log}.news").read_text().splitlines()} == names
    at_once, most = 0, 0
    for word in log.read_text().split():
        at_once += 1 if word == "begin" else -1
        most = max(most, at_once)
    assert (at_once, most <= AT_ONCE) == (0, True)
    assert not stage.troubles


def test_more_than_can_wait_is_left_out_and_said_once(stage: Stage) -> None:
    hooks = stage.follow(on_succeeded=["sleep", "60"])
    stage.ended(*(f"t-{number}" for number in range(WAITING + AT_ONCE + 50)))
    until(lambda: bool(stage.troubles))
    hooks.stop()
    (trouble,) = stage.troubles
    assert "left out" in trouble.what


def test_at_the_end_no_program_is_left_and_none_is_started(stage: Stage) -> None:
    stubborn = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = os.fork() or os.getpid()\n"
        "open(sys.argv[1], 'a').write(f'{child}\\n')\n"
        "time.sleep(600)\n"
    )
    pids = stage.folder / "pids"
    hooks = stage.follow(on_succeeded=python(stubborn, pids))
    stage.ended(*(f"t-{number}" for number in range(20)))
    until(lambda: pids.exists() and len(pids.read_text().split()) == 2 * AT_ONCE)
    hooks.stop()
    found = {int(word) for word in pids.read_text().split()}
    until(lambda: not any(map(runs, found)))
    assert len(pids.read_text().split()) == 2 * AT_ONCE
    assert not stage.troubles


def test_without_hooks_nothing_is_started(tmp_path: Path) -> None:
    hooks = Hooks({}, tmp_path / "history.db")
    hooks.start()
    hooks.finish()
    hooks.stop()
    assert not (tmp_path / "history.db").exists()


def test_a_history_that_cannot_be_opened_at_first_is_followed_when_it_can(tmp_path: Path) -> None:
    later = tmp_path / "later"
    later.mkdir()
    hooks = Hooks({"on_succeeded": python(KEEP, later)}, later / "history.db")
    (later / "history.db").mkdir()
    hooks.start()
    (later / "history.db").rmdir()
    other = Stage(later)
    names = (f"t-{number}" for number in count())

    def one_is_told() -> bool:
        other.ended(next(names))
        return bool(other.told)

    until(one_is_told)
    hooks.stop()
    other.close()
