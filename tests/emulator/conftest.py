"""An IMM of its own for each test: real files under a temporary folder, real workers, and the events it publishes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from imm_tui.emulator.account import Account
from imm_tui.emulator.clock import Clock
from imm_tui.emulator.conversion.pdf import write_pdf
from imm_tui.emulator.imm.service import Imm
from imm_tui.emulator.ledger import Ledger

PROJECT = "demo"


@dataclass(slots=True)
class Service:
    """A running IMM with the project `demo` in both versions and a bucket with a five-page PDF."""

    version: str
    bucket: Path
    imm: Imm
    ledger: Ledger
    events: asyncio.Queue[tuple[str, Any]] = field(default_factory=asyncio.Queue)

    async def call(self, action: str, **parameters: object) -> dict[str, Any]:
        """One call in this service's version, to the project `demo` unless another is named."""
        project = {"2017-09-06": "Project", "2020-09-30": "ProjectName"}[self.version]
        given = {project: PROJECT, "Action": action, "Version": self.version, **parameters}
        return await self.imm.call({name: str(value) for name, value in given.items() if value is not None})

    async def event(self) -> dict[str, Any]:
        """The next event, parsed; it must be on the topic `results`."""
        topic, body = await self.events.get()
        assert topic == "results"
        event: dict[str, Any] = body
        return event


Start = Callable[..., Awaitable[Service]]


@pytest.fixture
async def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Starts services; on this PATH there is no LibreOffice."""
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    services: list[Service] = []

    async def start_service(version: str, *, pace: float = 0.0) -> Service:
        bucket = tmp_path / "buckets" / "bucket"
        bucket.mkdir(parents=True, exist_ok=True)
        (bucket / "产品手册.pdf").write_bytes(five_pages())
        events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        account = Account(account_id="1234567890123456", region="cn-beijing", access_key_id="id", access_key_secret="s")

        def publish(topic: str, body: str) -> None:
            events.put_nowait((topic, json.loads(body)))

        ledger = Ledger()
        imm = Imm(account, publish, bucket.parent, Clock(), ledger, pace)
        imm.put_project(PROJECT)
        services.append(Service(version, bucket, imm, ledger, events))
        return services[-1]

    yield start_service
    for service in services:
        await service.imm.close()


def five_pages() -> bytes:
    return write_pdf([[f"Page {number}", "第一行"] for number in range(1, 6)])
