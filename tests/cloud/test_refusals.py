"""What of a service's own text a person is told."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imm_tui.cloud.refusals import is_about_the_key, is_missing, refused
from imm_tui.errors import Barred, Denied, KeyRefused, NotActivated, Refused

Form = Callable[[str], str]
FORMS: dict[str, Form] = {
    "raw": str,
    "url": lambda text: quote(text, safe=""),
    "url, lenient": quote,
    "form": quote_plus,
    "url, small letters": lambda text: quote(text, safe="").replace("%2B", "%2b"),
    "url, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "html": html.escape,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for urls": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 in a url": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
}


def told(message: str, *secrets: str) -> str:
    refusal = refused(
        "IMM",
        "InvalidArgument",
        message,
        None,
        status=400,
        retry_after=None,
        resource="it",
        action="imm:Do",
        secrets=secrets,
    )
    return refusal.why


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@given(before=st.text(max_size=9), secret=st.sampled_from(["s+c/r&t 密 <0123>==", "pass", "p4$?>~~"]), after=st.text())
def test_a_text_that_holds_a_secret_in_any_form_is_left_out(form: Form, before: str, secret: str, after: str) -> None:
    assert told(f"odd: {form(before + secret + after)}", "", secret) == ""


@given(st.text("abcdefgh", min_size=1))
def test_a_text_that_holds_none_is_quoted(text: str) -> None:
    assert told(text, "", "s3cret/+") == f"IMM says: {text}."


def kind_of(code: str, message: str = "No.", status: int = 403) -> type[Refused]:
    refusal = refused(
        "IMM",
        code,
        message,
        None,
        status=status,
        retry_after=None,
        resource="it",
        action="imm:Do",
        secrets=(),
    )
    return type(refusal)


@pytest.mark.parametrize(
    ("code", "message", "status", "kind"),
    [
        ("AccessDenied", "You are not authorized to do this.", 403, Denied),
        ("NoPermission", "You are not authorized.", 403, Denied),
        ("Forbidden.RAM", "User not authorized to operate on the specified resource.", 403, Denied),
        ("Forbidden.AccessKeyDisabled", "The key is disabled.", 403, KeyRefused),
        ("InvalidSecurityToken.Expired", "", 400, KeyRefused),
        ("AccessDenied", "The specified security token is expired.", 403, KeyRefused),
        ("AccessDenied", "You are not authorized to do this action.", 403, Denied),
        ("NoAuth", "You are not authorized.", 403, Denied),
        ("InvalidAccessKeyId", "The AccessKey Id you provided is not exist.", 403, KeyRefused),
        ("Forbidden", "Your account does not open IMM service yet.", 403, NotActivated),
        ("OperationDenied", "The service has not been activated.", 403, NotActivated),
        ("Forbidden", "The IMM service is not enabled for the current user.", 403, NotActivated),
        ("OperationDenied.ServiceNotOpen", "", 403, NotActivated),
        ("UserNotOpen", "", 400, NotActivated),
        ("Service.NotActivated", "", 400, NotActivated),
        ("SomethingNew", "What?", 403, Barred),
        ("SomethingNew", "The file is not open.", 400, Refused),
        ("QpsLimitExceeded", "The QPS of your requests exceeds the limit of the service.", 403, Refused),
    ],
)
def test_a_lacking_permission_and_a_sleeping_service_are_told_apart(
    code: str, message: str, status: int, kind: type[Refused]
) -> None:
    assert kind_of(code, message, status) is kind


def test_a_key_of_another_account_than_the_endpoints_is_told_as_that() -> None:
    refusal = refused(
        "MNS",
        "AccessDenied",
        "The OwnerId that your Access Key Id associated to is forbidden for this operation.",
        None,
        status=403,
        retry_after=None,
        resource="it",
        action="mns:Do",
        secrets=(),
    )
    assert isinstance(refusal, Denied)
    assert "account id in the endpoint" in refusal.why
    assert "mns:Do" in refusal.why
    assert "account id in the MNS endpoint" in refusal.fix


@pytest.mark.parametrize("code", ["QueueNotExist", "TopicNotExist", "SubscriptionNotExist", "SubscriberNotExist"])
def test_there_are_several_words_for_what_does_not_exist(code: str) -> None:
    assert is_missing(code)
    assert not is_missing(f"Message{code}")


def test_a_token_that_a_denial_speaks_of_is_what_is_told() -> None:
    message = "The specified security token is expired."
    refusal = refused(
        "MNS",
        "AccessDenied",
        message,
        None,
        status=403,
        retry_after=None,
        resource="it",
        action="mns:Do",
        secrets=(),
    )
    assert refusal.what == "MNS does not accept the security token."
    assert is_about_the_key("AccessDenied", message)
    assert not is_about_the_key("AccessDenied", "The token bucket is full.")


@given(st.text())
def test_no_code_is_about_the_key_and_about_what_is_missing_at_once(code: str) -> None:
    assert not (is_about_the_key(code) and is_missing(code))
    assert kind_of("X", code * 100) in (Barred, NotActivated)
