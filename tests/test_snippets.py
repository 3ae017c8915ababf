"""The same call from a shell and from Python: each word arrives as it was sent, whatever stands in it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imm_tui import snippets
from imm_tui.cloud.imm import Imm
from imm_tui.credentials import Credentials
from imm_tui.tasks import API_VERSIONS, ApiVersion
from tests.conftest import RunningEmulator

HOSTILE = 'it\'s "5页" $HOME `id` \\ !! *\n\x1b]0;x\x07 -- \u202e😀.docx'


def request(
    version: str = "2020-09-30", endpoint: str = "https://imm.cn-beijing.aliyuncs.com", **parameters: Any
) -> Any:
    return {
        "action": "CreateOfficeConversionTask",
        "version": version,
        "region": "cn-beijing",
        "endpoint": endpoint,
        "parameters": parameters,
    }


def test_the_command_is_what_a_person_would_write() -> None:
    sent = request(
        ProjectName="demo",
        SourceURI="oss://bucket/5页.docx",
        TargetType="png",
        Notification='{"MNS": {"TopicName": "t"}}',
    )
    assert snippets.aliyun(sent).splitlines() == [
        "aliyun imm CreateOfficeConversionTask \\",
        "    --region cn-beijing \\",
        "    --endpoint imm.cn-beijing.aliyuncs.com \\",
        "    --ProjectName demo \\",
        "    --SourceURI 'oss://bucket/5页.docx' \\",
        "    --TargetType png \\",
        """    --Notification '{"MNS": {"TopicName": "t"}}'""",
    ]


def test_a_version_that_the_cli_does_not_know_is_forced_under_a_name_that_it_does_not_know() -> None:
    words = shlex.split(snippets.aliyun(request("2017-09-06", Project="demo")).replace("\\\n", ""))
    assert words[:3] == ["aliyun", "imm2017", "CreateOfficeConversionTask"]
    assert words[3] == "--force"
    assert words[words.index("--version") + 1] == "2017-09-06"


def test_an_endpoint_without_tls_and_a_value_like_an_option_are_written_as_the_cli_reads_them() -> None:
    words = shlex.split(snippets.aliyun(request(endpoint="http://127.0.0.1:80", EndPage=-1)).replace("\\\n", ""))
    assert "--insecure" in words
    assert words[words.index("--endpoint") + 1] == "127.0.0.1:80"
    assert "--EndPage=-1" in words


def words_in_a_shell(command: str, folder: Path, **environ: str) -> list[str]:
    """What a program named `aliyun` is given when bash runs `command`."""
    program = folder / "aliyun"
    program.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    program.chmod(0o700)
    environ |= {"PATH": f"{folder}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["bash", "-c", command], env=environ, capture_output=True, check=True, text=True)
    words: list[str] = json.loads(done.stdout)
    return words


def test_a_shell_hands_every_word_over_as_it_was_sent_and_the_clipboard_takes_none_away(tmp_path: Path) -> None:
    command = snippets.aliyun(request(SourceURI=HOSTILE, Tags="-x\ty", Password=None))
    assert command.replace(" \\\n", "").isprintable()
    words = words_in_a_shell(command, tmp_path, DOCUMENT_PASSWORD="p 'w'")
    assert words[-5:] == ["--SourceURI", HOSTILE, "--Tags=-x\ty", "--Password", "p 'w'"]


@given(st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1))
def test_every_printable_word_survives_a_shell(word: str) -> None:
    words = shlex.split(snippets.aliyun(request(UserData=word)).replace(" \\\n", " "))
    assert words[-1] in (word, f"--UserData={word}")


@given(st.text())
def test_the_program_holds_every_text_and_only_what_can_be_shown(text: str) -> None:
    program = snippets.python(request(UserData=text, Password=None))
    compile(program, "program", "exec")
    assert program.replace("\n", "").isprintable()
    assert f"'UserData': {text!r}," in program
    assert "'Password': os.environ['DOCUMENT_PASSWORD']," in program


@pytest.mark.parametrize("version", API_VERSIONS)
def test_the_program_makes_the_same_task_at_imm(emulator: RunningEmulator, version: ApiVersion, tmp_path: Path) -> None:
    source, endpoint = f"oss://snippets/{HOSTILE}", emulator.env["IMM_TUI_IMM_ENDPOINT"]
    old = version == "2017-09-06"
    place = "oss://snippets/out/"
    names = (
        ("Project", "SrcUri", "TgtUri", "TgtType")
        if old
        else ("ProjectName", "SourceURI", "TargetURIPrefix", "TargetType")
    )
    parameters = dict(zip(names, (emulator.project, source, place, "pdf"), strict=True))
    token = {"IdempotentToken": "t-1"} if old else {"UserData": HOSTILE}
    program = tmp_path / "program.py"
    program.write_text(snippets.python(request(version, endpoint, **parameters, **token, Password=None)), "utf-8")
    environ = {**emulator.env, "DOCUMENT_PASSWORD": "p"}
    done = subprocess.run([sys.executable, str(program)], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    task_id = json.loads(done.stdout)["TaskId"]
    keys = Credentials(emulator.access_key_id, emulator.access_key_secret)
    with closing(
        Imm(
            endpoint=endpoint,
            region=emulator.region,
            api_version=version,
            project=emulator.project,
            topic="",
            mns_endpoint="",
            credentials=keys,
        )
    ) as imm:
        answer = imm.get_task(task_id)
    assert answer is not None
    known = json.loads(answer.body)
    assert (known["SrcUri"] == source) if old else (known["UserData"] == HOSTILE)
