"""The rooms of the house: who imports whom, and what each command leaves alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import imm_tui

HOUSE = Path(imm_tui.__file__).parent
SDKS = ("aliyunsdkcore", "aliyunsdkimm", "mns")


def rooms() -> dict[str, Path]:
    """Every module of ours by its dotted name under `imm_tui`."""
    found = {}
    for path in HOUSE.rglob("*.py"):
        parts = path.relative_to(HOUSE).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


ROOMS = rooms()


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at any depth of it, also for its types only."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are written whole"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(room: str) -> set[str]:
    """The rooms of ours that `room` imports; a name in a room counts as the room."""
    found = set()
    for name in imports(ROOMS[room]):
        if name == "imm_tui" or name.startswith("imm_tui."):
            dotted = name.removeprefix("imm_tui").removeprefix(".")
            while dotted and dotted not in ROOMS:
                dotted = dotted.rpartition(".")[0]
            if dotted:
                found.add(dotted)
    return found


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_only_the_cloud_imports_a_vendors_sdk(room: str) -> None:
    vendors = {name.partition(".")[0] for name in imports(ROOMS[room])} & set(SDKS)
    assert not vendors or room.startswith("cloud.")


@pytest.mark.parametrize("room", [room for room in sorted(ROOMS) if room.startswith("emulator")])
def test_the_emulator_imports_none_of_the_clients_code(room: str) -> None:
    assert all(name.startswith("emulator") for name in ours(room))


@pytest.mark.parametrize("room", [room for room in sorted(ROOMS) if not room.startswith("emulator")])
def test_the_client_imports_nothing_of_the_emulator_but_its_door(room: str) -> None:
    inside = {name for name in ours(room) if name.startswith("emulator")}
    assert inside <= ({"emulator.server"} if room == "cli" else set())


@pytest.mark.parametrize(
    ("room", "allowed"),
    [
        ("errors", set()),
        ("text", set()),
        ("tasks", set()),
        ("notifications", {"tasks"}),
        ("arrivals", {"tasks"}),
        ("history", {"arrivals", "errors", "tasks"}),
        ("aliyun_cli", {"errors"}),
        ("config", {"aliyun_cli", "endpoints", "errors", "tasks"}),
        ("credentials", {"aliyun_cli", "errors", "tasks"}),
        ("hooks", {"errors", "history", "tasks", "text"}),
        ("completion", {"tasks", "text"}),
        ("export", {"errors", "history", "places", "tasks"}),
        ("places", {"errors"}),
        ("sequences", set()),
        ("private_file", set()),
        ("config_file", {"errors", "private_file"}),
        ("ram", {"config"}),
        ("endpoints", set()),
        ("profiles", {"config", "credentials", "errors"}),
        ("cloud.read_only", {"errors"}),
        ("doctor.check", set()),
    ],
)
def test_the_inner_rooms_know_little(room: str, allowed: set[str]) -> None:
    assert ours(room) <= allowed | {"i18n"}


@pytest.mark.parametrize("room", [room for room in sorted(ROOMS) if room.startswith("doctor.")])
def test_only_one_room_of_the_doctor_makes_connections(room: str) -> None:
    calls = {name for name in ours(room) if name.startswith("cloud.")} - {"cloud.mns_reply", "cloud.refusals"}
    assert not calls or room in ("doctor.asking", "doctor.evidence")


@pytest.mark.parametrize("room", [room for room in sorted(ROOMS) if room.startswith("tui.")])
def test_no_widget_calls_the_cloud(room: str) -> None:
    assert not any(name.startswith("cloud") for name in ours(room))


@pytest.mark.parametrize("room", [room for room in sorted(ROOMS) if room.startswith("tui.")])
def test_no_part_of_the_screen_knows_the_app_that_puts_it_together(room: str) -> None:
    assert "tui.app" not in ours(room)


@pytest.mark.parametrize("room", [room for room in sorted(ROOMS) if not room.startswith(("tui", "cli", "demo"))])
def test_what_works_without_a_screen_does_not_know_it(room: str) -> None:
    assert not any(name.startswith("tui") for name in ours(room))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["tasks", "--json"],
        ["submit", "--help"],
        ["watch", "--json"],
        ["profiles", "--json"],
        ["doctor", "--json"],
        ["setup", "--dry-run"],
        ["smoke", "--source", "oss://demo/a.docx"],
        ["submit", "x", "--to", "png"],
    ],
    ids=" ".join,
)
def test_no_headless_command_imports_textual(arguments: list[str], tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from imm_tui.cli import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "except SystemExit:\n"
        "    pass\n"
        "sys.exit('textual' in sys.modules)\n"
    )
    environment = {"HOME": str(tmp_path), "IMM_TUI_DATA_DIR": str(tmp_path / "data"), "PATH": ""}
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()
