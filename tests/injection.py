"""Hostile texts on a terminal: what the program tells it, what a person sees of a text, and histories full of them."""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from imm_tui.arrivals import Arrival
from imm_tui.history import History
from imm_tui.tasks import Conversion, Event, Status, now
from tests.payloads import PAYLOADS, Payload
from tests.program import Program
from tests.terminal import Terminal

COLUMNS, LINES = 99, 80
"""So narrow that one region stands below the other: a text that is wrapped there reads on in the next line."""

CONFIGURED = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "id",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "canary-of-a-secret",
    "IMM_TUI_REGION": "cn-beijing",
    "IMM_TUI_PROJECT": "project",
    "IMM_TUI_TOPIC": "topic",
    "IMM_TUI_QUEUE": "queue",
    "IMM_TUI_MNS_ENDPOINT": "http://127.0.0.1:9",
    "IMM_TUI_IMM_ENDPOINT": "http://127.0.0.1:9",
}
"""Every setting, and no service that can be reached."""

HURRIED = (
    sys.executable,
    "-c",
    "import imm_tui.completion as it; it._LASTS = it._FAILED_LASTS = 0.3; from imm_tui import cli; cli.run()",
)
"""The program where the end of a task is told but for a moment: the next waits until it has been read."""

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(?:\x07|\x1b\\)|[ -/]*[0-~])", re.DOTALL)
_COLOUR = re.compile(r"([34]8);(?:5;\d+|2;\d+;\d+;\d+)")
_DISPUTED = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u200b-\u200f\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\ufff9-\ufffb]"
)
_FRAME = re.compile(r"[\s\u2500-\u259f]")
_COPIED = re.compile(r"\x1b\]52;c;([A-Za-z0-9+/=]+)\x07")
_MARK = re.compile(r"[a-z]{2}\d{3}|tame")
_NOTIFIED = re.compile(r"\x1b\]9;imm-tui: [^\x00-\x1f\x7f-\x9f]*\x07")


# What a terminal is told


def orders(written: bytes) -> set[str]:
    """Every kind of order in what a program wrote. Fails where it is not UTF-8: a raw C1 is not."""
    text = written.decode()
    found = {form for sequence in _SEQUENCE.findall(text) for form in _forms(sequence)}
    rest = _SEQUENCE.sub("", text)
    return found | {ascii(character) for character in set(rest) if _is_order(character)}


def _forms(sequence: str) -> Iterator[str]:
    """A style is known by its attributes, whatever the colours; a place by being on the screen; all else as it is.

    What is copied has a mark in it, so that no payload that copies passes for that.
    """
    if sequence.startswith("\x1b[") and sequence.endswith("m"):
        yield from (f"style {attribute}" for attribute in _COLOUR.sub(r"\1", sequence[2:-1]).split(";"))
    elif (
        (place := re.fullmatch(r"\x1b\[(\d+);(\d+)H", sequence)) and int(place[1]) <= LINES and int(place[2]) <= COLUMNS
    ):
        yield "a place on the screen"
    elif (copied := _COPIED.fullmatch(sequence)) and _MARK.search(text := b64decode(copied[1]).decode()):
        yield "a copy"
        yield from (f"copied {character!a}" for character in set(text) if _is_control(character))
    elif _NOTIFIED.fullmatch(sequence):
        yield "a notification"
    else:
        yield ascii(sequence)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t"


