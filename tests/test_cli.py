"""The command line itself: flags, help, refusals of arguments, and which exit code stands for several."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imm_tui import __version__
from imm_tui.exits import Exit, worst
from tests.conftest import RunningEmulator
from tests.mailbox import Mailbox
from tests.program import Program

COMMANDS = ("demo", "submit", "watch", "tasks", "emulator")


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    own = Program(tmp_path / "home")
    yield own
    own.close()


@pytest.fixture
def configured(emulator: RunningEmulator, program: Program) -> Program:
    program.environment |= emulator.env
    return program


# Help


def test_help_names_every_command_every_setting_and_every_exit_code(program: Program) -> None:
    run = program("--help")
    assert run.code == 0
    assert all(re.search(rf"^ +{command} ", run.out, re.MULTILINE) for command in COMMANDS)
    assert all(re.search(rf"^ +{code}\b", run.out, re.MULTILINE) for code in (0, 1, 2, 3, 4, 5, 6, 130))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(program: Program, command: str) -> None:
    run = program(command, "--help")
    assert run.code == 0
    assert run.out.startswith(f"usage: imm-tui {command} ")


def test_the_version_is_the_packages(program: Program) -> None:
    assert program("--version").out == f"imm-tui {__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["submit", "--help"]], ids=" ".join)
def test_help_imports_little(program: Program, arguments: list[str]) -> None:
    script = (
        f"import sys; sys.argv = ['imm-tui', *{arguments!r}]\n"
        "from imm_tui.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "heavy = {'textual', 'aliyunsdkcore', 'mns', 'sqlite3', 'asyncio', 'ssl', 'socket', 'json', 'typing',\n"
        "         'dataclasses', 'platformdirs', 'pathlib', 'shutil'}\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & heavy), file=sys.stderr)\n"
    )
    # Without site, which imports what the environment's own .pth files ask for.
    run = subprocess.run(
        [sys.executable, "-S", "-c", script], env=program.environment, capture_output=True, text=True, check=True
    )
    assert run.stderr == "[]\n"


# Arguments that cannot be


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sumbit"], "sumbit"),
        (["--proj=x"], "--proj"),
        (["watch", "--cou", "1"], "--cou"),
        (["watch", "--count", "0"], "--count"),
        (["watch", "--count", "1.5"], "--count"),
        (["watch", "--idle-exit", "-1"], "--idle-exit"),
        (["watch", "--idle-exit", "nan"], "--idle-exit"),
        (["tasks", "--limit", "many"], "--limit"),
        (["tasks", "--status", "Done"], "Submitting, Running, Succeeded, Failed, Unknown"),
        (["tasks", "--profile", "../x"], "../x"),
        (["tasks", "--config", "nowhere.toml"], "nowhere.toml"),
        (["tasks", "--api-version", "2019-01-01"], "2019-01-01"),
        (["emulator", "--port", "65536"], "--port"),
        (["emulator", "--notify-format", "YAML"], "YAML"),
        (["demo", "--api-version", "2019-01-01"], "2019-01-01"),
        (["submit", "oss://b/k.docx"], "--to"),
        (["submit", "--to", "png"], "source"),
        (["submit", "oss://b/k.docx", "--to", "exe"], "exe"),
        (["submit", "oss://b/k.docx", "--to", "png", "--dpi", "12"], "96"),
        (["submit", "oss://b/k.docx", "--to", "png", "--pages", "3-1"], "pages"),
        (["submit", "oss://b/k.docx", "--to", "png", "--timeout", "soon"], "--timeout"),
        (["submit", "oss://b/k.docx", "--to", "png", "--target-uri", "/tmp"], "target"),
        (["submit", "oss://b/k.docx", "k.docx", "--to", "png"], "“k.docx”"),
        (["submit", "https://b.oss-cn-beijing.aliyuncs.com/k.docx", "--to", "png"], "https://"),
        (["submit", "oss://b/\x1b[2J/", "--to", "png"], "␛[2J"),
        (["submit", "--from", "nowhere.txt", "--to", "png"], "nowhere.txt"),
        (["submit", "--from", ".", "--to", "png"], "directory"),
        (["submit", "--from", "-", "--password-file", "-", "--to", "png"], "both"),
        (["submit", "oss://b/k.docx", "--password-file", os.devnull, "--to", "png"], "no password"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_usage_is_told_in_one_line(program: Program, arguments: list[str], told: str) -> None:
    run = program(*arguments)
    assert (run.code, run.out) == (2, "")
    assert len(run.err.splitlines()) == 1
    assert run.err.startswith("imm-tui: ")
    assert told in run.err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"oss://b/1.docx\r\n\r\noss://b/folder/\r\n", "Line 3 of list.txt"),
        (b"oss://b/1.docx\noss://b/\xff.docx\n", "Line 2 of list.txt is not text in UTF-8"),
        ("oss://b/1.docx".encode("utf-16"), "Line 1 of list.txt"),
        (b"\n\n", "nothing to submit"),
    ],
    ids=["folder", "latin-1", "utf-16", "empty"],
)
def test_a_bad_line_of_a_list_is_named(program: Program, content: bytes, told: str) -> None:
    program.home.joinpath("list.txt").write_bytes(content)
    run = program("submit", "--from", "list.txt", "--to", "png")
    assert (run.code, len(run.err.splitlines())) == (2, 1)
    assert told in run.err


# Where a setting comes from


def test_a_flag_beats_the_environment_and_that_the_file(configured: Program) -> None:
    """What the queue of each is called is what the service says does not exist."""
    file = configured.home / "config.toml"
    file.write_text('[profiles.default]\nqueue = "of-file"\n')
    configured.environment |= {"IMM_TUI_CONFIG": str(file), "IMM_TUI_QUEUE": "of-environment"}
    assert "“of-flag”" in configured("watch", "--queue", "of-flag").err
    assert "“of-environment”" in configured("watch").err
    assert "“of-file”" in configured("watch", IMM_TUI_QUEUE=None).err


def test_a_setting_may_stand_before_the_command_and_again_behind_it(configured: Program) -> None:
    assert "“before”" in configured("--queue", "before", "watch").err
    assert "“behind”" in configured("--queue", "before", "watch", "--queue", "behind").err


def test_each_profile_has_a_history_of_its_own(program: Program) -> None:
    file = program.home / "config.toml"
    file.write_text("[profiles.default]\n[profiles.other]\n")
    program.data.mkdir(0o700)
    program.data.joinpath("history-other.db").write_bytes(b"this is no database, " * 100)
    program.data.joinpath("history-other.db").chmod(0o600)
    assert program("tasks", "--config", str(file)).code == 0
    assert program("tasks", "--config", str(file), "--profile", "other").code == 2


# Without a terminal


def test_the_dashboard_with_nothing_configured_says_what_is_missing_and_offers_the_demo(program: Program) -> None:
    run = program()
    assert (run.code, run.out) == (4, "")
    missing = ("region", "account_id", "queue", "project", "config.toml")
    places = ("ALIBABA_CLOUD_ACCESS_KEY_ID", ".aliyun/config.json", "imm-tui demo")
    assert all(word in run.err for word in missing + places)


def test_the_dashboard_with_a_key_but_no_settings_names_them(program: Program) -> None:
    key = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "a-secret-of-no-use"}
    program.environment |= key
    run = program("--region", "cn-beijing")
    assert (run.code, run.out) == (2, "")
    assert "account_id, queue, project" in run.err


@pytest.mark.parametrize("command", [[], ["demo"]], ids=["dashboard", "demo"])
def test_a_screen_needs_a_terminal_and_other_commands_do_not(configured: Program, command: list[str]) -> None:
    run = configured(*command)
    assert (run.code, run.out) == (2, "")
    assert all(word in run.err for word in ("terminal", "imm-tui watch", "imm-tui tasks"))


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_trouble(program: Program, closed: str) -> None:
    script = f'"{sys.executable}" -m imm_tui tasks {closed}'
    run = subprocess.run(["/bin/sh", "-c", script], env=program.environment, capture_output=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")


# The emulator in the foreground


def test_the_emulator_prints_an_environment_that_the_other_commands_use(program: Program) -> None:
    emulator = program.start("emulator", "--samples", "--env-file", "cloud.env")
    assert emulator.stdout is not None
    lines = [emulator.stdout.readline().decode() for _ in range(11)]
    emulator.stdout.close()
    assert program.home.joinpath("cloud.env").read_text() == "".join(lines)
    script = f'. ./cloud.env; "{sys.executable}" -m imm_tui submit oss://demo/产品手册.pdf --to txt --wait'
    run = subprocess.run(["/bin/sh", "-c", script], env=program.environment, cwd=program.home, check=False)
    assert run.returncode == 0
    emulator.terminate()
    with emulator:
        assert emulator.wait(timeout=30) == 143


# Exit codes


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], 0),
        ([1], 1),
        ([1, 3], 3),
        ([3, 5, 1], 5),
        ([5, 6], 6),
        ([6, 4, 1], 4),
        ([4, 2, 5], 2),
    ],
)
def test_of_several_exit_codes_one_stands_above_the_others(codes: list[int], expected: int) -> None:
    assert worst(Exit(code) for code in codes) == expected


@pytest.mark.parametrize(
    ("room", "function", "command"),
    [("config", "load", "tasks"), ("notifications", "parse", "watch")],
    ids=["in-the-main-thread", "in-the-listener"],
)
def test_a_mistake_of_the_program_itself_tells_no_secret(
    configured: Program, emulator: RunningEmulator, room: str, function: str, command: str
) -> None:
    """Whatever the error says may quote a key; only its kind and its place are told."""
    mailbox = Mailbox(emulator)
    mailbox.publish("anything")
    script = (
        f"import sys; sys.argv = ['imm-tui', {command!r}, '--queue', {mailbox.name!r}]\n"
        f"from imm_tui import cli, {room}\n"
        "def broken(*_): raise KeyError('a-secret')\n"
        f"{room}.{function} = broken\n"
        "cli.run()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], env=configured.environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 70
    assert run.stderr.count("\n") == 1
    assert "KeyError" in run.stderr
    assert "a-secret" not in run.stderr + run.stdout
