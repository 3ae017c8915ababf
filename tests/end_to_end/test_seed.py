"""The tutorial that this project comes from, step by step with the vendors' SDKs, nothing changed but the endpoint."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import RunningEmulator

# aliyun-python-sdk-imm 1.24.0 is the newest release that has the tutorial's classes (v20170906).
IMM_SDK = "aliyun-python-sdk-imm==1.24.0"

TUTORIAL = """
import json, os, sys
from aliyunsdkcore.client import AcsClient
from aliyunsdkimm.request.v20170906 import CreateOfficeConversionTaskRequest, PutProjectRequest
from mns.account import Account

IMM_REGION = os.environ["IMM_TUI_REGION"]
ACCESS_KEY_ID = os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"]
ACCESS_KEY_SECRET = os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]
MNS_ENDPOINT = os.environ["IMM_TUI_MNS_ENDPOINT"] + "/"
MNS_TOPIC_NAME = os.environ["IMM_TUI_TOPIC"]
MNS_QUEUE_NAME = os.environ["IMM_TUI_QUEUE"]

mns_client = Account(MNS_ENDPOINT, ACCESS_KEY_ID, ACCESS_KEY_SECRET)
imm_client = AcsClient(ACCESS_KEY_ID, ACCESS_KEY_SECRET, IMM_REGION)

def ask(request):
    request.set_endpoint(os.environ["IMM_TUI_IMM_ENDPOINT"])
    return json.loads(imm_client.do_action_with_exception(request))

project = "GetResult-ByNotify-Tutorial"
createReq = PutProjectRequest.PutProjectRequest()
createReq.set_Project(project)
createReq.add_query_param("Type", "DocStarter")
createReq.add_query_param("CU", 1)
answers = [ask(createReq)]

for number in range(4):
    createReq = CreateOfficeConversionTaskRequest.CreateOfficeConversionTaskRequest()
    createReq.set_Project(project)
    createReq.set_SrcUri("oss://demo/5页Word.docx")
    createReq.set_TgtUri(f"oss://demo/output/PNG/{number}/")
    createReq.set_TgtType("png")
    createReq.set_NotifyEndpoint(MNS_ENDPOINT)
    createReq.set_NotifyTopicName(MNS_TOPIC_NAME)
    answers.append(ask(createReq))

queue = mns_client.get_queue(MNS_QUEUE_NAME)
queue.set_encoding(False)
msg = queue.receive_message(30)
bodies = [msg.message_body]
while len(bodies) < 4:
    bodies += [msg.message_body for msg in queue.batch_receive_message(3, 30)]
json.dump({"answers": answers, "bodies": bodies}, sys.stderr)
"""


@pytest.fixture(scope="module")
def old_sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdk")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), IMM_SDK]
    subprocess.run(install, check=True, capture_output=True)
    return folder


def test_the_tutorial_prints_the_events(fresh_emulator: RunningEmulator, old_sdk: Path) -> None:
    environment = {**os.environ, **fresh_emulator.env, "PYTHONPATH": str(old_sdk), "NO_PROXY": "*"}
    run = subprocess.run(
        [sys.executable, "-c", TUTORIAL], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr.startswith("{"), run.stderr
    told = json.loads(run.stderr)
    project, *tasks = told["answers"]
    assert (
        project.items()
        >= {
            "Project": "GetResult-ByNotify-Tutorial",
            "Type": "DocStarter",
            "CU": 1,
            "BillingType": "ByUsage",
        }.items()
    )
    assert [(task["Status"], task["Percent"]) for task in tasks] == [("Running", 0)] * 4
    events = [json.loads(json.loads(body)["Message"])["events"][0] for body in told["bodies"]]
    assert {event["imm"]["taskId"] for event in events} == {task["TaskId"] for task in tasks}
    for event in events:
        assert event["eventName"] == "FormatConvertJob:JobFinished"
        assert event["imm"] | {"taskId": ""} == {
            "code": "NoError",
            "pageCount": "5",
            "percent": "100",
            "taskId": "",
        }
