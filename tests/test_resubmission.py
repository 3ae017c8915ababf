"""Resubmission: what is submitted once more is what was submitted, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from imm_tui import submission
from imm_tui.arrivals import Arrival
from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.history import History
from imm_tui.resubmission import Resubmit, differences, resubmission
from imm_tui.tasks import API_VERSIONS, ApiVersion, Conversion, Event, Status
from tests.mailbox import Mailbox

NEW = Settings(
    region="cn-beijing",
    project="p",
    topic="t",
    imm_endpoint="https://imm.cn-beijing.aliyuncs.com",
    mns_endpoint="https://1.mns.cn-beijing.aliyuncs.com",
)
OLD = replace(NEW, api_version="2017-09-06")
OPTIONS = {"2017-09-06": {"EndPage": "-1", "TgtFilePrefix": "页-"}, "2020-09-30": {"Quality": "0", "Tags": "队=a"}}


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "history.db") as opened:
        yield opened


def whole(settings: Settings, target_type: str = "jpg", password: str = "") -> Conversion:
    wanted = submission.Wanted(
        target_type=target_type,
        target_uri="oss://b/out",
        pages="1,2-4",
        dpi="300" if target_type == "jpg" else "",
        password=password,
        options=OPTIONS[settings.api_version] if target_type == "jpg" else {},
    )
    [conversion] = submission.plan(["oss://b/x/文档.docx"], wanted, settings)
    return conversion


def recorded(history: History, conversion: Conversion, settings: Settings) -> int:
    """As `submit` records it before it is sent."""
    with closing(submission.connect(settings, Credentials("id", "secret"))) as imm:
        request = imm.request(conversion, "token")
    return history.record_intent(
        conversion,
        project=settings.project,
        api_version=settings.api_version,
        token="token",
        at=1,
        request=request,
    )


def once_more(history: History, task: int, settings: Settings) -> Resubmit:
    [found] = resubmission(history, [task], settings)
    return found


@pytest.mark.parametrize("settings", [NEW, OLD], ids=API_VERSIONS[::-1])
@pytest.mark.parametrize("target_type", ["jpg", "txt", "pdf"])
def test_it_is_asked_for_what_was_asked_for(history: History, settings: Settings, target_type: str) -> None:
    conversion = whole(settings, target_type)
    found = once_more(history, recorded(history, conversion, settings), settings)
    assert found.conversion == conversion
    assert (found.needs_password, found.trouble) == (False, None)


def test_so_is_a_template(history: History) -> None:
    conversion = replace(whole(NEW), target_uri="oss://{bucket}/{barename}.{autoext}")
    assert once_more(history, recorded(history, conversion, NEW), NEW).conversion == conversion


def test_a_password_is_not_kept_and_is_asked_for(history: History) -> None:
    conversion = whole(NEW, password="secret")
    found = once_more(history, recorded(history, conversion, NEW), NEW)
    assert found.needs_password
    assert found.conversion == replace(conversion, password=None)
    given = found.with_password("secret")
    assert (given.conversion, given.needs_password) == (conversion, False)


def test_what_this_version_does_not_have_is_said_and_not_left_out(history: History) -> None:
    for then, now in ((NEW, OLD), (OLD, NEW)):
        found = once_more(history, recorded(history, whole(then), then), now)
        assert found.conversion is None
        assert now.api_version in str(found.trouble)
        same = whole(then, "pdf")
        assert once_more(history, recorded(history, same, then), now).conversion == same


def test_an_untracked_task_has_no_request(history: History) -> None:
    event = Event(task_id="T", name="JobFinished", status=Status.FAILED)
    history.store([Arrival(message_id="M", body=b"", events=(event,))], 1)
    [task] = history.tasks()
    found = once_more(history, task.id, NEW)
    assert found.conversion is None
    assert found.trouble is not None


def test_of_an_older_history_what_it_kept_is_asked_for(history: History) -> None:
    plain = Conversion(source_uri="oss://b/a.docx", target_uri="oss://b/out/", target_type="pdf")
    task = history.record_intent(plain, project="p", api_version="2020-09-30", token="t", at=1)
    assert once_more(history, task, NEW).conversion == plain
    assert differences(history.request_of(task), NEW) == []
    of_pages = replace(plain, pages="1-2")
    task = history.record_intent(of_pages, project="p", api_version="2020-09-30", token="t", at=1)
    assert once_more(history, task, NEW).trouble is not None


def test_the_order_is_that_of_the_tasks_and_one_that_is_no_more_is_left_out(history: History) -> None:
    tasks = [recorded(history, whole(NEW), NEW) for _ in range(3)]
    found = resubmission(history, [tasks[2], 99, tasks[0]], NEW)
    assert [resubmit.task.id for resubmit in found] == [tasks[2], tasks[0]]


@pytest.mark.parametrize("settings", [NEW, OLD], ids=API_VERSIONS[::-1])
def test_what_the_profile_says_differently_now_is_told(history: History, settings: Settings) -> None:
    request = history.request_of(recorded(history, whole(settings), settings))
    assert differences(request, settings) == []
    elsewhere = replace(settings, project="q", region="cn-hangzhou", topic="")
    told = differences(request, elsewhere)
    assert len(told) == 3
    assert all(any(name in sentence for sentence in told) for name in ("q", "cn-hangzhou", "none"))
    [version] = differences(request, replace(settings, api_version=(NEW if settings is OLD else OLD).api_version))
    assert "2017-09-06" in version
    assert "2020-09-30" in version


@pytest.mark.parametrize("version", API_VERSIONS)
def test_the_service_takes_it_and_the_history_knows_whose_it_is(
    history: History, mailbox: Mailbox, version: ApiVersion
) -> None:
    settings = replace(mailbox.settings, api_version=version)
    conversion = replace(whole(settings), source_uri="oss://demo/产品手册.pdf", target_uri="oss://demo/out/")
    with closing(submission.connect(settings, mailbox.credentials)) as imm:
        [first] = submission.submit(history, imm, settings, [conversion])
        found = once_more(history, first.task.id, settings)
        assert found.conversion is not None
        [second] = submission.submit(history, imm, settings, [found.conversion], resubmits=[found.task.id])
    assert second.task.resubmits == first.task.id
    assert second.task.task_id != first.task.task_id
    sent, again = history.request_of(first.task.id), history.request_of(second.task.id)
    assert sent is not None
    assert again is not None
    token = {"2017-09-06": "IdempotentToken", "2020-09-30": "UserData"}[version]
    assert sent["parameters"].pop(token) != again["parameters"].pop(token)
    assert sent == again
