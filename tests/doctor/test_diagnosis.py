"""Each setting broken in turn: the doctor names the one that is broken and nothing else, and what it says mends it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

import pytest

from imm_tui import config
from imm_tui.doctor.asking import examine
from imm_tui.doctor.check import Verdict
from imm_tui.history import History
from tests.cloud.servers import free_port
from tests.doctor.conftest import Patient
from tests.mailbox import notification

Break = Callable[[Patient], None]


def env(**changes: str) -> Break:
    """The environment says something else; "" takes a variable away."""

    def change(patient: Patient) -> None:
        patient.environ |= changes

    return change


def attributes(xml: str) -> Break:
    return lambda patient: patient.put(f"/queues/{patient.settings.queue}?metaoverride=true", f"<Queue>{xml}</Queue>")


def fault(**rule: object) -> Break:
    def break_(patient: Patient) -> None:
        patient.control.fault(**rule)  # type: ignore[arg-type]

    return break_


def denied(operation: str, code: str = "NoPermission") -> Break:
    return fault(effect="error", operation=operation, status=403, code=code, message="You are not authorized.")


def an_unwired_topic(patient: Patient) -> None:
    patient.put("/topics/another-topic", "<Topic></Topic>")
    patient.environ["IMM_TUI_TOPIC"] = "another-topic"


def an_unwired_queue(patient: Patient) -> None:
    patient.put("/queues/another-queue", "<Queue></Queue>")
    patient.environ["IMM_TUI_QUEUE"] = "another-queue"


def a_deleted_subscription(patient: Patient) -> None:
    assert patient.mns("DELETE", "/topics/imm-tui-topic/subscriptions/imm-tui-subscription").status == 204


def a_tag(patient: Patient) -> None:
    a_deleted_subscription(patient)
    patient.subscribe("imm-tui-topic", "imm-tui-queue", "<FilterTag>urgent</FilterTag>")


def a_foreign_message(patient: Patient) -> None:
    send(patient, "an order, not an event")


def another_consumer(patient: Patient) -> None:
    send(patient, notification("a-task"))
    assert patient.mns("GET", "/queues/imm-tui-queue/messages?waitseconds=0").status == 200


def send(patient: Patient, body: str) -> None:
    xml = f"<Message><MessageBody>{body}</MessageBody></Message>".encode()
    assert patient.mns("POST", "/queues/imm-tui-queue/messages", xml).status == 201


def an_expired_token(patient: Patient) -> None:
    patient.control.add_key("STS.ATemporaryKey", "a-secret", security_token="a-token", expires_in=60)
    patient.environ |= {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "STS.ATemporaryKey",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "a-secret",
        "ALIBABA_CLOUD_SECURITY_TOKEN": "a-token",
    }
    patient.control.clock(advance=120)


def an_expired_token_that_mns_denies(patient: Patient) -> None:
    """MNS has no code for a token."""
    an_expired_token(patient)
    patient.control.fault("error", service="mns", status=403, code="AccessDenied", message="It is not allowed.")


def an_expired_token_that_mns_speaks_of(patient: Patient) -> None:
    an_expired_token(patient)
    message = "The specified security token is expired."
    patient.control.fault("error", service="mns", status=403, code="AccessDenied", message=message)


def a_history_for_all(patient: Patient) -> None:
    with History(patient.history):
        pass
    patient.history.chmod(0o644)


def a_damaged_history(patient: Patient) -> None:
    patient.history.parent.mkdir(mode=0o700)
    patient.history.write_bytes(b"not a database" * 100)
    patient.history.chmod(0o600)


def a_history_of_another_program(patient: Patient) -> None:
    patient.history.parent.mkdir(mode=0o700)
    with sqlite3.connect(patient.history) as db:
        db.execute("CREATE TABLE cats (name TEXT)")
    db.close()
    patient.history.chmod(0o600)


def an_unusable_lock(patient: Patient) -> None:
    with History(patient.history):
        pass
    patient.history.with_name(f"{patient.history.name}.lock").mkdir()


def a_file_for_a_folder(patient: Patient) -> None:
    (patient.home / "data").write_text("")


def refused_port(name: str) -> Break:
    return lambda patient: patient.environ.update({name: f"http://127.0.0.1:{free_port()}"})


def tls_on_a_plain_port(name: str) -> Break:
    return lambda patient: patient.environ.update({name: patient.emulator.endpoint.replace("http:", "https:")})


IMM, MNS = "IMM_TUI_IMM_ENDPOINT", "IMM_TUI_MNS_ENDPOINT"

BROKEN: dict[str, tuple[str, Verdict, Break]] = {
    "no key": ("credentials", Verdict.FAIL, env(ALIBABA_CLOUD_ACCESS_KEY_ID="", ALIBABA_CLOUD_ACCESS_KEY_SECRET="")),
    "half a key": ("credentials", Verdict.FAIL, env(ALIBABA_CLOUD_ACCESS_KEY_SECRET="")),
    "an unknown key": ("credentials", Verdict.FAIL, env(ALIBABA_CLOUD_ACCESS_KEY_ID="LTAI5tNobodyKnowsIt")),
    "a wrong secret": ("credentials", Verdict.FAIL, env(ALIBABA_CLOUD_ACCESS_KEY_SECRET="mistyped")),
    "an expired token": ("credentials", Verdict.FAIL, an_expired_token),
    "an expired token, denied by MNS": ("credentials", Verdict.FAIL, an_expired_token_that_mns_denies),
    "an expired token, told by MNS": ("credentials", Verdict.FAIL, an_expired_token_that_mns_speaks_of),
    "no such aliyun profile": ("credentials", Verdict.FAIL, env(IMM_TUI_ALIYUN_PROFILE="nobody's")),
    "STS out of reach": ("credentials", Verdict.WARN, refused_port("IMM_TUI_STS_ENDPOINT")),
    "a clock behind": ("clock", Verdict.FAIL, fault(effect="skew", seconds=1200)),
    "a clock ahead": ("clock", Verdict.FAIL, fault(effect="skew", seconds=-3600)),
    "a clock that goes wrong": ("clock", Verdict.WARN, fault(effect="skew", seconds=-600)),
    "IMM elsewhere": ("imm_endpoint", Verdict.FAIL, refused_port(IMM)),
    "IMM without a name": ("imm_endpoint", Verdict.FAIL, env(**{IMM: "https://imm.invalid"})),
    "IMM without TLS": ("imm_endpoint", Verdict.FAIL, tls_on_a_plain_port(IMM)),
    "IMM behind a page": ("imm_endpoint", Verdict.FAIL, fault(effect="html", service="imm")),
    "IMM at fault": ("imm_endpoint", Verdict.FAIL, fault(effect="error", service="imm")),
    "MNS elsewhere": ("mns_endpoint", Verdict.FAIL, refused_port(MNS)),
    "MNS without a name": ("mns_endpoint", Verdict.FAIL, env(**{MNS: "https://mns.invalid"})),
    "MNS without TLS": ("mns_endpoint", Verdict.FAIL, tls_on_a_plain_port(MNS)),
    "MNS behind a page": ("mns_endpoint", Verdict.FAIL, fault(effect="html", service="mns")),
    **{
        f"{service} without {call}": (f"{service}_endpoint", Verdict.WARN, fault(effect="cut-before", operation=call))
        for service, calls in (
            ("imm", ("GetProject", "GetTask", "ListTasks")),
            ("mns", ("GetTopicAttributes", "GetQueueAttributes", "ListSubscriptionByTopic", "BatchPeekMessage")),
        )
        for call in calls
    },
    "IMM at fault with its list": ("imm_endpoint", Verdict.WARN, fault(effect="error", operation="ListTasks")),
    "another account's number": ("mns_endpoint", Verdict.WARN, env(IMM_TUI_ACCOUNT_ID="123")),
    "another region": ("region", Verdict.FAIL, env(IMM_TUI_REGION="cn-hangzhou")),
    "no region": ("region", Verdict.FAIL, env(IMM_TUI_REGION="")),
    "IMM not activated": (
        "project",
        Verdict.FAIL,
        fault(effect="error", service="imm", status=403, code="UserNotOpened", message="IMM is not activated."),
    ),
    "no such project": ("project", Verdict.FAIL, env(IMM_TUI_PROJECT="nobodys")),
    "no project": ("project", Verdict.FAIL, env(IMM_TUI_PROJECT="")),
    "no such topic": ("topic", Verdict.FAIL, env(IMM_TUI_TOPIC="imm-tui-topik")),
    "no topic": ("topic", Verdict.FAIL, env(IMM_TUI_TOPIC="")),
    "no such queue": ("queue", Verdict.FAIL, env(IMM_TUI_QUEUE="imm-tui-kueue")),
    "no queue": ("queue", Verdict.FAIL, env(IMM_TUI_QUEUE="")),
    "hidden too briefly": ("queue", Verdict.WARN, attributes("<VisibilityTimeout>2</VisibilityTimeout>")),
    "hidden for hours": ("queue", Verdict.WARN, attributes("<VisibilityTimeout>43200</VisibilityTimeout>")),
    "kept too briefly": ("queue", Verdict.WARN, attributes("<MessageRetentionPeriod>60</MessageRetentionPeriod>")),
    "held back": ("queue", Verdict.WARN, attributes("<DelaySeconds>30</DelaySeconds>")),
    "short messages only": ("queue", Verdict.WARN, attributes("<MaximumMessageSize>2048</MaximumMessageSize>")),
    "an unwired topic": ("subscription", Verdict.FAIL, an_unwired_topic),
    "an unwired queue": ("subscription", Verdict.FAIL, an_unwired_queue),
    "no subscription": ("subscription", Verdict.FAIL, a_deleted_subscription),
    "a tag that IMM does not give": ("subscription", Verdict.FAIL, a_tag),
    "a foreign message": ("consumers", Verdict.WARN, a_foreign_message),
    "another consumer": ("consumers", Verdict.WARN, another_consumer),
    **{
        f"no {operation}": ("permissions", Verdict.FAIL, denied(operation))
        for operation in (
            *("GetProject", "GetTask", "ListTasks", "GetTopicAttributes", "ListSubscriptionByTopic"),
            *("GetSubscriptionAttributes", "GetQueueAttributes", "BatchPeekMessage"),
        )
    },
    "nothing of IMM": (
        "permissions",
        Verdict.FAIL,
        fault(effect="error", service="imm", status=403, code="Forbidden.RAM"),
    ),
    "nothing of MNS": (
        "permissions",
        Verdict.FAIL,
        fault(effect="error", service="mns", status=403, code="AccessDenied"),
    ),
    "a history for all": ("history", Verdict.WARN, a_history_for_all),
    "a damaged history": ("history", Verdict.FAIL, a_damaged_history),
    "another program's file": ("history", Verdict.FAIL, a_history_of_another_program),
    "a folder in the file's place": ("history", Verdict.FAIL, lambda patient: patient.history.mkdir(parents=True)),
    "a lock that cannot be opened": ("history", Verdict.FAIL, an_unusable_lock),
    "a file in the folder's place": ("history", Verdict.FAIL, a_file_for_a_folder),
}

TO_BE_TYPED = (
    *("another region", "no such project", "no project", "no such topic", "no topic", "no such queue", "no queue"),
    *("hidden too briefly", "hidden for hours", "kept too briefly", "held back", "short messages only"),
    *("another account's number", "an unwired queue", "a history for all"),
    *("an unwired topic", "no subscription", "a tag that IMM does not give", "a foreign message", "another consumer"),
)
"""What is mended by a setting, an attribute or a command that stands in the fix."""


def test_of_a_healthy_one_nothing_is_named(patient: Patient) -> None:
    assert {check.status for check in patient.examined().values()} == {Verdict.OK}


def test_2017_is_examined_in_its_own_words(patient: Patient) -> None:
    patient.environ["IMM_TUI_API_VERSION"] = "2017-09-06"
    assert {check.status for check in patient.examined().values()} == {Verdict.OK}


@pytest.mark.parametrize("what", BROKEN)
def test_the_one_that_is_broken_is_named_and_nothing_else(patient: Patient, what: str) -> None:
    name, verdict, break_ = BROKEN[what]
    break_(patient)
    assert {check.name: check.status for check in patient.named().values()} == {name: verdict}


@pytest.mark.parametrize("what", TO_BE_TYPED)
def test_what_it_says_mends_it(patient: Patient, what: str) -> None:
    name, _verdict, break_ = BROKEN[what]
    break_(patient)
    patient.follow(patient.named()[name].fix)
    assert patient.named() == {}


def of_aliyun_configure(patient: Patient) -> None:
    """The key is no longer in the environment, but in the profile `work` of the aliyun command."""
    names = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    key_id, secret = (patient.environ.pop(name) for name in names)
    work = {"name": "work", "mode": "AK", "access_key_id": key_id, "access_key_secret": secret}
    (patient.home / ".aliyun").mkdir()
    (patient.home / ".aliyun" / "config.json").write_text(json.dumps({"current": "", "profiles": [work]}))
    patient.environ["IMM_TUI_PROFILE"] = "work"


def test_a_wrong_key_of_aliyun_configure_is_mended_there(patient: Patient) -> None:
    of_aliyun_configure(patient)
    file = patient.home / ".aliyun" / "config.json"
    file.write_text(file.read_text().replace(patient.emulator.access_key_secret, "mistyped"))
    fix = patient.named()["credentials"].fix
    assert "`aliyun configure --profile work`" in fix
    assert "ALIBABA_CLOUD" not in fix  # a named profile counts alone


@pytest.mark.parametrize("what", ["no queue", "no region", "a foreign message", "no subscription"])
def test_what_it_says_keeps_the_key_of_a_profile_of_aliyun_configure(patient: Patient, what: str) -> None:
    of_aliyun_configure(patient)
    name, _verdict, break_ = BROKEN[what]
    break_(patient)
    patient.follow(patient.named()[name].fix)
    assert patient.settings.profile == "work"
    assert patient.named() == {}


def test_a_setting_that_a_flag_gave_is_to_be_given_by_that_flag(patient: Patient) -> None:
    settings = config.load({"queue": "imm-tui-kueue"}, patient.environ)
    (queue,) = (it for it in examine(settings, patient.keys, patient.history) if it.status is Verdict.FAIL)
    assert queue.fix.startswith("Give `--queue imm-tui-queue` instead.")
