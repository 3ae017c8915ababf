"""What the codes of the services mean."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import imm_tui
from imm_tui import glossary
from imm_tui.cloud import refusals

HOUSE = Path(imm_tui.__file__).parent
ERRORS = {"ImmError", "MnsError", "Refusal", "_check_name"}
CODE = re.compile(r"[A-Z][A-Za-z]+(\.[A-Z][A-Za-z]+)*")

DOCUMENTED = """
    NoError FailedToDownloadSrcFile UnsupportedSrcFile ConvertTimeout WriteTgtUriFailed InvokeOSSFailed OpenFileError
    InvalidArgument MissingProjectName InvalidTargetType LimitExceededError ResourceAlreadyExists ResourceNotFound
    MissingProject InvalidMaxKeys InvalidParameter.SrcUri.Empty InvalidProject.NotFound InvalidAccessKeyId.NotFound
    SignatureDoesNotMatch SignatureNonceUsed Throttling Throttling.User Throttling.Api InvalidTimeStamp.Expired
    InternalError ServiceUnavailable NoPermission Forbidden.RAM AccessDenied InvalidAuthorizationHeader
    InvalidDateHeader InvalidDegist InvalidDigest InvalidRequestURL InvalidQueryString MalformedXML
    MissingAuthorizationHeader MissingDateHeader MissingVersionHeader MissingReceiptHandle MissingVisibilityTimeout
    ReceiptHandleError QueueDeletedRecently InvalidQueueName QueueNameLengthError QpsLimitExceeded TopicNameInvalid
    TopicNameLengthError SubscriptionNameInvalid SubscriptionNameLengthError EndpointInvalid InvalidAccessKeyId
    MessageNotExist QueueNotExist TopicNotExist SubscriptionNotExist SubscriberNotExist TimeExpired QueueAlreadyExist
    TopicAlreadyExist SubscriptionAlreadyExist InternalServerError NoSuchKey NoSuchBucket
"""
"""In the services' documents: what a task ends with, and what a call is refused with."""


def codes_of_the_emulator() -> Iterator[str]:
    """Every word that looks like a code, and is an error's or a task's in the emulator."""
    for path in (HOUSE / "emulator").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
                words = [word.value for word in node.args if isinstance(word, ast.Constant)]
                yield from (word for word in words if isinstance(word, str) and CODE.fullmatch(word))
    request = (HOUSE / "emulator" / "conversion" / "request.py").read_text(encoding="utf-8")
    yield from re.findall(r'^[A-Z_]+ = "([A-Z][A-Za-z]+)"$', request, re.MULTILINE)


def test_the_emulators_codes_are_found_where_they_are_written() -> None:
    assert {"QueueNotExist", "ResourceNotFound", "Throttling.User", "OpenFileError"} <= set(codes_of_the_emulator())


@pytest.mark.parametrize("code", sorted({*codes_of_the_emulator(), *DOCUMENTED.split(), *refusals._BARRING_CODES}))
def test_every_code_that_can_come_is_explained(code: str) -> None:
    entry = glossary.explain(code)
    assert entry is not None
    assert entry.meaning


def test_each_text_is_short_and_there_is_a_cure_for_each_cause() -> None:
    entries = glossary.entries()
    assert len(entries) >= 40
    for entry in entries:
        assert bool(entry.cause) == bool(entry.cure)
        for text in (entry.meaning, entry.cause, entry.cure):
            assert not text or text.endswith(".")
            assert len(re.findall(r"[.;?](?= [A-Z]|$)", text)) <= 2


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("nosuchkey", "NoSuchKey"),
        (" NoSuchKey ", "NoSuchKey"),
        ("Throttling.User", "Throttling.User"),
        ("Throttling.Other.More", "Throttling"),
        ("InvalidProject.NotFound", "InvalidProject"),
        ("MissingTargetType", "Missing*"),
        ("InvalidPages.Malformed", "Invalid*"),
        ("InternalServerError", "InternalError"),
    ],
)
def test_a_code_is_found_by_its_name_else_by_what_it_begins_with(code: str, found: str) -> None:
    entry = glossary.explain(code)
    assert entry is not None
    assert entry.code == found


@pytest.mark.parametrize("code", ["", ".", "...", "Nobody.Knows", "missing", "Inválido", "No" * 10_000 + ".x" * 500])
def test_what_nobody_knows_is_not_explained(code: str) -> None:
    assert glossary.explain(code) is None


def test_the_cause_and_the_cure_stand_in_two_lines_and_nothing_is_said_of_success() -> None:
    cause, cure = glossary.told("NoSuchKey").split("\n")
    assert cause.startswith("Likely cause: The source URI is misspelt")
    assert cure.startswith("What to do: Copy the object's URI")
    assert glossary.told("NoError") == glossary.told("Nobody.Knows") == ""


def test_it_speaks_the_language_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glossary, "_", str.upper)
    entry = glossary.explain("NoSuchKey")
    assert entry is not None
    assert (entry.code, entry.meaning) == ("NoSuchKey", "OSS HAS NO OBJECT OF THIS NAME.")
