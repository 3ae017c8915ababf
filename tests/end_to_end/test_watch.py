"""`imm-tui watch`: events from a real queue, one line each."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess

import pytest

from tests.cloud.servers import Service, then_close
from tests.mailbox import Mailbox, notification
from tests.program import Program, until

DEAD_PORT = "http://127.0.0.1:9"

EVENT = [
    "message_id",
    "task_id",
    "event_name",
    "status",
    "percent",
    "page_count",
    "code",
    "event_time",
    "received_at",
    "duplicate",
]


def first_line(process: subprocess.Popen[bytes]) -> bytes:
    """What it prints first, as soon as it does; it runs on."""
    assert process.stdout is not None
    return process.stdout.readline()


def watching(program: Program, mailbox: Mailbox, *arguments: str) -> subprocess.Popen[bytes]:
    """A watch that is known to listen: it has printed the event of task `first`."""
    process = program.start("watch", "--json", *arguments)
    mailbox.publish(notification("first"))
    assert json.loads(first_line(process))["task_id"] == "first"
    return process


# What it prints


def test_an_event_says_what_its_message_said(program: Program, mailbox: Mailbox) -> None:
    mailbox.publish(notification("t-1"))
    run = program("watch", "--count", "1", "--json")
    event = run.object
    assert list(event) == EVENT
    assert event["message_id"]
    assert event["received_at"].endswith("Z")
    said = ("t-1", "FormatConvertJob:JobFinished", "Succeeded", 100, 5, "NoError", "2018-11-14T09:51:20.342Z", False)
    assert tuple(event[key] for key in EVENT if key not in ("message_id", "received_at")) == said
    assert (run.code, run.err) == (0, "")


def test_people_read_one_line_an_event(program: Program, mailbox: Mailbox) -> None:
    mailbox.publish(notification("t-1"), notification("t-2", "OpenFileError"))
    first, second = program("watch", "--count", "2").lines
    assert "Succeeded" in first
    assert "5 p" in first
    assert "t-2" in second
    assert "OpenFileError" in second


def test_it_ends_well_whatever_became_of_the_tasks(program: Program, mailbox: Mailbox) -> None:
    mailbox.publish(notification("t-1", "OpenFileError"))
    assert program("watch", "--count", "1").code == 0


def test_an_event_that_comes_again_is_printed_as_a_duplicate(program: Program, mailbox: Mailbox) -> None:
    mailbox.publish(notification("t-1"), notification("t-1"))
    events = program("watch", "--count", "2", "--json").objects
    assert [event["duplicate"] for event in events] == [False, True]
    assert len({event["message_id"] for event in events}) == 2
    assert program("tasks", "--json").object["events"] == 1


def test_a_message_that_cannot_be_read_is_reported_once_and_left(program: Program, mailbox: Mailbox) -> None:
    mailbox.publish("\u202e not IMM's \x85")
    run = program("watch", "--idle-exit", "0", "--json")
    assert list(run.object) == ["message_id", "quarantined", "reason", "received_at"]
    assert run.object["quarantined"] is True
    assert run.object["reason"]
    assert run.code == 0
    assert mailbox.left == (0, 1)
    assert program("watch", "--idle-exit", "0").out == ""


def test_a_hostile_event_is_shown_tame_to_people_and_whole_to_programs(program: Program, mailbox: Mailbox) -> None:
    hostile = "t-\x1b]0;pwned\x07\x9b2J\u202e"
    mailbox.publish(notification(hostile))
    watched = program("watch", "--count", "1")  # Program looks for control characters
    assert "␛]0;pwned␇" in watched.out
    mailbox.publish(notification(hostile))
    assert program("watch", "--count", "1", "--json").object["task_id"] == hostile


# When it ends


def test_a_batch_is_never_cut_and_nothing_is_received_after_the_last_event(program: Program, mailbox: Mailbox) -> None:
    mailbox.publish(*(notification(f"t-{number}") for number in range(20)))
    events = program("watch", "--count", "3", "--json").objects
    assert 3 <= len(events) <= 16
    assert mailbox.left == (20 - len(events), 0)
    rest = program("watch", "--idle-exit", "0", "--json").objects
    assert {event["task_id"] for event in events + rest} == {f"t-{number}" for number in range(20)}
    assert len(events) + len(rest) == 20


def test_while_nobody_reads_what_is_printed_nothing_more_is_received(program: Program, mailbox: Mailbox) -> None:
    long = "x" * 5000  # sixteen of these are more than a pipe holds
    for number in range(20):
        mailbox.publish(notification(f"{number}-{long}"))
    process = program.start("watch", "--json", "--count", "1")
    until(lambda: mailbox.left == (4, 0))
    assert {mailbox.left for _ in range(100)} == {(4, 0)}
    assert len(program.finish(process).lines) == 16
    assert mailbox.left == (4, 0)


def test_an_unreadable_message_is_no_event_that_counts(program: Program, mailbox: Mailbox) -> None:
    mailbox.publish("not IMM's", notification("t-1"))
    assert len(program("watch", "--count", "1", "--json").lines) == 2


def test_it_ends_when_the_queue_has_stayed_empty(program: Program) -> None:
    run = program("watch", "--idle-exit", "1")
    assert (run.code, run.out, run.err) == (0, "", "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_it_during_a_long_poll(
    program: Program, mailbox: Mailbox, number: signal.Signals, code: int
) -> None:
    process = watching(program, mailbox)
    process.send_signal(number)
    run = program.finish(process)
    assert (run.code, run.out, run.err) == (code, "", "")


def test_a_reader_that_leaves_ends_it(program: Program, mailbox: Mailbox) -> None:
    process = watching(program, mailbox)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    mailbox.publish(notification("t-2"))
    with process:
        assert process.stderr.read() == b""
    assert process.returncode == 141


# Several on one history


def test_another_process_prints_what_the_first_receives(program: Program, mailbox: Mailbox) -> None:
    first = watching(program, mailbox)
    second = program.start("watch", "--json", "--count", "1")
    published = 0
    while second.poll() is None:  # it prints what comes once it looks
        published += 1
        mailbox.publish(notification(f"t-{published}"))
        with contextlib.suppress(subprocess.TimeoutExpired):
            second.wait(0.2)
    seen = program.finish(second).objects
    first.send_signal(signal.SIGTERM)
    received = program.finish(first).objects
    assert seen
    assert [event for event in received if event in seen] == seen


def test_when_the_first_ends_another_one_receives(program: Program, mailbox: Mailbox) -> None:
    first = watching(program, mailbox)
    second = program.start("watch", "--json", "--count", "1")
    first.kill()
    first.communicate()
    mailbox.publish(notification("t-2"))
    assert program.finish(second).object["task_id"] == "t-2"


# What goes wrong


def test_without_a_key_nothing_is_asked(program: Program) -> None:
    run = program("watch", ALIBABA_CLOUD_ACCESS_KEY_ID=None)
    assert (run.code, run.out) == (4, "")


def test_without_a_queue_it_says_which_setting_is_missing(program: Program) -> None:
    run = program("watch", IMM_TUI_QUEUE=None)
    assert (run.code, len(run.err.splitlines())) == (2, 1)
    assert "--queue" in run.err


@pytest.mark.parametrize(
    ("variable", "value"),
    [("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong"), ("IMM_TUI_QUEUE", "no-such-queue")],
)
def test_a_refusal_that_no_retry_mends_ends_it(program: Program, variable: str, value: str) -> None:
    run = program("watch", **{variable: value})  # type: ignore[arg-type]
    assert (run.code, run.out, len(run.err.splitlines())) == (5, "", 1)
    assert "RequestId" in run.err


def test_a_trouble_that_passes_is_said_once_and_survived(program: Program, mailbox: Mailbox) -> None:
    with Service(then_close()) as cut:
        process = program.start("watch", "--json", "--idle-exit", "0", IMM_TUI_MNS_ENDPOINT=cut.url)
        for _ in range(2):
            assert cut.closed.acquire(timeout=30)
        process.send_signal(signal.SIGTERM)
        run = program.finish(process)
    assert run.code == 143
    assert len(run.err.splitlines()) == 1


# Hooks


def hooks(program: Program, **commands: list[str]) -> None:
    """Writes a config.toml with these hooks, which the program reads from then on."""
    file = program.home / "config.toml"
    file.write_text("[hooks]\n" + "".join(f"{name} = {json.dumps(words)}\n" for name, words in commands.items()))
    program.environment["IMM_TUI_CONFIG"] = str(file)


def test_it_waits_for_its_hooks_before_it_ends(program: Program, mailbox: Mailbox) -> None:
    told = program.home / "told"
    script = 'sleep 0.3; cat >> "$0"; env | grep -c "^ALIBABA_CLOUD_" >> "$0"'
    hooks(program, on_succeeded=["sh", "-c", script, str(told)], on_failed=["/no/such/program"])
    mailbox.publish(notification("t-1"))
    mailbox.publish(notification("t-2", "InvalidFile"))
    run = program("watch", "--count", "2", "--json")
    assert run.code == 0
    news, keys = told.read_text().splitlines()
    assert json.loads(news)["task_id"] == "t-1"
    assert keys == "0", "a hook is given no key"
    assert "on_failed" in run.err
    assert "No such file" in run.err


def test_a_hook_that_runs_is_ended_when_it_is_interrupted(program: Program, mailbox: Mailbox) -> None:
    pid = program.home / "pid"
    hooks(program, on_succeeded=["sh", "-c", 'echo $$ > "$0.new"; mv "$0.new" "$0"; sleep 600', str(pid)])
    process = watching(program, mailbox)
    until(pid.exists)
    process.send_signal(signal.SIGINT)
    assert program.finish(process).code == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_hook_that_is_no_list_is_refused_before_anything_is_done(program: Program, mailbox: Mailbox) -> None:
    file = program.home / "config.toml"
    file.write_text('[hooks]\non_failed = "notify-send failed"\n')
    run = program("watch", "--config", str(file))
    assert run.code == 2
    assert 'on_failed = ["notify-send", "failed"]' in run.err
