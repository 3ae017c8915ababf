"""What of a service's own text a person is told."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imm_tui.cloud.refusals import refused

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
