"""Nothing from outside gives orders to the terminal: the places round the list and the detail."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imm_tui import preferences
from imm_tui.history import History
from imm_tui.tasks import Event, Status, now
from tests.cloud.servers import Service, answer
from tests.injection import (
    HURRIED,
    NUMBERED,
    PATHS,
    SHORT,
    arrival,
    conversion,
    groups,
    is_text,
    marked,
    orders,
    paste,
    paste_and_clear,
    quarantine,
    quit_,
    screen,
    squeezed,
    submitted,
    until_proven,
)
from tests.payloads import Payload
from tests.program import Program
from tests.terminal import F5, Terminal

TEXTS = [(number, payload) for number, payload in SHORT if is_text(payload)]
LINES = [(number, payload) for number, payload in TEXTS if len(payload.text.splitlines()) == 1]
"""Of one line; what is kept as JSON, or pasted, is text at least."""


def marks(proofs: list[str]) -> list[str]:
    """Only the marks: for where a payload is written in another way, or its end is not shown."""
    return [words[:5] for words in proofs]


def with_preferences(program: Program, **chosen: Any) -> None:
    preferences.save(program.data / "preferences.json", preferences.Preferences(**chosen))


def parts(place: str, payloads: list[tuple[int, Payload]], size: int) -> Iterator[list[tuple[int, str]]]:
    """Marked payloads, `size` at a time."""
    texts = [(number, marked(place, number, payload)) for number, payload in payloads]
    yield from (texts[at : at + size] for at in range(0, len(texts), size))


def to_the_detail(terminal: Terminal) -> None:
    terminal.press("\r")
    terminal.until_read("esc back")


def to_the_list(terminal: Terminal) -> None:
    terminal.press("\x1b")
    terminal.until(lambda: "esc back" not in terminal.text)


def next_task(terminal: Terminal, name: str) -> None:
    """From the list."""
    terminal.press("j")
    terminal.until(lambda: f"─ {name} ─" in terminal.text)


# The detail


def test_a_request_is_only_shown_in_each_of_its_forms(configured: Program, own_orders: set[str]) -> None:
    requests = list(parts("pa", SHORT, 7))
    with History(configured.data / "history.db") as history:
        for number, texts in reversed(list(enumerate(requests))):
            parameters = {f"key{at:03}{text}": text for at, text in texts}
            submitted(history, f"task-{number}", f"{number}.docx", parameters)
    with screen(configured) as terminal:
        terminal.until_read("oss://bucket/0.docx")
        to_the_detail(terminal)
        terminal.press("4")
        for number, texts in enumerate(requests):
            wanted = [f"{place}{at:03}" for place in ("key", "pa") for at, _ in texts]
            for words in ("Action", "aliyun imm Create", "import os"):
                until_proven(terminal, [squeezed(words), *wanted])
                terminal.press("c")
            if number + 1 < len(requests):
                to_the_list(terminal)
                next_task(terminal, f"{number + 1}.docx")
                to_the_detail(terminal)
        quit_(terminal)
    assert orders(terminal.written) <= own_orders


def test_a_timeline_only_shows_what_events_are_called(configured: Program, own_orders: set[str]) -> None:
    timelines = list(parts("ev", NUMBERED, 12))
    with History(configured.data / "history.db") as history:
        for number, texts in reversed(list(enumerate(timelines))):
            submitted(history, f"task-{number}", f"{number}.docx")
            for at, text in texts:
                event = Event(task_id=f"task-{number}", name=text, status=Status.RUNNING, time=text)
                history.store([arrival(f"message-{at}", event)], now())
    with screen(configured) as terminal:
        terminal.until_read("oss://bucket/0.docx")
        to_the_detail(terminal)
        terminal.press("3")
        for number, texts in enumerate(timelines):
            until_proven(terminal, [f"ev{at:03}" for at, _ in texts])
            if number + 1 < len(timelines):
                to_the_list(terminal)
                next_task(terminal, f"{number + 1}.docx")
                to_the_detail(terminal)
        quit_(terminal)
    assert orders(terminal.written) <= own_orders


def test_a_code_that_the_glossary_does_not_know_is_only_shown(configured: Program, own_orders: set[str]) -> None:
    codes = list(groups("co", SHORT, 90))
    with History(configured.data / "history.db") as history:
        for number, (text, _) in reversed(list(enumerate(codes))):
            submitted(history, f"task-{number}", f"{number}.docx")
            event = Event(task_id=f"task-{number}", name="n", status=Status.FAILED, code=text)
            history.store([arrival(f"message-{number}", event)], now())
    with screen(configured) as terminal:
        terminal.until_read("oss://bucket/0.docx")
        for number, (_, proofs) in enumerate(codes):
            terminal.press("c")
            until_proven(terminal, ["Nothingisknownof", *marks(proofs)])
            terminal.press("\x1b")
            terminal.until(lambda: "Codes of IMM" not in terminal.text)
            if number + 1 < len(codes):
                next_task(terminal, f"{number + 1}.docx")
        quit_(terminal)
    assert orders(terminal.written) <= own_orders


# What is copied and exported


def test_what_is_copied_is_shown_and_copied_without_an_order(configured: Program, own_orders: set[str]) -> None:
    texts = list(groups("cp", SHORT, 500))
    with History(configured.data / "history.db") as history:
        for number, (text, _) in reversed(list(enumerate(texts))):
            task = history.record_intent(
                conversion(f"{text}/{number}.docx", text, text),
                project=text,
                api_version="2020-09-30",
                token="t",
                at=now(),
            )
            history.record_accepted(task, text, text)
            event = Event(task_id=text, name=text, status=Status.RUNNING)
            history.store([arrival(f"message-{number}", event, body=text.encode("utf-8", "replace"))], now())
    with screen(configured) as terminal:
        terminal.until_read("0.docx ─", "oss://bucket/")
        for number, (text, proofs) in enumerate(texts):
            for key in "yistje":
                before = terminal.written.count(b"\x1b]52;c;")
                terminal.press("y")
                terminal.until_read("─ Copy ─", proofs[0][:5])
                terminal.press(key)
                terminal.until(lambda before=before: terminal.written.count(b"\x1b]52;c;") > before)  # type: ignore[misc]
                terminal.until(lambda: "─ Copy ─" not in terminal.text)
            # The file has a message's very bytes.
            assert (configured.data / "copied.txt").read_bytes() == text.encode("utf-8", "replace")
            if number + 1 < len(texts):
                next_task(terminal, f"{number + 1}.docx")
        quit_(terminal)
    assert orders(terminal.written) <= own_orders


# The filter, the views and the fields


def test_a_filter_is_only_shown_and_so_is_the_name_of_a_view(configured: Program, own_orders: set[str]) -> None:
    rows = list(parts("vi", TEXTS, 30))
    for texts in rows:
        # A view's name has a mark of its own.
        with_preferences(configured, views={f"nv{at:03}{text}": f'"{text}"' for at, text in texts})
        with screen(configured) as terminal:
            terminal.until_read("No tasks yet")
            terminal.press("v")
            until_proven(terminal, [f"{place}{at:03}" for place in ("nv", "vi") for at, _ in texts])
            terminal.press("\x1b[F\r")  # the last of them
            until_proven(terminal, ["Escclears", f"vi{texts[-1][0]:03}"])
            terminal.press("/")
            terminal.until_read("esc clear")
            quit_(terminal)
        assert orders(terminal.written) <= own_orders


def test_what_is_pasted_beside_the_form_is_only_shown(configured: Program, own_orders: set[str]) -> None:
    # What stands behind an escape never arrives as pasted: Textual makes keys of it.
    texts = [payload.text for _, payload in LINES if "\x1b" not in payload.text]
    together = [(777, Payload("together", " ".join(texts)))]
    with History(configured.data / "history.db") as history:
        submitted(history, "task", "document.docx")
    with screen(configured) as terminal:
        terminal.until_read("oss://bucket/document.docx")
        for key, words in (("/", "esc clear"), ("e", "File"), ("c", "Codes of IMM")):
            terminal.press(key)
            terminal.until_read(words)
            if key == "e":
                terminal.press("\x15")
                terminal.until_read("a file that is not there yet")
            paste_and_clear(terminal, "fi", together)
            terminal.press("\x1b")
            terminal.until(lambda words=words: words not in terminal.text)  # type: ignore[misc]
        quit_(terminal)
    assert orders(terminal.written) <= own_orders


# Before and after many are sent


def test_a_dry_run_is_only_shown(configured: Program, own_orders: set[str]) -> None:
    sources = [(number, payload) for number, payload in LINES if not {"\n", "*"} & set(payload.text)]
    # The end of a source is always shown. The second half of these are no sources.
    lines = [f"{payload.text}dr{number:03}" for number, payload in sources]
    text = "\n".join([*(f"oss://bucket/{line}" for line in lines), *lines])
    (configured.home / "sources.txt").write_text(text)
    with screen(configured) as terminal:
        terminal.until_read("No tasks yet")
        terminal.press("n")
        terminal.until_read("Submit a conversion")
        paste(terminal, "@sources.txt")
        terminal.until_read("@sources.txt")
        terminal.press(F5)
        terminal.until_read("to submit")

        def told(mark: str) -> bool:
            """Whether it is in the list, and below it, where what is selected is told in full."""
            listed, _, selected = terminal.text.rpartition("╰")
            return mark in listed and mark in selected

        for mark in 2 * [f"dr{number:03}" for number, _ in sources]:
            terminal.until(lambda mark=mark: told(mark))  # type: ignore[misc]
            terminal.press("j")
        quit_(terminal)
    assert orders(terminal.written) <= own_orders


def test_why_a_batch_pauses_is_only_told(configured: Program, own_orders: set[str]) -> None:
    said = ""

    def bar(connection: Any, over: Any) -> None:
        answer(403, json.dumps({"Code": "Forbidden", "Message": said, "RequestId": said}))(connection, over)

    with Service(bar) as service:
        configured.environment["IMM_TUI_IMM_ENDPOINT"] = service.url
        texts = list(groups("ba", SHORT, 250))
        with screen(configured) as terminal:
            terminal.until_read("No tasks yet")
            terminal.press("n")
            terminal.until_read("Submit a conversion")
            paste(terminal, "\n".join(f"oss://bucket/{number}.docx" for number in range(60 * len(texts))))
            terminal.until_read("sources")
            said = texts[0][0]
            terminal.press("\x13")
            terminal.until_read("to submit")
            terminal.press("\r")
            terminal.until_read("paused")
            terminal.press("b")
            terminal.until_read("Batches")
            for text, proofs in texts:
                said = text
                until_proven(terminal, marks(proofs), meanwhile=lambda: terminal.press("p"))
            terminal.press("\x11")
            terminal.until_read("Leave imm-tui?")  # some are not sent yet
            terminal.press("y")
            assert terminal.ended() == 0
    assert orders(terminal.written) <= own_orders


# What is told when something ends


@pytest.mark.parametrize("telling", ["toast", "osc9"])
def test_the_end_of_a_task_is_only_told(configured: Program, own_orders: set[str], telling: str) -> None:
    with_preferences(configured, telling=telling)
    configured.command = HURRIED
    with screen(configured) as terminal, History(configured.data / "history.db") as history:
        terminal.until_read("No tasks yet")
        for texts in parts("en", PATHS, 3):  # as many as are called by their names
            for number, text in texts:
                task = history.record_intent(
                    conversion(text), project="project", api_version="2020-09-30", token=text, at=now()
                )
                history.record_accepted(task, f"task-{number}", "request")
            events = [Event(task_id=f"task-{number}", name="n", status=Status.FAILED) for number, _ in texts]
            history.store([arrival(f"message-{texts[0][0]}", *events)], now())
            # Not to its end: how wide some names are is disputed, and a toast stands at the terminal's edge.
            told = re.compile(f"(?:▌ |imm-tui: )(?:[23] failed: )?en{texts[0][0]:03}".encode())
            terminal.until(
                lambda told=told: told.search(terminal.text.encode() if telling == "toast" else terminal.written)  # type: ignore[misc]
            )
        quit_(terminal)
    assert orders(terminal.written) <= own_orders


def test_what_a_failed_hook_has_said_is_only_told(configured: Program, own_orders: set[str], tmp_path: Path) -> None:
    hook = tmp_path / "hook.py"
    # The same trouble is not told twice: each ends with another exit code.
    hook.write_text(
        "import json, pathlib, sys\n"
        "number = int(json.load(sys.stdin)['task_id'])\n"
        "sys.stderr.buffer.write(pathlib.Path(sys.argv[1], str(number)).read_bytes())\n"
        "sys.exit(number)\n"
    )
    (tmp_path / "config.toml").write_text(
        f"[hooks]\non_failed = {json.dumps([sys.executable, str(hook), str(tmp_path)])}"
    )
    configured.environment["IMM_TUI_CONFIG"] = str(tmp_path / "config.toml")
    with_preferences(configured, telling="none")
    with screen(configured) as terminal, History(configured.data / "history.db") as history:
        terminal.until_read("reconnecting", "No tasks yet")  # hooks are started before the listener
        for number, (text, proofs) in enumerate(groups("ho", LINES, 120), 1):
            (tmp_path / str(number)).write_bytes(text.encode())
            event = Event(task_id=str(number), name="n", status=Status.FAILED, code="Odd")
            history.store([arrival(f"message-{number}", event)], now())
            until_proven(terminal, [f"exitcode{number}", *marks(proofs)])
        quit_(terminal)
    assert orders(terminal.written) <= own_orders


def test_the_quarantine_is_only_shown(configured: Program, own_orders: set[str]) -> None:
    texts = list(groups("qu", SHORT, 300))
    quarantine(configured, *(text for text, _ in texts))
    with screen(configured) as terminal:
        terminal.until_read("No tasks yet")
        terminal.press("u")
        terminal.until_read("Quarantine")
        for _, proofs in reversed(texts):
            until_proven(terminal, ["Themessage", *marks(proofs)])
            terminal.press("j")
        quit_(terminal)
    assert orders(terminal.written) <= own_orders
