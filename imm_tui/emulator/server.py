"""IMM, MNS and STS behind one HTTP port: the routing, replies in each service's own form, and `imm-tui emulator`."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import secrets
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from aiohttp import web

from imm_tui.emulator import control
from imm_tui.emulator.account import PROJECT, QUEUE, TOPIC, Account
from imm_tui.emulator.door import Refusal, pass_through
from imm_tui.emulator.imm import gateway
from imm_tui.emulator.imm.parameters import ImmError
from imm_tui.emulator.mns import http as mns_http
from imm_tui.emulator.mns.wire import VERSION, MnsError, Reply, error_document
from imm_tui.emulator.samples import write_samples
from imm_tui.emulator.scenarios import SCENARIOS
from imm_tui.emulator.signatures import Signatures
from imm_tui.emulator.world import World

BUCKET = "demo"
LONGEST_LINE = 65536
"""Bytes of a request line or a header: IMM's SDKs put all parameters into the URL, user data of 2 KB among them."""

GRACE = 0.01
"""Seconds that open requests have to end by themselves; then they are dropped."""


class Unusable(Exception):
    """The emulator cannot start; the text says what, why, and what to do."""


class Emulator:
    """IMM, MNS and STS of one account, with a project, a topic, a queue and their subscription ready to use.

    `oss://BUCKET/KEY` is the file `data_dir/BUCKET/KEY`; `pace` is the time in seconds that each conversion takes at
    least; `notify_format` is the NotifyContentFormat of the ready-made subscription. What goes wrong is the scenario's
    choice, and repeats with the same seed. Unusable: there is no such scenario.
    """

    def __init__(
        self,
        account: Account,
        data_dir: Path,
        *,
        pace: float = 0.0,
        notify_format: str = "JSON",
        scenario: str = "calm",
        seed: int = 0,
    ) -> None:
        if scenario not in SCENARIOS:
            raise Unusable(f"there is no scenario {scenario!r}. Choose one of {', '.join(SCENARIOS)}.")
        self._account = account
        self._data_dir = data_dir
        self._world = World(account, data_dir, pace=pace, notify_format=notify_format, scenario=scenario, seed=seed)
        self._signatures = Signatures(self._world.keys)
        self._runner: web.ServerRunner | None = None
        self._endpoint = ""
        self._request_ids = itertools.count(secrets.randbits(88))

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point a client of any kind here. The token is there to hide one of the caller's own."""
        return {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": self._account.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": self._account.access_key_secret,
            "ALIBABA_CLOUD_SECURITY_TOKEN": "",
            "IMM_TUI_REGION": self._account.region,
            "IMM_TUI_ACCOUNT_ID": self._account.account_id,
            "IMM_TUI_MNS_ENDPOINT": self._endpoint,
            "IMM_TUI_IMM_ENDPOINT": self._endpoint,
            "IMM_TUI_STS_ENDPOINT": self._endpoint,
            "IMM_TUI_PROJECT": PROJECT,
            "IMM_TUI_TOPIC": TOPIC,
            "IMM_TUI_QUEUE": QUEUE,
        }

    async def start(self, host: str = "127.0.0.1", port: int = 0, *, samples: bool = False) -> None:
        """Listen; port 0 takes a free one. Unusable: the folder or the address is not to be had."""
        bucket = self._data_dir / BUCKET
        try:
            bucket.mkdir(parents=True, exist_ok=True)
            if samples:
                write_samples(bucket)
        except OSError as error:
            raise Unusable(
                f"the data folder {self._data_dir} cannot be used: {error.strerror}. "
                "Give --data-dir a folder that you may write to."
            ) from error
        quiet = logging.getLogger(f"{__name__}.silent")
        quiet.disabled = True
        server = web.Server(
            self._handle,
            handler_cancellation=True,
            access_log=None,
            logger=quiet,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=GRACE)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port, reuse_address=True).start()
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise Unusable(
                f"cannot listen on {host} port {port}: {reason}. "
                "Choose another --host or --port; without --port a free one is taken."
            ) from error
        self._world.start()
        address = self._runner.addresses[0]
        name = f"[{address[0]}]" if ":" in address[0] else address[0]
        self._endpoint = f"http://{name}:{address[1]}"

    async def close(self) -> None:
        """Stop at once: open long polls are dropped, conversions are given up."""
        if self._runner is not None:
            await self._runner.cleanup()
        await self._world.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        target = request.raw_path
        path, _, query = target.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.content.read()
        if path.startswith(control.PATH):
            return await control.answer(self._world, request, path, self._endpoint, body)
        faults = self._world.faults
        if path == "/" and not headers.get("authorization", "").startswith("MNS "):
            handle = partial(self._handle_rpc, request.method, query, headers, body)
            if not faults.active:
                return await handle()
            return await pass_through(faults, *gateway.call_of(query, headers, body), request, handle)
        asked = mns_http.Request(
            method=request.method,
            path=path,
            query=mns_http.query_of(query),
            headers=headers,
            body=body,
            base_url=f"http://{headers['host']}" if "host" in headers else self._endpoint,
        )
        if not faults.active:
            return await self._handle_mns(target, asked)
        handle = partial(self._handle_mns, target, asked)
        return await pass_through(faults, "mns", mns_http.operation_of(asked), request, handle)

    async def _handle_rpc(
        self,
        method: str,
        query: str,
        headers: Mapping[str, str],
        body: bytes,
        refusal: Refusal | None = None,
        skew: float = 0.0,
    ) -> web.Response:
        error = None if refusal is None else ImmError(refusal.status, refusal.code, refusal.message)
        reply = await gateway.answer(
            self._account, self._world.imm, self._signatures, method, query, headers, body, refusal=error, skew=skew
        )
        return web.Response(
            status=reply.status,
            body=reply.body.encode("utf-8", "replace"),
            headers={"Content-Type": reply.content_type, "x-acs-request-id": reply.request_id},
        )

    async def _handle_mns(
        self, target: str, request: mns_http.Request, refusal: Refusal | None = None, skew: float = 0.0
    ) -> web.Response:
        request_id = f"{next(self._request_ids):024X}"
        try:
            if refusal is not None:
                raise MnsError(refusal.code, refusal.message, refusal.status)
            if not request.path.startswith(("/queues", "/topics")):
                raise MnsError("InvalidRequestURL", "Http request URL format invalid.", status=404)
            self._signatures.check_mns(request.method, target, request.headers, request.body, skew)
            reply = await mns_http.answer(self._world.mns, request)
        except Exception as error:
            said = (
                error if isinstance(error, MnsError) else MnsError("InternalError", f"{type(error).__name__}: {error}")
            )
            reply = Reply(said.status, error_document(said, request_id, request.base_url))
        headers = {"Server": "AliyunMNS", "x-mns-request-id": request_id, "x-mns-version": VERSION}
        if reply.location:
            headers["Location"] = reply.location
        if reply.body:
            headers["Content-Type"] = "text/xml;charset=utf-8"
        return web.Response(status=reply.status, body=reply.body.encode("utf-8", "replace"), headers=headers)


