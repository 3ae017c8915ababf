"""Workers as processes: what happens when they hang, crash, or lose their parent."""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from imm_tui.emulator.conversion.pdf import write_pdf
from imm_tui.emulator.conversion.pool import Pool
from imm_tui.emulator.conversion.request import Conversion

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")

SMALL = Conversion("oss://bucket/small.pdf", "pdf", ("oss://bucket/out/", ".png"), "png")
ENDLESS = Conversion("oss://bucket/endless.pdf", "pdf", ("oss://bucket/endless/", ".png"), "png", dpi=300)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a document that takes a moment and one that takes minutes; scratch folders go beside it."""
    for name in ("scratch", "data/bucket"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tmp_path / "data" / "bucket" / "small.pdf").write_bytes(write_pdf([["One page"]]))
    (tmp_path / "data" / "bucket" / "endless.pdf").write_bytes(write_pdf([["Many pages"]] * 3000))
    return tmp_path / "data"


def workers_of(parent: int) -> list[int]:
    """The running workers that a process has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes()
            parent_of_it = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent_of_it == parent and b"imm_tui.emulator.conversion.worker" in arguments:
            found.append(int(folder.name))
    return found


async def until(condition: Callable[[], object]) -> None:
    """Lets the event loop turn until something outside of it has come true."""
    while not condition():
        await asyncio.sleep(0.005)


def scratch_folders(data: Path) -> list[Path]:
    return list((data.parent / "scratch").iterdir())


def wait_for_the_end(process_ids: list[int]) -> None:
    """Returns when none of these processes runs any more."""
    for process_id in process_ids:
        try:
            handle = os.pidfd_open(process_id)
        except ProcessLookupError:
            continue
        try:
            assert select.select([handle], [], [], 10)[0], f"process {process_id} still runs"
        finally:
            os.close(handle)


async def test_workers_are_started_lazily_reused_and_gone_after_close(data: Path) -> None:
    pool = Pool(data)
    assert workers_of(os.getpid()) == []
    assert (await pool.convert(SMALL)).page_count == 1
    first = workers_of(os.getpid())
    outcomes = await asyncio.gather(*(pool.convert(SMALL) for _ in range(8)))
    assert {outcome.page_count for outcome in outcomes} == {1}
    assert set(first) <= set(workers_of(os.getpid()))
    assert len(workers_of(os.getpid())) == 2
    await pool.close()
    assert workers_of(os.getpid()) == []
    assert scratch_folders(data) == []


async def test_a_crash_fails_its_document_and_no_other(data: Path) -> None:
    pool = Pool(data, size=1)
    doomed = asyncio.create_task(pool.convert(ENDLESS))
    await until((data / "bucket" / "endless" / "1.png").exists)
    (worker,) = workers_of(os.getpid())
    after = asyncio.create_task(pool.convert(SMALL))
    os.kill(worker, signal.SIGSEGV)
    assert (await doomed).code == "OpenFileError"
    assert (await after).page_count == 1
    await pool.close()


async def test_a_worker_that_died_while_idle_costs_nothing(data: Path) -> None:
    pool = Pool(data, size=1)
    await pool.convert(SMALL)
    (worker,) = workers_of(os.getpid())
    os.kill(worker, signal.SIGKILL)
    await until(lambda: not workers_of(os.getpid()))
    assert (await pool.convert(SMALL)).page_count == 1
    await pool.close()


async def test_a_conversion_is_cut_off_at_the_limit(data: Path) -> None:
    pool = Pool(data, size=1, limit=1)
    outcome = await pool.convert(ENDLESS)
    assert (outcome.code, outcome.page_count) == ("ConvertTimeout", 0)
    assert workers_of(os.getpid()) == []
    assert scratch_folders(data) == []
    await pool.close()


@pytest.mark.parametrize("moment", ["while the worker starts", "in the middle of a document"])
async def test_cancelling_ends_a_conversion_at_once(data: Path, moment: str) -> None:
    pool = Pool(data)
    running = asyncio.create_task(pool.convert(ENDLESS))
    if moment == "while the worker starts":
        await asyncio.sleep(0)
    else:
        await until((data / "bucket" / "endless" / "1.png").exists)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await pool.close()
    assert workers_of(os.getpid()) == []
    assert scratch_folders(data) == []


PARENT = """
import asyncio, sys
from pathlib import Path
from imm_tui.emulator.conversion.request import Conversion
from imm_tui.emulator.conversion.pool import Pool

async def main():
    source, target_type = sys.argv[2:]
    numbered = ("oss://bucket/endless/", ".png")
    pool = Pool(Path(sys.argv[1]))
    conversion = Conversion("oss://bucket/" + source, source.rpartition(".")[2], numbered, target_type)
    await asyncio.gather(pool.convert(conversion), pool.convert(conversion))

asyncio.run(main())
"""


async def test_workers_do_not_outlive_a_killed_parent(data: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(data), "endless.pdf", "png"]) as parent:
        await until((data / "bucket" / "endless" / "1.png").exists)
        workers = workers_of(parent.pid)
        assert len(workers) == 2
        parent.kill()
    wait_for_the_end(workers)
    assert scratch_folders(data) == []


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
async def test_libreoffice_does_not_outlive_a_killed_parent(data: Path) -> None:
    (data / "bucket" / "table.csv").write_text("1,2,3\n" * 200_000)
    with subprocess.Popen([sys.executable, "-c", PARENT, str(data), "table.csv", "pdf"]) as parent:
        await until(lambda: libreoffices(data))
        processes = [*workers_of(parent.pid), *libreoffices(data)]
        parent.kill()
    wait_for_the_end(processes)
    assert libreoffices(data) == []
    assert scratch_folders(data) == []


def libreoffices(data: Path) -> list[int]:
    """LibreOffice's real processes that work for these scratch folders."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if b"soffice.bin" in arguments and str(data.parent).encode() in arguments:
            found.append(int(folder.name))
    return found