def _is_order(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") or bool(_DISPUTED.match(character))


# What a person sees


def marked(place: str, number: int, payload: Payload) -> str:
    return f"{place}{number:03}{payload.text}"


def proof(place: str, number: int, payload: Payload, shown: Callable[[str], str] = str) -> str:
    """What has to be on the screen: the marker, and the payload itself where it is nothing but words."""
    return squeezed(shown(marked(place, number, payload)) if payload.plain else f"{place}{number:03}")


def squeezed(text: str) -> str:
    """A text without its blanks and frames: however it is wrapped, it reads on."""
    return _FRAME.sub("", text)


def until_proven(terminal: Terminal, proofs: Iterable[str], meanwhile: Callable[[], None] = lambda: None) -> None:
    wanted = list(proofs)

    def proven() -> bool:
        text = squeezed(terminal.text)
        if all(words in text for words in wanted):
            return True
        meanwhile()
        return False

    try:
        terminal.until(proven)
    except AssertionError as error:
        error.add_note(f"Not seen: {[words for words in wanted if words not in squeezed(terminal.text)]}")
        raise


def screen(program: Program, *arguments: str) -> Terminal:
    return Terminal(program, *arguments, columns=COLUMNS, lines=LINES)


def paste(terminal: Terminal, text: str) -> None:
    terminal.press(f"\x1b[200~{text}\x1b[201~")


def quit_(terminal: Terminal) -> None:
    terminal.press("\x11")
    assert terminal.ended() == 0


def click_behind(terminal: Terminal, label: str) -> None:
    """Clicks into the field behind a label, and types what shows that it has the focus."""
    terminal.until_still()
    row, text = next((row, text) for row, text in enumerate(terminal.text.splitlines(), 1) if f" {label} " in text)
    column = text.index(label)
    at = f"{column + (17 if column < 10 else len(label) + 4)};{row}"
    terminal.press(f"\x1b[<0;{at}M\x1b[<0;{at}m")
    typed = "•" if label == "Password" else "#"
    until_proven(terminal, [typed], meanwhile=lambda: terminal.press("#"))
    terminal.press("\x15")
    terminal.until(lambda: typed not in terminal.text)


def paste_and_clear(terminal: Terminal, place: str, payloads: Iterable[tuple[int, Payload]]) -> None:
    """Pastes each into the field that has the focus, a mark behind it, and clears the field again."""
    for number, payload in payloads:
        end = f"{place}{number:03}"
        paste(terminal, payload.text)
        paste(terminal, end)
        terminal.until(lambda end=end: end in terminal.text)  # type: ignore[misc]
        terminal.press("\x15")
        terminal.until(lambda end=end: end not in terminal.text)  # type: ignore[misc]


NUMBERED = list(enumerate(PAYLOADS))
SHORT = [(number, payload) for number, payload in NUMBERED if len(payload.text) < 1000]


def is_text(payload: Payload) -> bool:
    """Whether UTF-8 can say it."""
    return not re.search("[\ud800-\udfff]", payload.text)


def of_a_path(payload: Payload) -> bool:
    """Whether a file, an argument or a variable can be called that."""
    try:
        return "\0" not in payload.text and len(os.fsencode(payload.text)) < 240
    except UnicodeEncodeError:
        return False


NAMES = [(number, payload) for number, payload in SHORT if of_a_path(payload)]
PATHS = [(number, Payload(payload.name, payload.text.replace("/", "|"))) for number, payload in NAMES]
"""A path's slashes are not kept as they are written."""


def groups(place: str, payloads: Iterable[tuple[int, Payload]], length: int = 500) -> Iterator[tuple[str, list[str]]]:
    """Marked payloads in texts short enough to be shown, each a word and a part of a path; with their proofs."""
    text, proofs = "", list[str]()
    for number, payload in payloads:
        if len(text) + len(payload.text) > length:
            yield text, proofs
            text, proofs = "", []
        text += " /" + marked(place, number, payload)
        proofs.append(proof(place, number, payload))
    yield text, proofs


# What is in a history


def conversion(name: str, target: str = "oss://b/out/", kind: str = "png") -> Conversion:
    return Conversion(source_uri=f"oss://bucket/{name}", target_uri=target, target_type=kind)


def arrival(message_id: str, *events: Event, reason: str = "", body: bytes = b"{}") -> Arrival:
    return Arrival(message_id=message_id, body=body, events=events, reason=reason)


def quarantine(program: Program, *reasons: str) -> None:
    """Messages that could not be read, each called by its reason: a toast tells of them."""
    with History(program.data / "history.db") as history:
        history.store(
            [arrival(reason, reason=reason, body=reason.encode("utf-8", "replace")) for reason in reasons], now()
        )


def fill(history: History, number: int, payload: Payload) -> None:
    """A task that has failed, with a payload in everything that is known of it."""

    def of(place: str) -> str:
        return marked(place, number, payload)

    name = of("na").replace("/", "|")
    task = history.record_intent(
        conversion(name, of("ta"), of("ty")), project=of("pr"), api_version="2020-09-30", token="t", at=now()
    )
    history.record_accepted(task, of("id"), of("rq"))
    told = {of("ke"): of("va"), "list": [of("el")]}
    event = Event(task_id=of("id"), name=of("ev"), status=Status.FAILED, code=of("co"), message=of("me"), time=of("ti"))
    body = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
    history.store([arrival(of("mi"), event, body=body)], now())


def submitted(
    history: History, task_id: str, name: str = "document.docx", parameters: Mapping[str, Any] | None = None
) -> None:
    """A task that IMM has accepted, with the request that it is said to have been."""
    request = {
        "action": "CreateOfficeConversionTask",
        "version": "2020-09-30",
        "region": "cn-beijing",
        "endpoint": "https://imm.cn-beijing.aliyuncs.com",
        "parameters": parameters or {},
    }
    task = history.record_intent(
        conversion(name), project="project", api_version="2020-09-30", token="t", at=now(), request=request
    )
    history.record_accepted(task, task_id, "request")
