"""A JSON text as lines of a tree: what each says, which part of the text it is, and where in the tree it stands.

Every value is a part of the text as it came: a figure keeps its digits, and a key that comes twice is there twice.
JSON in a string (an envelope's Message, an event's content) is part of the tree. Pure: no widget.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from imm_tui.text import BLOCK_LENGTH, line

OPEN, FOLDED = "▾ ", "▸ "
"""In front of what can be folded."""

_DEEPEST = 16
"""Levels that are indented; what is deeper stands below each other."""

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_PART = re.compile(
    rf"(?P<key>{_STRING})\s*:|(?:(?P<close>[\]}}])|(?P<value>{_STRING}|[\[{{]|[^\s,:\"\[\]{{}}]+))(?P<comma>\s*,)?",
    re.DOTALL,
)
_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(slots=True, eq=False)
class Node:
    """A value. An object or array with something in it goes from its `line` to its `end`.

    It is `source[start:stop]`; the source is the body, or a string in it that is JSON itself.
    """

    parent: Node | None
    step: str | int | None
    """The key or the number that leads to it from its parent."""
    source: str
    start: int
    stop: int
    line: int
    end: int
    depth: int
    brackets: str = ""
    quoted: bool = False
    """The object or array is what a string says."""
    size: int = 0
    """How many keys or items it has."""
    last: bool = True
    """No comma follows."""
    folded: bool = False

    @property
    def foldable(self) -> bool:
        return self.end > self.line

    @property
    def value(self) -> str:
        """What is copied of it: of a string what it says, of everything else the text as it came."""
        if self.quoted:
            return self.source
        text = self.source[self.start : self.stop]
        return str(json.loads(text)) if text.startswith('"') else text

    @property
    def path(self) -> str:
        """`events[0].imm.taskId`; a key that is no name is quoted, `["a b"]`, and the whole is `$`."""
        steps: list[str] = []
        node: Node | None = self
        while node is not None:
            if isinstance(node.step, int):
                steps.append(f"[{node.step}]")
            elif node.step is not None:
                named = _NAME.fullmatch(node.step)
                steps.append(f".{node.step}" if named else f"[{json.dumps(node.step, ensure_ascii=False)}]")
            node = node.parent
        return "".join(reversed(steps)).removeprefix(".") or "$"

    def text(self, number: int) -> str:
        """What it says, open, in its line of this number: fit to be shown, and indented."""
        blank = " " * self.mark
        quote = '"' if self.quoted else ""
        comma = "" if self.last else ","
        if number != self.line:
            return f"{blank}  {self.brackets[1]}{quote}{comma}"
        label = f"{_shown(self.step)}: " if isinstance(self.step, str) else ""
        if self.foldable:
            return f"{blank}{OPEN}{label}{quote}{self.brackets[0]}"
        text = self.source[self.start : self.stop]
        escaped = text.startswith('"') and "\\" in text
        value = _shown(json.loads(text)) if escaped else self.brackets or line(text, BLOCK_LENGTH)
        return f"{blank}  {label}{quote}{value}{quote}{comma}"

    @property
    def mark(self) -> int:
        """The cell of its mark, with which its first line begins."""
        return min(self.depth, _DEEPEST) * len(OPEN)

    @property
    def folded_text(self) -> str:
        """What it says in one line when it is folded."""
        return f"{self.text(self.line).replace(OPEN, FOLDED, 1)}…{self.text(self.end).strip()}"


def _shown(text: str) -> str:
    """A string as JSON writes it."""
    return line(json.dumps(text, ensure_ascii=False), BLOCK_LENGTH)


def parse(text: str) -> list[Node] | None:
    """The node of each line; one that can be folded stands there twice, at its `line` and its `end`. None: no JSON."""
    if not _is_json(text):
        return None
    lines: list[Node] = []
    _read(text, None, None, lines)
    return lines


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_int=str, parse_float=str)  # a figure is kept as it is: it may have a million digits
    except (ValueError, RecursionError):
        return False
    return True


def _read(source: str, parent: Node | None, step: str | int | None, lines: list[Node]) -> Node:
    """Adds the lines of a source that is JSON, and says which node is the whole of it."""
    opened: list[Node] = []
    key, first = "", len(lines)
    for part in _PART.finditer(source):
        if part["key"]:
            key = json.loads(part["key"])
        elif part["close"]:
            node = opened.pop()
            node.stop, node.last = part.end("close"), not part["comma"]
            if node.size:
                node.end = len(lines)
                lines.append(node)
        else:
            if opened:
                parent = opened[-1]
                step = key if parent.brackets == "{}" else parent.size
                parent.size += 1
            value = part["value"]
            if (inner := _within(value)) is not None:
                node = _read(inner, parent, step, lines)
                node.quoted = True
            else:
                depth = 0 if parent is None else parent.depth + 1
                node = Node(parent, step, source, *part.span("value"), line=len(lines), end=len(lines), depth=depth)
                lines.append(node)
                if value in ("{", "["):
                    node.brackets = "{}" if value == "{" else "[]"
                    opened.append(node)
            node.last = not part["comma"]
    return lines[first]


def _within(value: str) -> str | None:
    """The JSON that a string says, where that is an object or an array."""
    if not value.startswith('"') or ("{" not in value and "[" not in value):
        return None
    said = str(json.loads(value))
    return said if said.lstrip().startswith(("{", "[")) and _is_json(said) else None
