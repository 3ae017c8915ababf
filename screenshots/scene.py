"""A history to be looked at: the demo's documents and some more, with every id and every instant written down."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imm_tui import notifications
from imm_tui.arrivals import Arrival
from imm_tui.config import Settings
from imm_tui.history import History, Left
from imm_tui.tasks import Conversion, milliseconds, rfc3339

_NOW = milliseconds("2026-11-23T06:02:11.300Z")
assert _NOW is not None
NOW: int = _NOW
"""When all pictures are taken."""

_BUCKET = "oss://demo"
_ENDPOINT = "http://127.0.0.1:36295"


@dataclass(frozen=True, slots=True)
class Document:
    """One that was submitted `ago` seconds before, and took as many `seconds`; None: it still runs."""

    name: str
    ago: float
    seconds: float | None
    pages: int = 0
    code: str = "NoError"
    target_type: str = "png"
    times: int = 1
    """How often its event was delivered."""
    batch: bool = False
    """It was submitted with those that are one too."""


_DOCUMENTS = (
    Document("合同-2025-117.pdf", 4_620, 6.4, 18),
    Document("board-minutes-2026-10.docx", 4_100, 3.9, 7, target_type="pdf"),
    Document("产品目录 2026 秋.pptx", 3_480, 12.8, 64),
    Document("floor-plan.xlsx", 2_950, 2.2, 2, target_type="jpg"),
    Document("客户满意度调查.csv", 2_240, 1.4, 1, target_type="txt"),
    Document("safety-data-sheet-7782-44-7.pdf", 1_800, 4.1, 11),
    Document("5页Word.docx", 412, 2.1, 5, times=2),
    Document("annual-maintenance-and-inspection-record-of-the-beijing-data-centre-2026-final-signed.pdf", 305, 5.2, 12),
    Document("产品手册.pdf", 298, 2.4, 5),
    *(
        Document(f"发票 {number:04}.pdf", 212.4 - 0.7 * number, seconds, pages, code, batch=True)
        for number, (seconds, pages, code) in enumerate(
            (
                (2.6, 1, "NoError"),
                (2.9, 1, "NoError"),
                (0.6, 0, "InvalidFile"),
                (3.0, 2, "NoError"),
                (3.4, 1, "NoError"),
                (2.2, 1, "NoError"),
                (4.1, 3, "NoError"),
                (2.7, 1, "NoError"),
            ),
            1,
        )
    ),
    Document("加密合同.pdf", 171, 0.4, code="OpenFileError"),
    Document("季度报告.pptx", 96, 3.2, 3),
    Document("损坏的表格.xls", 44, 0.3, code="OpenFileError"),
    Document("销售数据.csv", 31, 1.7, 1),
    Document("培训教材（第三版）.docx", 9.4, None),
    Document("Q3-results-deck.pptx", 3.1, None),
)

_FOREIGN = (
    b'{"order": 20118, "state": "paid"}',
    json.dumps({"events": [{"eventName": "ObjectCreated:PutObject", "eventSource": "acs:oss"}]}).encode(),
)
"""Messages on the queue that are not IMM's."""


def write(path: Path, settings: Settings) -> None:
    """Writes that history to `path`."""
    with History(path) as history:
        batch = 0
        for document in _DOCUMENTS:
            number = _submitted(history, settings, document, batch if document.batch else None)
            batch = batch or (number if document.batch else 0)
        for arrival in sorted(_arrivals(), key=_received_at):
            received_at = _received_at(arrival)
            history.store([arrival], received_at)
            if arrival.events:
                history.record_left([Left((arrival.message_id,), received_at + 3, received_at + 7)])


def _arrivals() -> Iterator[Arrival]:
    """All that came from the queue."""
    for document in _DOCUMENTS:
        if document.seconds is not None:
            yield from _ended(document, document.seconds)
    for number, body in enumerate(_FOREIGN):
        yield Arrival(
            message_id=_message_id(f"foreign {number}"),
            body=body,
            reason=notifications.parse(body).reason,
            dequeue_count=3 - number,
            enqueued_at=NOW - (1_300 - 900 * number) * 1_000,
        )


def _received_at(arrival: Arrival) -> int:
    assert arrival.enqueued_at is not None
    return arrival.enqueued_at + 34


def _submitted(history: History, settings: Settings, document: Document, batch: int | None) -> int:
    at = NOW - round(document.ago * 1_000)
    conversion = Conversion(
        source_uri=f"{_BUCKET}/{document.name}",
        target_uri=f"{_BUCKET}/converted/{document.name}/",
        target_type=document.target_type,
    )
    token = str(_uuid(f"token {document.name}"))
    request = {
        "action": "CreateOfficeConversionTask",
        "version": settings.api_version,
        "region": settings.region,
        "endpoint": _ENDPOINT,
        "parameters": {
            "Project": settings.project,
            "SrcUri": conversion.source_uri,
            "TgtUri": conversion.target_uri,
            "TgtType": conversion.target_type,
            "NotifyEndpoint": _ENDPOINT,
            "NotifyTopicName": settings.topic,
            "IdempotentToken": token,
        },
    }
    number = history.record_intent(
        conversion,
        project=settings.project,
        api_version=settings.api_version,
        token=token,
        at=at,
        request=request,
        batch=batch,
    )
    request_id = str(_uuid(f"request {document.name}")).upper()
    history.record_accepted(number, _task_id(document), request_id, at=at + 23)
    return number


def _ended(document: Document, seconds: float) -> Iterator[Arrival]:
    at = NOW - round((document.ago - seconds) * 1_000)
    told = {
        "eventName": "FormatConvertJob:JobFinished",
        "eventSource": "acs:imm",
        "eventTime": rfc3339(at),
        "eventVersion": "1.0",
        "imm": {
            "code": document.code,
            "pageCount": str(document.pages),
            "percent": "100" if document.code == "NoError" else "0",
            "taskId": _task_id(document),
        },
    }
    body = json.dumps({"events": [told]}).encode()
    for delivery in range(document.times):
        yield Arrival(
            message_id=_message_id(f"{document.name} {delivery}"),
            body=body,
            events=notifications.parse(body).events,
            enqueued_at=at + 4 + 30_000 * delivery,
        )


def _uuid(name: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, name)


def _task_id(document: Document) -> str:
    return f"formatconvert-{_uuid(document.name)}"


def _message_id(name: str) -> str:
    return f"{_uuid(f'message {name}').hex[:16].upper()}-1-1A208B36A53-7"
