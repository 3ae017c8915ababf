"""The vendor's other clients against the emulator: it was not built with them, and they understand it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RunningEmulator

# They share package names with the SDKs of this project, so each gets a folder of its own.
NEWER_MNS = ["--no-deps", "aliyun-mns-sdk==1.3.0", "deprecated", "wrapt"]
NEWER_IMM = ["alibabacloud-imm20200930==5.0.3", "alibabacloud-imm20170906==1.23.8"]

SCRIPT_MNS = """
import json, os, sys
from mns.account import Account
from mns.mns_exception import MNSServerException
from mns.queue import Message, QueueMeta
from mns.subscription import SubscriptionMeta
from mns.topic import TopicMessage, TopicMeta

account = Account(os.environ["IMM_TUI_MNS_ENDPOINT"], os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
                  os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"])
queue, topic = account.get_queue("others-queue"), account.get_topic("others-topic")
queue.set_encoding(False)
meta = QueueMeta()
meta.set_visibilitytimeout(40)
told = {"queue": queue.create(meta), "topic": topic.create(TopicMeta())}
arn = f"acs:mns:{os.environ['IMM_TUI_REGION']}:{os.environ['IMM_TUI_ACCOUNT_ID']}:queues/others-queue"
topic.get_subscription("others").subscribe(SubscriptionMeta(arn, notify_content_format="SIMPLIFIED"))
for number in range(3):
    topic.publish_message(TopicMessage(f"你好 {number}"))
queue.send_message(Message("sent"))
told["peeked"] = len(queue.batch_peek_message(16))
received = queue.batch_receive_message(16, 5)
told["bodies"] = sorted(message.message_body for message in received)
hidden = queue.change_message_visibility(received[0].receipt_handle, 60)
queue.batch_delete_message([hidden.receipt_handle, *(message.receipt_handle for message in received[1:])])
try:
    queue.receive_message(0)
except MNSServerException as error:
    told["empty"] = error.type
attributes = queue.get_attributes()
told["visibility"] = attributes.visibility_timeout
told["queues"] = account.list_queue(prefix="others")[0]
queue.delete(), topic.delete()
json.dump(told, sys.stdout)
"""

SCRIPT_IMM = """
import json, os, sys, time
from alibabacloud_tea_openapi.models import Config
from alibabacloud_imm20170906 import client as old_client, models as old
from alibabacloud_imm20200930 import client as new_client, models as new

config = lambda: Config(
    access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"], region_id=os.environ["IMM_TUI_REGION"], protocol="http",
    access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
    endpoint=os.environ["IMM_TUI_IMM_ENDPOINT"].removeprefix("http://"))
source, told = "oss://demo/5页Word.docx", {}

imm = old_client.Client(config())
imm.put_project(old.PutProjectRequest(project="others"))
task = imm.create_office_conversion_task(old.CreateOfficeConversionTaskRequest(
    project="others", src_uri=source, tgt_uri="oss://demo/old/", tgt_type="png")).body.task_id
while (state := imm.get_office_conversion_task(
        old.GetOfficeConversionTaskRequest(project="others", task_id=task)).body).status == "Running":
    time.sleep(0.1)
told["old"] = [state.status, state.percent, state.page_count]

imm = new_client.Client(config())
imm.create_project(new.CreateProjectRequest(project_name="others"))
notification = new.Notification(mns=new.MNS(topic_name=os.environ["IMM_TUI_TOPIC"]))
task = imm.create_office_conversion_task(new.CreateOfficeConversionTaskRequest(
    project_name="others", source_uri=source, target_uriprefix="oss://demo/new/", target_type="png",
    notification=notification, user_data="数据")).body.task_id
ask = new.GetTaskRequest(project_name="others", task_id=task, task_type="OfficeConversion")
while (state := imm.get_task(ask).body).status == "Running":
    time.sleep(0.1)
told["new"] = [state.status, state.user_data]
listed = imm.list_tasks(new.ListTasksRequest(project_name="others")).body.tasks
told["listed"] = [entry.task_id for entry in listed] == [task]
try:
    imm.get_project(new.GetProjectRequest(project_name="nowhere"))
except Exception as error:
    told["refused"] = error.code
json.dump(told, sys.stdout)
"""


def told(script: str, packages: list[str], emulator: RunningEmulator, folder: Path) -> dict[str, Any]:
    """What a script says that has these packages, and of ours nothing."""
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), *packages]
    subprocess.run(install, check=True, capture_output=True)
    environment = {**os.environ, **emulator.env, "PYTHONPATH": str(folder), "NO_PROXY": "*"}
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


@pytest.mark.timeout(300)
def test_the_newer_mns_client(emulator: RunningEmulator, tmp_path: Path) -> None:
    answer = told(SCRIPT_MNS, NEWER_MNS, emulator, tmp_path)
    assert answer["bodies"] == ["sent", "你好 0", "你好 1", "你好 2"]
    assert (answer["peeked"], answer["empty"], answer["visibility"]) == (4, "MessageNotExist", 40)
    assert answer["queue"].endswith("/queues/others-queue")
    assert answer["topic"].endswith("/topics/others-topic")
    assert [url.rpartition("/")[2] for url in answer["queues"]] == ["others-queue"]


@pytest.mark.timeout(300)
def test_the_newer_imm_clients(emulator: RunningEmulator, tmp_path: Path) -> None:
    answer = told(SCRIPT_IMM, NEWER_IMM, emulator, tmp_path)
    assert answer["old"] == ["Finished", 100, 5]
    assert answer["new"] == ["Succeeded", "数据"]
    assert answer["listed"]
    assert answer["refused"] == "ResourceNotFound"
