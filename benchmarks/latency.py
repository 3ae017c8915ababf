"""How soon a message on the queue is to be seen in the list, beside the SDK's batch_receive_message returning it."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from xml.sax.saxutils import escape

from benchmarks.measuring import Figure, Row, in_turn, main, more, p95
from benchmarks.stage import Cloud, Screen, body, cloud, has, name_of
from tests.emulator.raw import RawMns
from tests.mailbox import Mailbox

_RECEIVER = """\
import os, sys
from mns.account import Account
key = [os.environ[f"ALIBABA_CLOUD_ACCESS_KEY_{part}"] for part in ("ID", "SECRET")]
queue = Account(os.environ["IMM_TUI_MNS_ENDPOINT"], *key).get_queue(os.environ["IMM_TUI_QUEUE"])
queue.set_encoding(False)
while True:
    messages = queue.batch_receive_message(16, wait_seconds=30)
    os.write(2, b".")
    queue.batch_delete_message([message.receipt_handle for message in messages])
"""

_APART = 0.05
"""Seconds between two messages: each finds everybody waiting for it."""


@contextmanager
def _sdk(stage: Cloud, mailbox: Mailbox) -> Iterator[Callable[[], None]]:
    """The SDK in a long poll; the function waits until it has returned a message."""
    receiver = [sys.executable, "-c", _RECEIVER]
    with subprocess.Popen(
        receiver, env=stage.environment("sdk", mailbox), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        told = process.stderr.fileno()

        def returned() -> None:
            assert os.read(told, 1) == b".", "the receiver has failed"

        yield returned
        process.kill()


def measure(messages: int = 25, rounds: int = 3) -> list[Row]:
    numbers = itertools.count(1)
    with cloud() as stage, closing(RawMns(stage.emulator)) as mns:
        shown, plain = stage.queue(), stage.queue()

        def send(mailbox: Mailbox, number: int) -> None:
            message = f"<Message><MessageBody>{escape(body(mailbox, number))}</MessageBody></Message>"
            answer = mns("POST", f"/queues/{mailbox.name}/messages", message.encode())
            assert answer.status == 201, answer

        with Screen(stage.environment("app", shown), "-m", "imm_tui") as screen, _sdk(stage, plain) as returned:

            def to_screen() -> float:
                number = next(numbers)
                began = time.perf_counter()
                return screen.await_(has(name_of(number)), lambda: send(shown, number)) - began

            def to_sdk() -> float:
                began = time.perf_counter()
                send(plain, next(numbers))
                returned()
                return time.perf_counter() - began

            def worst(wait: Callable[[], float]) -> float:
                taken = []
                for _ in range(messages):
                    time.sleep(_APART)
                    taken.append(wait() * 1000)
                return p95(taken)

            to_screen()  # when both are listening
            to_sdk()
            mine, sdk = in_turn(rounds, lambda: worst(to_screen), lambda: worst(to_sdk))
    return [
        Row(
            what="message on the queue → row repainted, p95",
            ours=Figure(mine, "ms"),
            against="SDK's receive returns",
            other=Figure(sdk, "ms"),
            goal=more(50),
        )
    ]


if __name__ == "__main__":
    main(measure)
