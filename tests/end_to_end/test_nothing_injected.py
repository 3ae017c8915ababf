"""Nothing from outside gives orders to the terminal: every place that shows outside text, read from a pseudo-terminal.

A tame run tells by which control sequences the program itself draws; a run full of payloads may use those and no other.
Each payload stands behind a marker that has to be seen, or nothing would be proven.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

import imm_tui
from imm_tui.history import History
from imm_tui.tasks import Event, Status, now
from tests.cloud.servers import Service, answer
from tests.injection import (
    NAMES,
    NUMBERED,
    PATHS,
    SHORT,
    arrival,
    click_behind,
    fill,
    groups,
    is_text,
    marked,
    orders,
    paste,
    paste_and_clear,
    proof,
    quarantine,
    quit_,
    screen,
    squeezed,
    until_proven,
)
from tests.payloads import Payload
from tests.program import Program
from tests.terminal import Terminal

# The dashboard


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def proofs_of_task(number: int, payload: Payload) -> list[str]:
    places = ["co", "me", "ta", "id", "rq", "pr"]
    if len(payload.text) > 1000:  # the first of them push the others out of sight
        return [proof(place, number, payload) for place in places[:2]]
    return [proof(place, number, payload) for place in places]


def proofs_of_event(number: int, payload: Payload) -> list[str]:
    if len(payload.text) > 1000:
        return [proof("mi", number, payload)]
    return [proof("mi", number, payload), *(proof(place, number, payload, _escaped) for place in ("ke", "va", "el"))]


def test_whatever_is_known_of_a_task_is_only_shown(configured: Program, own_orders: set[str]) -> None:
    with History(configured.data / "history.db") as history:
        for number, payload in reversed(NUMBERED):
            fill(history, number, payload)
    with screen(configured) as terminal:
        for number, payload in NUMBERED:
            until_proven(terminal, proofs_of_task(number, payload))
            if len(payload.text) < 60:  # in the list, over the detail, in the source's URI
                terminal.until(lambda mark=f"na{number:03}": terminal.text.count(mark) == 3)  # type: ignore[misc]
            terminal.press("j")
        open_tab(terminal, "2")
        for number, payload in reversed(NUMBERED):
            until_proven(terminal, proofs_of_event(number, payload))
            terminal.press("k")
        quit_(terminal)
    assert orders(terminal.written) <= own_orders


def open_tab(terminal: Terminal, key: str) -> None:
    """A tab of the detail, and back to the list: it stays open when another task is selected."""
    terminal.press("\r")
    terminal.until_read("esc back")
    terminal.press(f"{key}\x1b")
    terminal.until(lambda: "esc back" not in terminal.text)


def test_a_body_is_only_shown_when_it_is_formatted(configured: Program, own_orders: set[str]) -> None:
    rows = list(groups("fo", SHORT))
    with History(configured.data / "history.db") as history:
        for number, (text, _) in reversed(list(enumerate(rows))):
            inner = json.dumps({"in": [text]}, ensure_ascii=False)
            body = json.dumps({"message": inner, text: 1}, ensure_ascii=False).encode("utf-8", "replace")
            event = Event(task_id=f"task-{number}", name="n", status=Status.RUNNING)
            history.store([arrival(f"message-{number}", event, body=body)], now())
    with screen(configured) as terminal:
        terminal.until_read("─ task-0 ─", "Untracked:")
        open_tab(terminal, "2")
        for text, proofs in rows:
            # Opened up, with the quotes escaped once and no more.
            until_proven(terminal, [squeezed(_escaped(words)) for words in proofs])
            assert squeezed(text)[:6] in squeezed(terminal.text)
            terminal.press("j")
        open_tab(terminal, "2f")  # as they came
        for _, proofs in reversed(rows):
            until_proven(terminal, [words[:5] for words in proofs])
            terminal.press("k")
        quit_(terminal)
    assert orders(terminal.written) <= own_orders


def test_toasts_about_messages_are_only_shown(configured: Program, own_orders: set[str]) -> None:
    long = [(marked("to", number, payload), [f"to{number:03}"]) for number, payload in NUMBERED[len(SHORT) :]]
    for text, proofs in (*groups("to", SHORT), *long):
        # Each in a program that has told nothing yet: a toast waits for the one before.
        with screen(configured) as terminal:
            terminal.until_read("reconnecting", "No tasks yet")
            quarantine(configured, text)
            until_proven(terminal, (words[:5] for words in proofs))
            quit_(terminal)
        assert orders(terminal.written) <= own_orders


def test_a_refusal_of_the_queue_is_only_shown(configured: Program, own_orders: set[str]) -> None:
    said = b""

    def refuse(connection: Any, over: Any) -> None:
        answer(400, said)(connection, over)

    with Service(refuse) as service:
        configured.environment["IMM_TUI_MNS_ENDPOINT"] = service.url
        with screen(configured) as terminal:
            for number, payload in NUMBERED:
                said = refusal_in_xml(number, payload)
                until_proven(terminal, [f"re{number:03}"], meanwhile=lambda: terminal.press("r"))
            quit_(terminal)
    assert orders(terminal.written) <= own_orders


def refusal_in_xml(number: int, payload: Payload) -> bytes:
    """An error of MNS, with the payload as it is: an XML parser may not take it."""
    text = escape(payload.text).encode("utf-8", "replace")
    where = b"re%03d%s" % (number, text)
    return b"<Error><Code>Odd</Code><Message>%s</Message><RequestId>%s</RequestId></Error>" % (where, where)


def test_a_refusal_of_imm_is_only_shown(configured: Program, own_orders: set[str]) -> None:
    said = b""

    def refuse(connection: Any, over: Any) -> None:
        answer(400, said, Content_Type="application/json")(connection, over)

    with Service(refuse) as service:
        configured.environment["IMM_TUI_IMM_ENDPOINT"] = service.url
        with screen(configured) as terminal:
            terminal.until_read("No tasks yet")
            terminal.press("n")
            terminal.until_read("Submit a conversion")
            paste(terminal, "oss://bucket/document.docx")
            terminal.until_read("oss://bucket/document.docx")
            texts = list(groups("im", SHORT, 250))
            texts += [(marked("im", number, payload), [f"im{number:03}"]) for number, payload in NUMBERED[len(SHORT) :]]
            for text, proofs in texts:
                elsewhere = text[:1000]  # an answer of megabytes is nobody's
                told = {"Code": "Odd", "Message": text, "RequestId": elsewhere, "HostId": elsewhere}
                said = json.dumps(told).encode()
                terminal.press("\x13")
                until_proven(terminal, proofs)
            terminal.press("\x1b")
            terminal.until_read(f"Tasks {len(texts)}")
            quit_(terminal)
    assert orders(terminal.written) <= own_orders


def test_what_is_pasted_is_only_shown(configured: Program, own_orders: set[str]) -> None:
    # Whatever stands behind the end of a paste is typed, and no paste any more.
    pasted = [(number, payload) for number, payload in SHORT if is_text(payload) and "\x1b[201~" not in payload.text]
    assert len(pasted) >= 80
    lines = [payload.text for _, payload in pasted if len(payload.text.splitlines()) == 1]
    together = (777, Payload("together", " ".join(lines)))
    with screen(configured) as terminal:
        terminal.until_read("No tasks yet")
        terminal.press("n")
        terminal.until_read("Submit a conversion")
        for number, payload in pasted:
            end = f"so{number:03}"
            paste(terminal, payload.text)
            paste(terminal, f"{end}\r")
            until_proven(terminal, [end])
        terminal.press("\t")
        until_proven(terminal, ["✘Line1"])  # the form has moved to make room for it
        for label, place, payloads in (
            ("DPI", "dp", [together]),
            ("Target", "ta", pasted),
            ("Pages", "pa", [together]),
        ):
            click_behind(terminal, label)
            paste_and_clear(terminal, place, payloads)
        click_behind(terminal, "Password")
        paste(terminal, together[1].text)
        terminal.until_read("••")
        terminal.press("\x1b")
        terminal.until(lambda: "Submit a conversion" not in terminal.text)
        terminal.press("\x10")
        terminal.until_read("Search for")
        paste_and_clear(terminal, "se", pasted)
        terminal.press("\x1b")
        terminal.until_read("No tasks yet")
        quit_(terminal)
    assert orders(terminal.written) <= own_orders


# Before there is anything else to be seen


@pytest.mark.parametrize("variable", ["IMM_TUI_CONFIG", "IMM_TUI_ALIYUN_PROFILE"])
def test_the_welcome_only_shows_what_is_set(variable: str, tmp_path: Path, own_orders: set[str]) -> None:
    bare = Program(tmp_path / "bare")
    for text, proofs in groups("we", PATHS):
        bare.environment[variable] = text
        with screen(bare) as terminal:
            until_proven(terminal, proofs)
            quit_(terminal)
        assert orders(terminal.written) <= own_orders


def test_a_history_that_cannot_be_used_is_only_named(configured: Program, own_orders: set[str]) -> None:
    for text, proofs in groups("hi", PATHS):
        configured.environment["IMM_TUI_DATA_DIR"] = f"/dev/null/{text}"
        with screen(configured) as terminal:
            until_proven(terminal, proofs)
            quit_(terminal)
        assert orders(terminal.written) <= own_orders


# Without a screen


LAYOUT = {ascii("\r"), ascii("\n")}


def read_by_people(program: Program, *arguments: str) -> str:
    """What a command writes on a terminal, both streams of it; fails at anything that is more than lines of text."""
    with screen(program, *arguments) as terminal:
        terminal.ended()
    assert orders(terminal.written) <= LAYOUT
    return terminal.written.decode()


def test_tasks_are_only_listed(configured: Program) -> None:
    with History(configured.data / "history.db") as history:
        for number, payload in NUMBERED:
            fill(history, number, payload)
    listed = read_by_people(configured, "tasks")
    assert [mark for mark in _marks(("ty", "id", "na", "co"), NUMBERED) if mark not in listed] == []


def _marks(places: Iterable[str], payloads: Iterable[tuple[int, Payload]]) -> list[str]:
    return [f"{place}{number:03}" for number, _ in payloads for place in places]


def test_events_are_only_told(configured: Program) -> None:
    with screen(configured, "watch") as terminal:
        until_proven(terminal, ["imm-tui:MNScannotbereached"])
        with History(configured.data / "history.db") as history:
            for number, payload in NUMBERED:
                fill(history, number, payload)
                history.store([arrival(marked("qi", number, payload), reason=marked("re", number, payload))], now())
            history.store([arrival("the-end", reason="odd")], now())
        terminal.until(lambda: b"the-end" in terminal.written)
        terminal.press("\x03")
        assert terminal.ended() == 130
    assert orders(terminal.written) <= LAYOUT
    told = terminal.written.decode()
    assert [mark for mark in _marks(("id", "ev", "co", "qi", "re"), NUMBERED) if mark not in told] == []


def test_submissions_are_only_told(configured: Program, tmp_path: Path) -> None:
    sources = [
        (number, payload) for number, payload in SHORT if is_text(payload) and not {"\n", "*"} & set(payload.text)
    ]
    lines = "\n".join(f"oss://bucket/{marked('so', number, payload)}" for number, payload in sources)
    (tmp_path / "sources").write_text(lines)
    left = iter(NUMBERED)

    def refuse(connection: Any, over: Any) -> None:
        number, payload = next(left)
        said = json.dumps({"Code": "Odd", "Message": marked("me", number, payload), "RequestId": payload.text})
        answer(400, said)(connection, over)

    with Service(refuse) as service:
        configured.environment["IMM_TUI_IMM_ENDPOINT"] = service.url
        told = read_by_people(configured, "submit", "--from", str(tmp_path / "sources"), "--to", "png")
    assert [mark for mark in _marks(["so"], sources) if mark not in told] == []
    asked = len(service.requests)
    assert [mark for mark in _marks(["me"], NUMBERED[:asked]) if mark not in told] == []


ARGUMENTS = (
    ["{}"],
    ["--{}"],
    ["--config", "{}", "tasks"],
    ["tasks", "--status", "{}"],
    ["tasks", "--limit", "{}"],
    ["tasks", "--profile", "{}"],
    ["tasks", "--region", "{}"],
    ["tasks", "--project", "{}"],
    ["tasks", "--queue", "{}"],
    ["tasks", "--account-id", "{}"],
    ["tasks", "--api-version", "{}"],
    ["tasks", "--mns-endpoint", "{}"],
    ["watch", "--count", "{}"],
    ["submit", "{}", "--to", "png"],
    ["submit", "oss://b/k", "--to", "{}"],
    ["submit", "oss://b/k", "--to", "png", "--pages", "{}"],
    ["submit", "oss://b/k", "--to", "png", "--target-uri", "{}"],
    ["submit", "--from", "{}", "--to", "png"],
    ["submit", "oss://b/k", "--to", "png", "--password-file", "{}"],
)
QUOTED = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "12", "13", "14", "17", "18")
"""Those of them that a refusal quotes."""


def test_what_is_wrong_with_an_argument_is_only_told(configured: Program, tmp_path: Path) -> None:
    runs = [
        [argument.replace("{}", marked(f"a{at}-", number, payload)) for argument in arguments]
        for at, arguments in enumerate(ARGUMENTS)
        for number, payload in NAMES
    ]
    runs += configurations(tmp_path)
    (tmp_path / "runs").write_bytes(os.fsencode("\0\0".join("\0".join(run) for run in runs)))
    script = (
        "import os, sys, imm_tui.cli\n"
        "for run in os.fsdecode(open(sys.argv[1], 'rb').read()).split('\\0\\0'):\n"
        "    try:\n"
        "        imm_tui.cli.main(run.split('\\0'))\n"
        "    except SystemExit:\n"
        "        pass\n"
    )
    configured.command = (sys.executable, "-W", "ignore", "-c", script)
    del configured.environment["IMM_TUI_REGION"]  # it would win over the files
    told = read_by_people(configured, str(tmp_path / "runs"))
    assert [mark for mark in _marks([f"a{at}-" for at in QUOTED], NAMES) if mark not in told] == []
    in_files = [(number, payload) for number, payload in NAMES if is_text(payload)]
    assert [mark for mark in _marks(["key", "val", "sec"], in_files) if mark not in told] == []


def configurations(folder: Path) -> Iterator[list[str]]:
    """Runs with a configuration file that holds a payload, in a key, a value, the name of a profile."""
    for number, payload in NAMES:
        if not is_text(payload):
            continue
        for name, text in {
            "key": "[profiles.default]\n{} = 1",
            "val": "[profiles.default]\nregion = {}",
            "sec": "profile = {}",
        }.items():
            file = folder / f"{name}{number}.toml"
            value = json.dumps(marked(name, number, payload), ensure_ascii=False).replace("\x7f", "\\u007f")
            file.write_text(text.format(value))
            yield ["--config", str(file), "tasks"]


# Beside the terminal


def test_no_shell_is_ever_asked_and_only_hooks_and_the_demo_with_its_emulator_start_a_process() -> None:
    starts = re.compile(r"\b(subprocess|os\.(system|popen|exec\w*|spawn\w*|posix_spawn\w*)|pty|shell=True)\b")
    house = Path(imm_tui.__file__).parent
    rooms = [path for path in house.rglob("*.py") if starts.search(path.read_text(encoding="utf-8"))]
    assert {path.relative_to(house).as_posix() for path in rooms} == {
        "demo.py",
        "hooks.py",
        "emulator/conversion/office.py",
        "emulator/conversion/pool.py",
    }
    assert not [path for path in rooms if "shell=" in path.read_text(encoding="utf-8")]


def test_names_from_outside_lead_to_no_file_outside_the_data_folder(configured: Program, tmp_path: Path) -> None:
    written = tmp_path / "written"
    script = (
        "import sys\n"
        "def look(event, arguments):\n"
        "    if event == 'open' and isinstance(arguments[0], str) and (arguments[2] or 0) & 3:\n"
        "        log.write(f'{arguments[0]}\\n')\n"
        "    elif event in ('os.mkdir', 'os.rename', 'os.remove', 'os.symlink', 'subprocess.Popen', 'os.system'):\n"
        "        log.write(f'{arguments[0]}\\n')\n"
        f"log = open({str(written)!r}, 'a', encoding='utf-8', errors='replace', buffering=1)\n"
        "sys.addaudithook(look)\n"
        "import imm_tui.cli\n"
        "imm_tui.cli.run()\n"
    )
    with History(configured.data / "history.db") as history:
        for number, payload in SHORT:
            fill(history, number, payload)
            history.store([arrival(f"../../{payload.text}", reason="odd")], now())
    configured.command = (sys.executable, "-B", "-W", "ignore", "-c", script)
    with screen(configured) as terminal:
        terminal.until_read("reconnecting", f"Tasks {len(SHORT)}")
        terminal.press("jjjjjjjj")
        quit_(terminal)
    read_by_people(configured, "tasks", "--limit", "1000")
    read_by_people(configured, "submit", "oss://../../etc/passwd", "--to", "png")
    places = {Path(place).resolve() for place in written.read_text(encoding="utf-8").splitlines()}
    data = configured.data.resolve()
    assert places
    assert [place for place in places if not place.is_relative_to(data) and not place.is_relative_to("/dev")] == []
