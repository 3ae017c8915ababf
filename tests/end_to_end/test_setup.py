"""`imm-tui setup`: from a key to a working profile, and back, on the emulator."""

from __future__ import annotations

import contextlib
import io
import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mns.account import Account
from mns.queue import QueueMeta
from mns.subscription import SubscriptionMeta
from mns.topic import TopicMessage

from tests.conftest import RunningEmulator
from tests.control import Control
from tests.mailbox import notification
from tests.program import Program
from tests.terminal import Terminal

PDF = "oss://demo/产品手册.pdf"
FOUND = ("IMM_TUI_PROJECT", "IMM_TUI_TOPIC", "IMM_TUI_QUEUE")
"""What a person who only has a key does not know yet."""

Viewer = Callable[..., Program]


@pytest.fixture
def viewer(fresh_emulator: RunningEmulator, tmp_path: Path) -> Iterator[Viewer]:
    """Makes viewers, each with a home, a name and nothing but the key and the endpoints of the account."""
    made = []

    def make(user: str = "ada") -> Program:
        program = Program(tmp_path / user, {name: it for name, it in fresh_emulator.env.items() if name not in FOUND})
        file = str(program.home / "config.toml")
        program.environment |= {"IMM_TUI_CONFIG": file, "USER": user, "IMM_TUI_TOPIC": "events"}
        made.append(program)
        return program

    yield make
    for program in made:
        program.close()


class Console:
    """The account as its owner sees it, with the vendor's SDK."""

    def __init__(self, emulator: RunningEmulator) -> None:
        self._account = Account(emulator.endpoint, emulator.access_key_id, emulator.access_key_secret)

    @property
    def names(self) -> tuple[list[str], list[str]]:
        """All queues, and all topics."""
        found = (self._quietly(call, "", 100)[0] for call in (self._account.list_queue, self._account.list_topic))
        queues, topics = (sorted(url.rpartition("/")[2] for url in urls) for urls in found)
        return queues, topics

    def create_queue(self, name: str) -> None:
        self._quietly(self._quietly(self._account.get_queue, name).create, QueueMeta())

    def publish(self, topic: str, body: str) -> None:
        self._quietly(self._quietly(self._account.get_topic, topic).publish_message, TopicMessage(body))

    def subscribe(self, topic: str, name: str, endpoint: str) -> None:
        there = self._quietly(self._account.get_topic, topic)
        self._quietly(there.get_subscription(name).subscribe, SubscriptionMeta(endpoint))

    def _quietly(self, call: Any, *arguments: Any) -> Any:
        with contextlib.redirect_stdout(io.StringIO()):  # the SDK prints the secret at every request
            return call(*arguments)

    def close(self) -> None:
        self._account.get_client().close_connection()


@pytest.fixture
def console(fresh_emulator: RunningEmulator) -> Iterator[Console]:
    console = Console(fresh_emulator)
    yield console
    console.close()


def profile(program: Program, name: str = "default") -> dict[str, Any]:
    document = tomllib.loads((program.home / "config.toml").read_text(encoding="utf-8"))
    values: dict[str, Any] = document["profiles"][name]
    return values


def made(program: Program) -> str:
    """What is written down as made by this viewer, in small letters."""
    record = program.data / "setup.json"
    return " ".join(it["kind"] for it in json.loads(record.read_text())["parts"]) if record.exists() else ""


def test_with_nothing_but_a_key_it_makes_a_profile_that_works(viewer: Viewer) -> None:
    ada = viewer()
    run = ada("setup", "--yes")
    assert run.code == 0, run
    assert [line.split()[2] for line in run.lines if line.startswith("✔ created")] == ["topic", "queue", "subscription"]
    assert profile(ada)["project"] == "GetResult-ByNotify-Demo"
    assert not [value for value in profile(ada).values() if value == ada.environment["ALIBABA_CLOUD_ACCESS_KEY_ID"]]
    assert ada("smoke", "--source", PDF).code == 0


@pytest.mark.parametrize("version", ["2017-09-06", "2020-09-30"])
def test_either_version_of_the_api_is_set_up(viewer: Viewer, version: str) -> None:
    ada = viewer()
    assert ada("setup", "--yes", "--api-version", version).code == 0
    assert profile(ada)["api_version"] == version
    assert ada("smoke", "--source", PDF).code == 0


