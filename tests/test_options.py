"""Options: each parameter of the operation has its check, and what is sent is what IMM takes."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import fields
from typing import Any

import pytest
from aliyunsdkimm.request.v20200930.CreateOfficeConversionTaskRequest import CreateOfficeConversionTaskRequest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from imm_tui.errors import BadInput
from imm_tui.options import Kind, Option, check, chosen, options
from imm_tui.tasks import API_VERSIONS, ApiVersion, Conversion

OF_THE_FORM = {
    "2017-09-06": {"Project", "SrcUri", "TgtUri", "TgtType", "TgtFilePages", "DisplayDpi", "Password"}
    | {"NotifyEndpoint", "NotifyTopicName", "IdempotentToken"},
    "2020-09-30": {"ProjectName", "SourceURI", "TargetURI", "TargetURIPrefix", "TargetType", "Pages", "ImageDPI"}
    | {"Password", "Notification", "UserData"},
}
EVERY = [(version, option) for version in API_VERSIONS for option in options(version)]
NAMES = [f"{version} {option.name}" for version, option in EVERY]


def option(name: str, version: ApiVersion = "2020-09-30") -> Option:
    return next(option for option in options(version) if option.name == name)


def test_every_parameter_of_the_sdk_is_an_option_or_has_a_field_of_its_own() -> None:
    setters = {name[4:] for name in vars(CreateOfficeConversionTaskRequest) if name.startswith("set_")}
    assert {option.name for option in options("2020-09-30")} == setters - OF_THE_FORM["2020-09-30"]


@pytest.mark.parametrize("version", API_VERSIONS)
def test_no_parameter_stands_there_twice_and_the_common_ones_come_first(version: ApiVersion) -> None:
    names = [option.name for option in options(version)]
    assert len(set(names)) == len(names)
    assert not set(names) & OF_THE_FORM[version]
    common = [option.common for option in options(version)]
    assert common == sorted(common, reverse=True)


@pytest.mark.parametrize(("version", "option"), EVERY, ids=NAMES)
def test_an_option_fits_a_form_and_knows_its_values(version: ApiVersion, option: Option) -> None:
    assert cell_len(option.label) <= 14
    assert option.help.endswith(".")
    assert (option.low is not None and option.high is not None) == (option.kind is Kind.NUMBER)
    assert bool(option.choices) == (option.kind in (Kind.CHOICE, Kind.SEVERAL))
    assert not option.needs or any(other.name == option.needs for other in options(version))


@pytest.mark.parametrize(("version", "option"), EVERY, ids=NAMES)
def test_what_is_left_empty_is_not_sent(version: ApiVersion, option: Option) -> None:
    assert check(option, "  ") is None


@pytest.mark.parametrize(
    ("name", "typed", "sent"),
    [
        ("Quality", " 080 ", "80"),
        ("EndPage", "-1", "-1"),
        ("LongPicture", "Yes", "true"),
        ("LongPicture", "off", "false"),
        ("PaperSize", "a2", "A2"),
        ("SourceType", " docx ", "docx"),
        ("Tags", "team=sales, year = 2026", {"team": "sales", "year": "2026"}),
        ("Tags", '{"队": "a=b, c"}', {"队": "a=b, c"}),
        (
            "TrimPolicy",
            "disabledeleteemptycell,DisableDeleteUnusedShape",
            {"DisableDeleteEmptyCell": True, "DisableDeleteUnusedShape": True},
        ),
        ("TrimPolicy", '{"DisableDeleteEmptyCell": false}', {"DisableDeleteEmptyCell": False}),
        ("CredentialConfig", '{"ServiceRole": "r"}', {"ServiceRole": "r"}),
    ],
)
def test_what_is_typed_generously_is_sent_as_imm_writes_it(
    name: str, typed: str, sent: str | dict[str, object]
) -> None:
    value = check(option(name), typed)
    assert value is not None
    assert (value if isinstance(sent, str) else json.loads(value)) == sent


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Quality", "101"),
        ("Quality", "8O"),
        ("Quality", "٨٠"),
        ("ScalePercentage", "19"),
        ("StartPage", "-1"),
        ("LongPicture", "perhaps"),
        ("PaperSize", "A3"),
        ("SourceType", "x" * 1025),
        ("SourceType", "\udc80"),
        ("Tags", "team"),
        ("Tags", "=sales"),
        ("Tags", '{"year": 2026}'),
        ("Tags", '{"team": "\\ud800"}'),
        ("TrimPolicy", "DisableDeleteEverything"),
        ("TrimPolicy", '{"DisableDeleteEmptyCell": 1}'),
        ("CredentialConfig", "[]"),
        ("CredentialConfig", "{"),
    ],
)
def test_what_imm_would_refuse_is_refused_here_with_the_reason(name: str, typed: str) -> None:
    with pytest.raises(BadInput) as caught:
        check(option(name), typed)
    assert caught.value.field == name
    assert caught.value.why
    assert caught.value.fix


def test_the_name_of_a_result_holds_no_folder() -> None:
    assert check(option("TgtFilePrefix", "2017-09-06"), "2026-") == "2026-"
    with pytest.raises(BadInput, match="folder"):
        check(option("TgtFilePrefix", "2017-09-06"), "2026/")


@given(st.sampled_from([option for _version, option in EVERY]), st.text(max_size=40))
def test_whatever_is_typed_is_sent_or_refused(option: Option, typed: str) -> None:
    with suppress(BadInput):
        sent = check(option, typed)
        assert (sent is None) == (not typed.strip())
        assert sent is None or check(option, sent) == sent


def test_all_that_was_typed_is_chosen_in_the_order_of_the_options() -> None:
    typed = {"quality": "80", "LONGPICTURE": "true", "StartPage": "2", "FirstPage": "", " FirstPage ": "yes"}
    assert chosen("2020-09-30", "jpg", typed) == (
        ("StartPage", "2"),
        ("Quality", "80"),
        ("LongPicture", "true"),
        ("FirstPage", "true"),
    )


@pytest.mark.parametrize(
    ("version", "target_type", "typed", "named"),
    [
        ("2020-09-30", "png", {"Qualitty": "80"}, "Qualitty"),
        ("2017-09-06", "png", {"Quality": "80"}, "Quality"),
        ("2020-09-30", "png", {"Password": "secret"}, "Password"),
        ("2020-09-30", "pdf", {"Quality": "80"}, "Quality"),
        ("2017-09-06", "png", {"FitToPagesTall": "true"}, "FitToPagesTall"),
        ("2020-09-30", "png", {"FirstPage": "true"}, "FirstPage"),
        ("2020-09-30", "png", {"FirstPage": "true", "LongPicture": "false"}, "FirstPage"),
        ("2020-09-30", "png", {"StartPage": "3", "EndPage": "2"}, "EndPage"),
    ],
)
def test_what_would_have_no_effect_is_said_and_not_sent(
    version: ApiVersion, target_type: str, typed: dict[str, str], named: str
) -> None:
    with pytest.raises(BadInput) as caught:
        chosen(version, target_type, typed)
    assert caught.value.field == named
    assert caught.value.fix


def test_to_the_end_is_after_every_page() -> None:
    assert len(chosen("2020-09-30", "png", {"StartPage": "3", "EndPage": "-1"})) == 2
    assert chosen("2020-09-30", "png", {"FirstPage": "false"}) == (("FirstPage", "false"),)


def test_no_option_is_a_field_of_a_conversion_by_another_name() -> None:
    names: set[Any] = {field.name.replace("_", "").lower() for field in fields(Conversion)}
    assert not names & {option.name.lower() for _version, option in EVERY}
