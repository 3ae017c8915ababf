"""Two languages: how one is chosen, that the catalogue has every text of the source, and the commands in Chinese."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from imm_tui import config, i18n
from screenshots import scene
from tests import messages
from tests.program import Program
from tests.tui.conftest import SETTINGS

HOUSE = Path(i18n.__file__).parent


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    i18n.use("en")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "zh_TW"}, "zh_CN"),
        ({"LANG": "zh"}, "zh_CN"),
        ({"LANG": "zh-Hans"}, "zh_CN"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB", "LC_MESSAGES": "zh_CN"}, "zh_CN"),
        ({"LANG": "zh_CN", "LC_MESSAGES": "", "LC_ALL": ""}, "zh_CN"),
        ({"LANG": "zhuang"}, "en"),
    ],
)
def test_the_environment_chooses_as_it_does_for_any_program(environment: dict[str, str], language: str) -> None:
    assert i18n.of_environment(environment) == language


def test_no_text_is_no_text_in_any_language() -> None:
    for language in i18n.LANGUAGES:
        i18n.use(language)
        assert i18n._("") == ""
        assert i18n.language() == language


def test_sentences_stand_behind_one_another_as_their_language_has_it() -> None:
    assert i18n.sentences("It is so.", "", "It stays so.") == "It is so. It stays so."
    assert i18n.sentences("", "如此。", "依旧如此。", "RequestId 7.", "再试。") == "如此。依旧如此。RequestId 7. 再试。"
    assert i18n.sentences("", "") == ""


def test_a_language_that_there_is_not_changes_nothing() -> None:
    i18n.use("zh_CN")
    with pytest.raises(KeyError):
        i18n.use("tlh")
    assert i18n.language() == "zh_CN"


CATALOGUE = Path("imm_tui/locale/zh_CN/LC_MESSAGES/imm_tui.mo")


@pytest.mark.parametrize(
    ("catalogue", "told"),
    [
        ((HOUSE.parent / CATALOGUE).read_bytes(), "详情"),
        ((HOUSE.parent / CATALOGUE).read_bytes()[:100], "Detail"),
        (b"no catalogue at all", "Detail"),
        (b"", "Detail"),
        (None, "Detail"),
    ],
    ids=["whole", "torn", "something else", "empty", "none"],
)
def test_chinese_is_read_from_a_zip_of_the_sources_and_is_english_where_it_cannot_be(
    catalogue: bytes | None, told: str, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "sources.zip", "w") as sources:
        for path in (HOUSE / "__init__.py", HOUSE / "i18n.py"):
            sources.write(path, path.relative_to(HOUSE.parent))
        if catalogue is not None:
            sources.writestr(str(CATALOGUE), catalogue)
    script = "from imm_tui import i18n; i18n.use('zh_CN'); print(i18n._('Detail'))"
    environment = {"PYTHONPATH": str(tmp_path / "sources.zip"), "PYTHONUTF8": "1"}
    run = subprocess.run([sys.executable, "-P", "-c", script], env=environment, capture_output=True, check=True)
    assert run.stdout.decode().strip() == told


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "N_", "ngettext"):
            yield node


@pytest.mark.parametrize("path", sorted(Path(i18n.__file__).parent.rglob("*.py")), ids=lambda path: path.name)
def test_what_is_to_be_translated_can_be_found_in_the_source(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    marked = any(isinstance(node, ast.ImportFrom) and node.module == "imm_tui.i18n" for node in ast.walk(tree))
    for call in calls(tree) if marked else ():
        texts = call.args[:2] if isinstance(call.func, ast.Name) and call.func.id == "ngettext" else call.args
        for text in texts:
            assert not isinstance(text, ast.JoinedStr), f"{path.name}:{call.lineno}: an f-string cannot be translated"
            if isinstance(text, ast.Constant):
                assert isinstance(text.value, str)
                assert "{}" not in text.value, f"{path.name}:{call.lineno}: a field needs a name: its place may change"


def strings(text: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [text] if isinstance(text, str) else list(text or ())


def translated() -> list[Message]:
    return [message for message in messages.translations() if message.id]


def test_make_messages_would_change_nothing() -> None:
    fresh = messages.up_to_date()
    assert messages.PO.read_bytes() == messages.as_po(fresh)
    assert messages.MO.read_bytes() == messages.as_mo(fresh)


def test_every_text_has_a_translation_that_somebody_has_looked_at() -> None:
    assert len(translated()) > 1000
    assert [message.id for message in translated() if message.fuzzy or not all(strings(message.string))] == []


def test_a_translation_has_the_fields_and_the_outer_blanks_of_its_text() -> None:
    def frame(text: str) -> tuple[set[str], str, str]:
        fields = set(re.findall(r"\{\w+[^{}]*\}|%\(\w+\)\w|%[rs]", text))
        return fields, text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]

    for message in translated():
        for string in strings(message.string):
            assert frame(string) == frame(strings(message.id)[-1])


def test_chinese_sentences_have_chinese_stops() -> None:
    for message in translated():
        for string in strings(message.string):
            assert not re.search("[\u4e00-\u9fff][,;!?]|[\u4e00-\u9fff]:(?! $)|[\u4e00-\u9fff][.]$", string), string


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    program = Program(tmp_path / "home", {"LANG": "zh_CN.UTF-8"})
    yield program
    program.close()


@pytest.fixture
def with_history(program: Program) -> Program:
    path = config.history_path(config.load({}, program.environment), program.environment)
    path.parent.mkdir(mode=0o700, parents=True)
    scene.write(path, SETTINGS)
    for made in path.parent.iterdir():
        made.chmod(0o600)
    return program


@pytest.mark.parametrize("command", ["", "demo", "submit", "watch", "tasks", "emulator"])
def test_the_help_is_in_chinese_and_names_the_same_flags(program: Program, command: str) -> None:
    arguments = (*filter(None, [command]), "--help")
    chinese, english = program(*arguments), program(*arguments, LANG="C.UTF-8")
    assert chinese.code == 0
    assert re.findall(r"(?<![\w-])--[a-z-]+", chinese.out.partition("\n\n")[2])
    assert set(re.findall(r"^  (-\S+)", chinese.out, re.MULTILINE)) == set(
        re.findall(r"^  (-\S+)", english.out, re.MULTILINE)
    )
    for line in chinese.out.splitlines():
        told = re.sub(r"^(用法: |  *)", "", line)
        assert re.search("[\u4e00-\u9fff]", told) or not re.search("[a-z]{2,} [a-z]{2,} [a-z]{2,}", told), line


def test_the_arguments_are_complained_of_in_chinese(program: Program) -> None:
    run = program("watch", "--count", "many")
    assert (run.code, run.out) == (2, "")
    assert run.err == "imm-tui: 参数 --count：'many' 不是从 1 开始的整数。详情见 `imm-tui watch --help`。\n"
    assert program("watch", "--bogus").err.startswith("imm-tui: 无法识别的参数：--bogus。")
    assert program("submit", "x").err.startswith("imm-tui: 缺少以下参数：--to。")


def test_what_is_missing_is_told_in_chinese(program: Program) -> None:
    run = program("watch")
    assert run.code == 4
    assert "没有找到访问密钥。" in run.err
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID 和 ALIBABA_CLOUD_ACCESS_KEY_SECRET" in run.err


def test_json_and_the_words_of_a_status_are_the_same_in_every_language(with_history: Program) -> None:
    chinese, english = (with_history("tasks", "--json", LANG=language) for language in ("zh_CN.UTF-8", "C.UTF-8"))
    assert len(chinese.objects) > 20
    assert chinese == english
    assert "Succeeded" in with_history("tasks").out