def test_a_second_run_finds_nothing_to_do(viewer: Viewer, console: Console) -> None:
    ada = viewer()
    ada("setup", "--yes")
    before, text = console.names, (ada.home / "config.toml").read_text()
    run = ada("setup", "--yes")
    assert (run.code, run.lines[-1]) == (0, "Everything is there. Nothing is to be done.")
    assert console.names == before
    assert (ada.home / "config.toml").read_text() == text


def test_a_private_queue_stays_the_one_that_was_made_whatever_the_machine_is_called_by_then(viewer: Viewer) -> None:
    ada = viewer()
    ada("setup", "--yes")
    ada.environment["USER"] = "ada-in-another-network"
    run = ada("setup", "--yes", "--private")
    assert (run.code, run.lines[-1]) == (0, "Everything is there. Nothing is to be done.")


def test_two_viewers_of_one_project_both_see_all_of_a_thousand_events(viewer: Viewer, console: Console) -> None:
    both = [viewer("ada"), viewer("grace")]
    both[1].environment["USER"] = "ada"  # two machines often have the same name and the same user
    for program in both:
        assert program("setup", "--yes").code == 0
    assert profile(both[0])["topic"] == profile(both[1])["topic"]
    assert profile(both[0])["queue"] != profile(both[1])["queue"]
    watching = [program.start("watch", "--json", "--count", "1000") for program in both]
    for number in range(1000):
        console.publish(profile(both[0])["topic"], notification(f"task-{number}"))
    for program, process in zip(both, watching, strict=True):
        seen = [event["task_id"] for event in program.finish(process).objects if not event["duplicate"]]
        assert sorted(seen) == sorted(f"task-{number}" for number in range(1000))


def test_removal_leaves_exactly_what_was_there_before(viewer: Viewer, console: Console) -> None:
    before = console.names
    ada = viewer()
    ada("setup", "--yes")
    assert console.names != before
    asked = ada("setup", "--remove")
    assert asked.code == 2
    assert "--yes" in asked.err
    assert ada("setup", "--remove", "--yes").code == 0
    assert console.names == before
    assert {"topic", "queue"}.isdisjoint(profile(ada))
    assert not (ada.data / "setup.json").exists()
    assert "Nothing was made here" in ada("setup", "--remove", "--yes").out


def test_removal_leaves_what_was_there_before_and_a_topic_that_others_watch(viewer: Viewer, console: Console) -> None:
    ada, grace = viewer("ada"), viewer("grace")
    ada("setup", "--yes")
    grace("setup", "--yes")
    told = ada("setup", "--remove", "--yes").out
    assert "= keep     topic" in told
    assert profile(grace)["topic"] in console.names[1]
    assert profile(grace)["queue"] in console.names[0]
    assert grace("smoke", "--source", PDF).code == 0


def test_what_wins_over_the_file_is_told(viewer: Viewer, fresh_emulator: RunningEmulator) -> None:
    ada = viewer()
    ada.environment["IMM_TUI_QUEUE"] = fresh_emulator.queue
    assert "IMM_TUI_QUEUE" not in ada("setup", "--dry-run").out
    assert f"! IMM_TUI_QUEUE says {fresh_emulator.queue}" in ada("setup", "--dry-run", "--private").out


def test_a_queue_that_somebody_else_made_is_not_taken_for_ones_own(viewer: Viewer, console: Console) -> None:
    ada = viewer()
    (line,) = [line for line in ada("setup", "--dry-run").lines if "+ create   queue" in line]
    theirs = line.split()[-1]
    console.create_queue(theirs)
    assert ada("setup", "--yes").code == 0
    assert profile(ada)["queue"] != theirs
    assert ada("setup", "--remove", "--yes").code == 0
    assert theirs in console.names[0]


def test_an_existing_queue_is_used_and_survives_the_removal(
    viewer: Viewer, fresh_emulator: RunningEmulator, console: Console
) -> None:
    ada = viewer()
    theirs = ("--topic", fresh_emulator.topic, "--queue", fresh_emulator.queue)
    run = ada("setup", "--yes", *theirs)
    assert run.out.count("= there") == 3
    assert profile(ada)["queue"] == fresh_emulator.queue
    assert "Nothing was made here" in ada("setup", "--remove", "--yes").out
    assert fresh_emulator.queue in console.names[0]
    assert ada("setup", "--yes", "--private").code == 0
    assert profile(ada)["queue"] != fresh_emulator.queue
    assert ada("smoke", "--source", PDF).code == 0


