"""What somebody hostile would put where outside text is shown or read: texts for a screen, bodies for a queue.

The payloads' parameters are such that a terminal library would never write them itself, so that one which came through
can be told from what was meant.
"""

from __future__ import annotations

import base64
import gzip
import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from tests.mailbox import notification


@dataclass(frozen=True, slots=True)
class Payload:
    """A text that wants more than to be read."""

    name: str
    text: str

    @property
    def plain(self) -> bool:
        """Whether it is to be seen exactly as it is: no character of it is an order, or disputed in its width."""
        return len(self.text) < 200 and all(
            character.isprintable() and character < "\U0001f000" and not unicodedata.category(character).startswith("M")
            for character in self.text
        )


_TEXTS = {
    # What ECMA-48 calls control sequences, and the escapes beside them
    "sgr": "\x1b[6;31;45mblink",
    "sgr-without-end": "tail\x1b[38;2;1;2;",
    "clear-screen": "\x1b[2J\x1b[3J",
    "cursor": "\x1b[777;999H",
    "scroll-region": "\x1b[5;6r",
    "leave-alternate-screen": "\x1b[?1049l\x1b[?47l",
    "mouse-on": "\x1b[?1002h",
    "report-position": "\x1b[6n\x1b[?6n",
    "report-device": "\x1b[c\x1b[>c",
    "report-title": "\x1b[21t",
    "iconify": "\x1b[2t\x1b[8;1;1t",
    "repeat": "r\x1b[999999b",
    "insert-and-delete": "\x1b[99@\x1b[99P\x1b[99L",
    "print": "\x1b[5i",
    "soft-reset": "\x1b[!p",
    "hard-reset": "\x1bc",
    "charset": "\x1b(0qqq\x0e",
    "fill-with-e": "\x1b#8",
    "end-of-paste": "\x1b[201~q",
    "keyboard-protocol": "\x1b[>31u\x1b[=31;1u",
    "two-escapes": "\x1b\x1b[6m",
    # Strings: the title, links, the clipboard, pictures
    "title": "\x1b]0;owned\x07",
    "title-st": "\x1b]2;owned\x1b\\",
    "link": "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "file-link": "\x1b]8;;file:///etc/passwd\x07open\x1b]8;;\x07",
    "clipboard": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "clipboard-query": "\x1b]52;c;?\x07",
    "colours": "\x1b]4;1;#ff0000\x07\x1b]10;?\x07",
    "folder": "\x1b]7;file://evil/etc\x07",
    "notice": "\x1b]9;owned\x07\x1b]777;notify;a;b\x07",
    "prompt-mark": "\x1b]133;C\x07",
    "iterm-file": "\x1b]1337;File=name=eA==;inline=1:AAAA\x07",
    "unterminated-string": "\x1b]0;swallows all that follows",
    "sixel": "\x1bPq#0;2;0;0;0~~\x1b\\",
    "request-status": "\x1bP$qm\x1b\\",
    "tmux": "\x1bPtmux;\x1b\x1b]0;owned\x07\x1b\\",
    "kitty-picture": "\x1b_Gf=100,t=f;L2V0Yy9wYXNzd2Q=\x1b\\",
    "privacy-message": "\x1b^owned\x1b\\\x1bXowned\x1b\\",
    # One by one
    "c0-first": "".join(map(chr, range(1, 8))),
    "c0-layout": "a\x08\x08b\x0bc\x0cd",
    "c0-shifts": "".join(map(chr, range(0x0E, 0x18))),
    "c0-last": "".join(map(chr, range(0x18, 0x20))),
    "nul": "a\0b",
    "tab": "a\tb\tc",
    "carriage-return": "safe\revil",
    "line-feed": "one\ntwo\r\nthree",
    "delete": "a\x7fb",
    "c1-sequence": "\x9b6;31m",
    "c1-string": "\x9d0;owned\x9c",
    "c1-device": "\x90q~\x9c\x9fGowned\x9c",
    "c1-all": "".join(map(chr, range(0x80, 0xA0))),
    # What has no picture, or reorders others
    "override": "photo\u202egpj.exe",
    "embedding": "\u202a\u202b\u202da\u202c",
    "isolates": "\u2066a\u2067b\u2068c\u2069",
    "marks": "\u061ca\u200eb\u200f",
    "family": "👨\u200d👩\u200d👧",
    "zero-width": "pay\u200bpal\ufeff\u2060\u2063",
    "fillers": "\u115f\u1160\u3164\uffa0\u00ad\u034f",
    "variation": "a\ufe0f❤\ufe0e\U000e0100",
    "tags": "\U000e0001\U000e0065\U000e007f",
    "annotation": "\ufff9a\ufffab\ufffb",
    "separators": "a\u2028b\u2029c",
    "high-surrogate": "a\ud83d",
    "low-surrogate": "\udc9b6;31m",
    # Wide ones
    "wide": "产品手册：很长的名字。docx",
    "half-width": "ｶﾀｶﾅﾞ",
    "right-to-left": "שלום עולם",
    # Words that somebody's language would act on
    "markup-style": "[red]not red[/red]",
    "markup-open": "[bold",
    "markup-close": "a [/] b [/foo] c",
    "markup-click": "[@click=app.quit]press me[/]",
    "markup-click-call": "[@click='app.exit(9)']x[/]",
    "markup-link": "[link=https://evil.example]x[/link]",
    "markup-variable": "[$primary]q[/] $error",
    "markup-escape": "tail\\[/bold] a\\[b]\\",
    "markup-glob": "oss://b/[a-z]*.docx",
    "markup-emoji": ":warning: :skull:",
    "markup-nested": "[[red]][bold][italic][/bold]",
    "percent-format": "%s%n%x%(name)s%",
    "brace-format": "{} {0.__class__} {settings} {{",
    "shell": "$(id) `id` ; id | id & ${IFS} > x",
    "path": "../../../../etc/passwd",
    "file-uri": "file:///etc/passwd",
    "html": "<script>alert(1)</script> &lt;b&gt;",
    "quotes": "\"'`' OR 1=1; --",
    "escaped": "\\x1b[31m \\u001b]0;x\\u0007 ^[[31m",
    # Behind all others: of what a terminal draws behind these on a line, pyte has another opinion
    "emoji": "😀🏳\U0001f3fd🇨🇳",
    "combining-flood": "z" + "\u0301" * 150,
    "combining-mixture": "e" + "\u0489\u20dd\u0f71\u1dc4\u0336" * 20,
    # Longer than anybody reads
    "long": "x" * 1_000_000,
    "long-wide": "页" * 300_000,
    "long-escapes": "\x1b[6m" * 10_000,
}