def exports(environment: Mapping[str, str]) -> str:
    """Lines for a shell to eval."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())


def until_signalled(*names: str) -> asyncio.Future[int]:
    """The number of the first of these signals to come; those that this platform can wait for."""
    loop = asyncio.get_running_loop()
    end: asyncio.Future[int] = loop.create_future()
    for name in names:
        if (number := getattr(signal, name, None)) is not None:
            with suppress(NotImplementedError):  # by the loops of Windows
                loop.add_signal_handler(number, settle, end, number)
    return end


def settle(end: asyncio.Future[int], number: int) -> None:
    """Ask for the end; what asked first stands."""
    if not end.done():
        end.set_result(number)


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    data_dir: Path | None = None,
    env_file: Path | None = None,
    samples: bool = False,
    pace: float = 0.0,
    notify_format: str = "JSON",
    scenario: str = "calm",
    seed: int = 0,
) -> int:
    """Run an emulator in the foreground until a signal ends it: the command `imm-tui emulator`.

    Prints its environment on stdout, and nothing else there, once it listens. Without `data_dir` its objects are in a
    temporary folder, removed at the end. Returns 128 and the number of the signal, as a shell shows it, or 2, with a
    line on stderr, when it cannot start.
    """
    folder = data_dir or Path(tempfile.mkdtemp(prefix="imm-tui-emulator-"))
    try:
        emulator = Emulator(
            Account.made_up(), folder, pace=pace, notify_format=notify_format, scenario=scenario, seed=seed
        )
        return 128 + asyncio.run(_serve(emulator, host, port, env_file, samples))
    except Unusable as error:
        print(f"imm-tui emulator: {error}", file=sys.stderr)
        return 2
    finally:
        if data_dir is None:
            shutil.rmtree(folder, ignore_errors=True)


async def _serve(emulator: Emulator, host: str, port: int, env_file: Path | None, samples: bool) -> int:
    end = until_signalled("SIGINT", "SIGTERM", "SIGHUP")
    try:
        await emulator.start(host, port, samples=samples)
        lines = exports(emulator.environment)
        if env_file is not None:
            _write_privately(env_file, lines)
        print(lines, end="", flush=True)
        if not control.is_loopback(host):
            print(
                f"imm-tui emulator: warning: {host} is not a loopback address; others may reach this port.",
                file=sys.stderr,
            )
        return await end
    finally:
        await emulator.close()


def _write_privately(path: Path, text: str) -> None:
    """Replace the file in one step, readable by its owner only. Unusable: it cannot be written."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise Unusable(
            f"the file {path} cannot be written: {error.strerror}. "
            "Give --env-file a path in a folder that you may write to."
        ) from error