@pytest.mark.parametrize("denied", ["CreateTopic", "CreateQueue", "Subscribe"])
def test_a_refusal_prints_the_policy_and_the_next_run_goes_on_from_there(
    viewer: Viewer, fresh_emulator: RunningEmulator, control: Control, denied: str, console: Console
) -> None:
    ada = viewer()
    control.fault("error", service="mns", operation=denied, status=403, code="AccessDenied")
    run = ada("setup", "--yes")
    assert run.code == 5
    policy = json.loads(run.lines[-1])
    granted = [action for statement in policy["Statement"] for action in statement["Action"]]
    assert {f"mns:{denied}", "mns:ReceiveMessage", "imm:CreateOfficeConversionTask"} <= set(granted)
    assert not (ada.home / "config.toml").exists()
    assert denied.removeprefix("Create").lower() not in made(ada)
    control.clear()
    assert ada("setup", "--yes").code == 0
    assert ada("setup", "--remove", "--yes").code == 0
    assert console.names == ([fresh_emulator.queue], [fresh_emulator.topic])


def test_what_somebody_else_made_after_a_refusal_is_theirs(viewer: Viewer, control: Control, console: Console) -> None:
    ada = viewer()
    control.fault("error", service="mns", operation="CreateQueue", status=403, code="AccessDenied")
    assert ada("setup", "--yes", "--queue", "teams-queue").code == 5
    control.clear()
    console.create_queue("teams-queue")
    assert "= there    queue teams-queue" in ada("setup", "--yes", "--queue", "teams-queue").out
    assert ada("setup", "--remove", "--yes").code == 0
    assert "teams-queue" in console.names[0]


def test_what_was_made_although_no_answer_came_can_be_taken_away(
    viewer: Viewer, fresh_emulator: RunningEmulator, control: Control, console: Console
) -> None:
    ada = viewer()
    control.fault("cut-after", service="mns", operation="CreateQueue")
    assert ada("setup", "--yes").code == 5
    control.clear()
    assert "= there    queue" in ada("setup", "--yes").out
    assert ada("setup", "--remove", "--yes").code == 0
    assert console.names == ([fresh_emulator.queue], [fresh_emulator.topic])


def test_what_was_made_at_two_endpoints_is_all_taken_away(
    viewer: Viewer, fresh_emulator: RunningEmulator, control: Control, console: Console
) -> None:
    ada = viewer()
    before = console.names
    elsewhere = fresh_emulator.endpoint.replace("127.0.0.1", "localhost")
    assert ada("setup", "--yes", "--queue", "first").code == 0
    assert ada("setup", "--yes", "--queue", "second", "--mns-endpoint", elsewhere).code == 0
    control.fault("error", service="mns", operation="DeleteQueue", status=403, code="AccessDenied")
    denied = ada("setup", "--remove", "--yes", "--queue", "neither")
    assert denied.code == 5
    resources = [it for statement in json.loads(denied.lines[-1])["Statement"] for it in statement["Resource"]]
    assert {arn.rpartition("/")[2] for arn in resources if "queues" in arn} == {"first", "second"}
    control.clear()
    assert ada("setup", "--remove", "--yes").code == 0
    assert console.names == before


def test_the_only_topic_there_is_is_taken_and_said(viewer: Viewer, fresh_emulator: RunningEmulator) -> None:
    ada = viewer()
    del ada.environment["IMM_TUI_TOPIC"]
    run = ada("setup", "--yes")
    assert (run.code, profile(ada)["topic"]) == (0, fresh_emulator.topic)
    assert f"{fresh_emulator.topic}. Nobody was asked; --topic names another." in run.err


def test_nothing_is_made_where_the_profile_cannot_be_written(viewer: Viewer, console: Console) -> None:
    ada, before = viewer(), console.names
    run = ada("setup", "--yes", "--config", str(ada.home / ("c" * 254)))
    assert (run.code, console.names) == (2, before)
    assert "cannot be used" in run.err


def test_a_subscription_in_the_way_is_told_and_left_alone(
    viewer: Viewer, fresh_emulator: RunningEmulator, console: Console
) -> None:
    ada = viewer()
    ada("setup", "--yes")
    own = profile(ada)
    # The queue's name, but another subscription: of the same topic, to the emulator's own queue.
    other = f"acs:mns:{fresh_emulator.region}:{fresh_emulator.account_id}:queues/{fresh_emulator.queue}"
    console.subscribe(own["topic"], "mine", other)
    run = ada("setup", "--yes", "--queue", "mine")
    assert run.code == 2
    assert "has a subscription mine already" in run.err
    assert "mine" not in console.names[0]


