"""`python -m benchmarks.consumer WAY COUNT`: empties the queue of its environment, and tells how long that took.

The ways are ours (the listener: stored, committed, deleted), the tutorial's loop that imm-tui began as (a message at a
time, printed), and a batch at a time with the vendor's SDK, kept nowhere. Standard error gets a line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from mns.account import Account
from mns.queue import Queue

from benchmarks.stage import BATCH, megabytes
from imm_tui import config, credentials
from imm_tui import drain as _imported_before_the_clock_runs  # noqa: F401
from imm_tui.arrivals import Delivery
from imm_tui.listener import Listener


def ours(count: int) -> None:
    settings = config.load({"config": os.devnull}, os.environ)
    done = threading.Event()
    events = 0

    def count_them(batch: list[Delivery]) -> None:
        nonlocal events
        events += len(batch)
        if events >= count:
            done.set()

    path = Path(os.environ["IMM_TUI_DATA_DIR"]) / "history.db"
    listener = Listener(settings, credentials.find(environ=os.environ), path, on_batch=count_them)
    listener.start()
    done.wait()
    listener.stop()


def tutorial(count: int) -> None:
    queue = _queue()
    for _ in range(count):
        message = queue.receive_message()
        print(message.message_body)
        queue.delete_message(message.receipt_handle)


def batches(count: int) -> None:
    queue = _queue()
    while count > 0:
        messages = queue.batch_receive_message(BATCH)
        queue.batch_delete_message([message.receipt_handle for message in messages])
        count -= len(messages)


def _queue() -> Queue:
    key_id, secret = (os.environ[f"ALIBABA_CLOUD_ACCESS_KEY_{part}"] for part in ("ID", "SECRET"))
    queue = Account(os.environ["IMM_TUI_MNS_ENDPOINT"], key_id, secret).get_queue(os.environ["IMM_TUI_QUEUE"])
    queue.set_encoding(False)
    return queue


WAYS: dict[str, Callable[[int], None]] = {"ours": ours, "tutorial": tutorial, "batches": batches}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.consumer", description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("count", type=int)
    arguments = parser.parse_args()
    began = time.perf_counter()
    WAYS[arguments.way](arguments.count)
    seconds = time.perf_counter() - began
    told = {"seconds": seconds, "megabytes": megabytes(os.getpid())}
    print(json.dumps(told), file=sys.stderr)


if __name__ == "__main__":
    main()
