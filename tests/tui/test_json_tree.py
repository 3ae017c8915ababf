"""JSON as lines of a tree."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imm_tui.tui.json_tree import FOLDED, OPEN, Node, parse

PLAIN = st.text().filter(lambda text: not text.lstrip().startswith(("{", "[")))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | PLAIN
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(PLAIN, inner), max_leaves=20)


def tree(text: str) -> list[Node]:
    nodes = parse(text)
    assert nodes is not None
    return nodes


def at(text: str, path: str) -> Node:
    return next(node for node in tree(text) if node.path == path)


def texts(nodes: list[Node]) -> list[str]:
    return [node.text(number) for number, node in enumerate(nodes)]


@given(VALUES, st.sampled_from([None, 1]))
def test_each_node_is_its_part_of_the_text(value: object, indent: int | None) -> None:
    for node in tree(json.dumps(value, indent=indent)):
        steps: list[str | int] = []
        above: Node | None = node
        while above is not None:
            steps += [above.step] if above.step is not None else []
            above = above.parent
        found: object = value
        for step in reversed(steps):
            found = found[step]  # type: ignore[index]
        assert json.loads(node.source[node.start : node.stop]) == found
        assert node.value == found if isinstance(found, str) else json.loads(node.value) == found


@given(
    st.recursive(st.integers() | st.booleans(), lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner))
)
def test_the_lines_are_the_same_json(value: object) -> None:
    shown = "\n".join(texts(tree(json.dumps(value))))
    assert json.loads(shown.replace(OPEN, "  ")) == value


@given(st.text() | st.text('{}[]",:1 \\'))
def test_what_is_no_json_is_said_to_be_none(text: str) -> None:
    nodes = parse(text)
    try:
        json.loads(text)
    except ValueError:
        assert nodes is None
    else:
        assert nodes


def test_it_is_indented_with_a_mark_in_front_of_what_can_be_folded() -> None:
    assert texts(tree('{"a": [1, {}], "b": "x"}')) == [
        "▾ {",
        '  ▾ "a": [',
        "      1,",
        "      {}",
        "    ],",
        '    "b": "x"',
        "  }",
    ]


def test_figures_and_repeated_keys_stay_as_they_came() -> None:
    shown = texts(tree('{"n": 12345678901234567890.10, "n": 1E5}'))
    assert shown[1:3] == ['    "n": 12345678901234567890.10,', '    "n": 1E5']


def test_json_in_a_string_is_part_of_the_tree_and_is_copied_as_the_string_says_it() -> None:
    body = json.dumps({"Message": ' {"events": [{"imm": {"taskId": "t-1"}}]}', "not": "{broken"})
    assert '  ▾ "Message": "{' in texts(tree(body))
    assert '    "not": "{broken"' in texts(tree(body))
    assert at(body, "Message.events[0].imm.taskId").value == "t-1"
    assert at(body, "Message").value == ' {"events": [{"imm": {"taskId": "t-1"}}]}'


def test_a_path_quotes_a_key_that_is_no_name() -> None:
    body = '[{"a b": {"é_1": 0, "": 1, "say \\"x\\"": 2}}]'
    assert [node.path for node in tree(body)][:6] == [
        "$",
        "[0]",
        '[0]["a b"]',
        '[0]["a b"].é_1',
        '[0]["a b"][""]',
        '[0]["a b"]["say \\"x\\""]',
    ]


def test_a_folded_node_says_in_one_line_what_it_is() -> None:
    node = at('{"a": {"b": 1}, "c": 2}', "a")
    assert node.folded_text == f'  {FOLDED}"a": {{…}},'


def test_nothing_in_it_is_an_instruction_to_a_terminal() -> None:
    shown = "".join(texts(tree('{"\u202ekey": "\\u001b[31m\u009b", "x": "\x7f"}')))
    assert not set(shown) & set("\u202e\x1b\u009b\x7f")


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 100_000 + "]" * 100_000, "1" * 1_000_000])
def test_extremes_are_read_or_refused_but_never_raise(text: str) -> None:
    parse(text)