PAYLOADS = [Payload(name, text) for name, text in _TEXTS.items()]


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of a message."""

    name: str
    data: bytes


def _event(**imm: object) -> dict[str, object]:
    told = {"taskId": "odd", "code": "NoError", "percent": 100, "pageCount": 5, **imm}
    return {"eventName": "FormatConvertJob:TaskFinished", "eventSource": "acs:imm", "imm": told}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _with_imm(written: str) -> bytes:
    """A notification in which `written` stands, as it is, among the fields of a task."""
    return f'{{"events":[{{"eventSource":"acs:imm","imm":{{"taskId":"odd","code":"NoError",{written}}}}}]}}'.encode()


def _layers(data: bytes, times: int) -> bytes:
    for _ in range(times):
        data = base64.b64encode(data)
    return data


def _strings(text: str, times: int) -> str:
    """JSON in a string of JSON, again and again; each layer escapes the one within."""
    for _ in range(times):
        text = json.dumps({"message": text})
    return text


def _bodies() -> Iterator[tuple[str, bytes]]:
    good = notification("odd")
    whole = good.encode()
    yield from {
        "empty": b"",
        "blank": b" \n\t ",
        "nul": b"\0",
        "nul-bytes": b"\0" * 65_536,
        "words": b"not IMM's",
        "64-kib-of-letters": b"x" * 65_536,
        "64-kib-of-blanks": b" " * 65_535 + b"{",
        "64-kib-of-quotes": b'"' * 65_536,
        "64-kib-of-backslashes": b'"' + b"\\" * 65_535,
        "64-kib-of-base64": base64.b64encode(b"{" * 49_000),
        "64-kib-of-digits": b"1" * 65_536,
        "64-kib-string": _json({"events": [_event(message="x" * 65_000)]}),
        "every-byte": bytes(range(256)),
        "every-byte-in-a-string": b'{"events":"' + bytes(range(256)) + b'"}',
        # Nesting
        "deep-arrays": b"[" * 100_000 + b"]" * 100_000,
        "deep-arrays-open": b"[" * 100_000,
        "deep-objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "deep-events": b'{"events":[' * 100_000,
        "deep-messages": b'{"message":' * 100_000 + b"1" + b"}" * 100_000,
        "deep-in-a-field": _with_imm('"x":' + "[" * 100_000 + "]" * 100_000),
        "deep-900": b"[" * 900 + b"]" * 900,
        "deep-after-an-event": whole + b"[" * 100_000,
        "deep-xml": b"<a>" * 100_000 + b"</a>" * 100_000,
        "deep-xml-open": b"<a>" * 100_000,
        "deep-xml-message": b"<Notification>" + b"<Message>" * 50_000 + b"x" + b"</Message>" * 50_000,
        "deep-base64": _layers(whole, 20),
        "deep-strings": _strings(good, 10).encode(),
        "deep-content": _strings("[" * 5_000, 5).encode(),
        # Numbers
        "huge-percent": _with_imm('"percent":' + "9" * 60_000),
        "huge-pages": _with_imm('"pageCount":' + "9" * 5_000),
        "huge-exponent": _with_imm('"percent":1e999999'),
        "tiny-exponent": _with_imm('"percent":1e-999999'),
        "negative": _with_imm('"percent":-1,"pageCount":-1e400'),
        "not-a-number": _with_imm('"percent":NaN,"pageCount":Infinity'),
        "minus-zero": _with_imm('"percent":-0'),
        "18-digits": _with_imm('"pageCount":' + "9" * 18),
        "64-bit": _with_imm('"pageCount":9223372036854775808'),
        "arabic-digits": _with_imm('"percent":"٣٣"'),
        "superscript-digits": _with_imm('"percent":"²²"'),
        "long-fraction": _with_imm('"percent":0.' + "1" * 60_000),
        "numeric-task": _json({"events": [_event(taskId=10**17)]}),
        "boolean-task": _json({"events": [_event(taskId=True)]}),
        "far-time": _json({"events": [{**_event(), "eventTime": "9999-12-31T23:59:59-23:59"}]}),
        "year-0": _json({"events": [{**_event(), "eventTime": "0000-00-00T00:00:00Z"}]}),
        "time-of-digits": _json({"events": [{**_event(), "eventTime": "9" * 14}]}),
        "time-of-words": _json({"events": [{**_event(), "eventTime": "\x1b[6myesterday"}]}),
        # Characters
        "nul-in-a-string": _json({"events": [_event(taskId="a\0b")]}),
        "nul-raw-in-a-string": _with_imm('"message":"a\0b"'),
        "surrogate": _with_imm('"message":"\\ud800"'),
        "surrogate-task": b'{"events":[{"eventSource":"acs:imm","imm":{"taskId":"a\\ud800b","code":"NoError"}}]}',
        "surrogates-reversed": _with_imm('"message":"\\udc00\\ud800"'),
        "surrogate-bytes": whole.replace(b"odd", b"o\xed\xa0\x80dd"),
        "overlong-utf-8": whole.replace(b"odd", b"\xc0\xaf\xe0\x80\xaf"),
        "utf-8-cut": whole[:-2] + b"\xe9\xa1",
        "beyond-unicode": whole.replace(b"odd", b"\xf5\x80\x80\x80"),
        "bad-escape": _with_imm('"message":"\\x41\\u12"'),
        "line-break-in-a-string": _with_imm('"message":"a\nb"'),
        "utf-8-bom": b"\xef\xbb\xbf" + whole,
        "two-boms": b"\xef\xbb\xbf" * 2 + whole,
        **{
            name: good.encode(name)  # those without an order of bytes begin with a mark of it
            for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "cp037", "utf-7")
        },
        "gb18030": good.replace("odd", "页").encode("gb18030"),
        "utf-16-cut": good.encode("utf-16")[:-1],
        # Keys and shapes
        "two-keys": b'{"events":[],"events":' + _json([_event()]) + b"}",
        "two-task-ids": _with_imm('"taskId":"other"'),
        "10000-keys": _json({f"key-{number}": number for number in range(10_000)} | {"events": [_event()]}),
        "same-key-10000-times": b'{"events":[],' + b",".join([b'"a":1'] * 10_000) + b"}",
        "prototype": b'{"__proto__":{"events":[]},"constructor":1,"__class__":"x"}',
        "events-of-everything": _json({"events": [None, True, 1, 1.5, "x", [], {}, [[]], {"imm": []}, {"imm": None}]}),
        "events-null": b'{"events":null}',
        "events-text": _json({"events": json.dumps([_event()])}),
        "events-object": _json({"events": _event()}),
        "object-for-text": _json({"events": [_event(taskId={"a": 1}, code=[1], message={})]}),
        "empty-task": _json({"events": [_event(taskId="  ")]}),
        "task-of-64-kib": _json({"events": [_event(taskId="t" * 65_000)]}),
        "10000-events": _json({"events": [_event(taskId=f"odd-{number}") for number in range(10_000)]}),
        "10000-times-one-event": _json({"events": [_event()] * 10_000}),
        "10000-bodies": b"\n".join([_json({"events": [_event()]})] * 10_000),
        "10000-foreign-bodies": b"{}" * 10_000,
        "two-bodies": whole + whole,
        "a-body-and-rubbish": whole + b"]]}}",
        "json-null": b"null",
        "json-number": b"42",
        "json-string": b'"x"',
        "json-true": b"true",
        "oss-event": _json({"events": [{"eventSource": "acs:oss", "eventName": "ObjectCreated:PutObject", "oss": {}}]}),
        # XML
        "entity-bomb": b'<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(b'<!ENTITY a%d "%s">' % (number, b"&a%d;" % (number - 1) * 10) for number in range(1, 12))
        + b"]><Notification><Message>&a11;</Message></Notification>",
        "quadratic-entity": b'<!DOCTYPE b [<!ENTITY a "%s">]><b>%s</b>' % (b"a" * 30_000, b"&a;" * 10_000),
        "external-entity": b'<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]><b><Message>&a;</Message></b>',
        "parameter-entity": b'<!DOCTYPE b [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x"> %a;]><Message>x</Message>',
        "doctype-later": b"<?xml version='1.0'?><!-- x --><!DOCTYPE b SYSTEM 'x.dtd'><b/>",
        "doctype-in-lower-case": b'<!doctype b [<!ENTITY a "x">]><Message>&a;</Message>',
        "stylesheet": b"<?xml-stylesheet href='file:///etc/passwd'?><Message>x</Message>",
        "unknown-encoding": b"<?xml version='1.0' encoding='x-none'?><Notification/>",
        "declared-utf-16": b"<?xml version='1.0' encoding='utf-16'?><Notification/>",
        "html": b"<!doctype html><html><body>502 Bad Gateway</body></html>",
        "cdata": b"<Notification><Message><![CDATA[" + whole + b"]]></Message></Notification>",
        "cdata-open": b"<Notification><Message><![CDATA[" + whole,
        "envelope-cut": b"<Notification><Message>" + whole,
        "10000-attributes": b"<a " + b" ".join(b'b%d="1"' % number for number in range(10_000)) + b"/>",
        "100000-elements": b"<a>" + b"<b/>" * 100_000 + b"</a>",
        "10000-openings": b"<Message>" * 10_000 + b"&",
        "angle-brackets": b"<" * 65_536,
        # Other people's formats
        "gzip": gzip.compress(whole, mtime=0),
        "gzip-in-base64": base64.b64encode(gzip.compress(whole, mtime=0)),
        "gzip-bomb": gzip.compress(b"[" * 10_000_000, mtime=0),
        "gzip-bomb-in-base64": base64.b64encode(gzip.compress(b"\0" * 10_000_000, mtime=0)),
        "zip": b"PK\x03\x04" + bytes(200),
        "pickle": b"cos\nsystem\n(S'id'\ntR.",
        "yaml": b"events: &a [*a, *a]",
        "terminal-title": b"\x1b]0;owned\x07",
        "base64-cut": base64.b64encode(whole)[:-3],
        "base64-of-blanks": base64.b64encode(b"    "),
        "base64-in-lines": base64.encodebytes(whole),
    }.items()
    for at in range(1, len(whole), 7):
        yield f"cut-at-{at}", whole[:at]


BODIES = [Body(name, data) for name, data in _bodies()]