def test_a_project_that_is_not_there_is_told_with_those_that_are(viewer: Viewer) -> None:
    ada = viewer()
    run = ada("setup", "--yes", "--project", "no-such")
    assert run.code == 2
    assert "GetResult-ByNotify-Demo" in run.err


def test_a_named_project_is_found_by_a_key_that_may_not_list_any(viewer: Viewer, control: Control) -> None:
    control.fault("error", service="imm", operation="ListProjects", status=403, code="Forbidden.RAM")
    ada = viewer()
    denied = ada("setup", "--yes")
    assert (denied.code, "imm:ListProjects" in denied.lines[-1]) == (5, True)
    assert ada("setup", "--yes", "--project", "GetResult-ByNotify-Demo").code == 0


def test_a_refusal_of_one_version_is_not_told_as_there_being_no_project(viewer: Viewer, control: Control) -> None:
    control.fault("error", service="imm", operation="GetProject", status=403, code="Forbidden.RAM", count=1)
    run = viewer()("setup", "--yes", "--project", "no-such")
    assert (run.code, "imm:GetProject" in run.lines[-1]) == (5, True)


def test_a_region_without_one_of_the_versions_is_set_up_in_the_other(viewer: Viewer, control: Control) -> None:
    ada = viewer()
    for operation, flags in (("GetProject", ["--project", "no-such"]), ("ListProjects", [])):
        control.fault("error", service="imm", operation=operation, status=400, code="InvalidVersion", count=1)
        run = ada("setup", "--dry-run", *flags)
        assert (run.code, "There is no project no-such" in run.err) == ((2, True) if flags else (0, False))
        control.clear()


def test_what_setup_does_not_decide_stays_in_the_file(viewer: Viewer) -> None:
    ada = viewer()
    hers = 'aliyun_profile = "hers"  # beside the key of the environment'
    (ada.home / "config.toml").write_text(f"[profiles.default]\n{hers}\n")
    assert ada("setup", "--yes").code == 0
    assert hers in (ada.home / "config.toml").read_text()


def test_what_a_person_wrote_into_the_file_stays_and_a_dry_run_changes_nothing(
    viewer: Viewer, console: Console
) -> None:
    ada = viewer()
    mine = '# mine\n[hooks]\non_failed = ["notify-send"]  # loud\n'
    (ada.home / "config.toml").write_text(mine)
    before = console.names
    run = ada("setup", "--dry-run", "--profile", "work")
    assert (run.code, "+ create   queue" in run.out) == (0, True)
    assert console.names == before
    assert (ada.home / "config.toml").read_text() == mine
    run = ada("setup", "--yes", "--profile", "work")
    assert run.code == 0
    file = ada.home / "config.toml"
    assert f"`imm-tui doctor --profile work --config {file}`" in run.lines[-1]
    assert (ada.home / "config.toml").read_text().count("# loud") == 1
    assert ada("smoke", "--source", PDF).code == 0  # the first profile is the one that is used


def test_a_read_only_profile_makes_nothing(viewer: Viewer, console: Console) -> None:
    before = console.names
    ada = viewer()
    run = ada("setup", "--yes", "--read-only")
    assert run.code == 2
    assert "read-only" in run.err
    assert console.names == before
    assert not made(ada)
    assert "read-only" in ada("setup", "--read-only").err  # before anybody is asked
    assert ada("setup", "--read-only", "--dry-run").code == 0


def test_in_a_terminal_it_asks_what_cannot_be_found(viewer: Viewer) -> None:
    ada = viewer()
    del ada.environment["IMM_TUI_REGION"], ada.environment["IMM_TUI_TOPIC"]
    with Terminal(ada, "setup") as terminal:
        terminal.until_read("Which region")
        terminal.press("nowhere\r")
        terminal.until_read("Answer with a number")
        terminal.press("cn-beijing\r")
        terminal.until_read("(new)")
        terminal.until_read("Which topic")
        terminal.press("\r")
        terminal.until_read("Create and write this? [y/N]")
        terminal.press("n\r")
        terminal.until_read("Nothing was changed.")
    assert not (ada.home / "config.toml").exists()
