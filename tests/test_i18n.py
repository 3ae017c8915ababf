"""Two languages: how one is chosen, and that the catalogue has every text of the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from imm_tui import i18n


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


def test_a_language_that_there_is_not_changes_nothing() -> None:
    i18n.use("zh_CN")
    with pytest.raises(KeyError):
        i18n.use("tlh")
    assert i18n.language() == "zh_CN"


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
