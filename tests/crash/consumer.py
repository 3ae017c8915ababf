"""A consumer that dies on demand: the real listener, in a process that kills itself with SIGKILL at a named point.

The product has no hook for it: what the listener calls is wrapped here, before it starts. `python -m
tests.crash.consumer` imports everything once, and forks a consumer for each line that it reads; so a death costs
milliseconds, not the start of an interpreter.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from imm_tui import config, credentials
from imm_tui.arrivals import Delivery
from imm_tui.cloud.connection import Connection
from imm_tui.cloud.mns import Queue
from imm_tui.history import History
from imm_tui.listener import Listener, ListenerState

_PATIENCE = 30
"""Seconds after which a consumer that has not died where it should is ended by another signal, SIGALRM."""

Burn = Callable[[], None]
"""Called at each passing of a failpoint; kills at one of them."""


def _before(owner: type, name: str, burn: Burn) -> None:
    original = getattr(owner, name)

    def call(*arguments: Any, **named: Any) -> Any:
        burn()
        return original(*arguments, **named)

    setattr(owner, name, call)


def _after(owner: type, name: str, burn: Burn) -> None:
    original = getattr(owner, name)

    def call(*arguments: Any, **named: Any) -> Any:
        result = original(*arguments, **named)
        burn()
        return result

    setattr(owner, name, call)


def _after_reply(name: str, burn: Burn) -> None:
    """The reply to a call of the queue's that was started has been read."""
    start = getattr(Queue, name)

    def started(*arguments: Any, **named: Any) -> Callable[[], list[Any]]:
        take = start(*arguments, **named)

        def taken() -> list[Any]:
            result: list[Any] = take()
            if result or name != "start_receive":  # an empty answer is none
                burn()
            return result

        return taken

    setattr(Queue, name, started)


def _on_the_wire(method: str, answered: bool, burn: Burn) -> None:
    """The request is out; its answer is under way, or has come and nobody has read it."""
    original = Connection.request

    def request(connection: Connection, verb: str, *arguments: Any, **named: Any) -> None:
        original(connection, verb, *arguments, **named)
        if verb == method:
            if answered:
                select.select([connection.sock], [], [])
            burn()

    Connection.request = request  # type: ignore[method-assign,assignment]


def _at_statement(verb: str, burn: Burn) -> None:
    """SQLite is about to run a statement that begins with `verb`, in a transaction that writes."""

    def trace(connection: sqlite3.Connection, statement: str) -> None:
        if statement.startswith(verb) and (connection.in_transaction or statement == "BEGIN IMMEDIATE"):
            burn()

    _trace(trace)


def _trace(trace: Callable[[sqlite3.Connection, str], None]) -> None:
    connect = sqlite3.connect

    def traced(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **named)
        connection.set_trace_callback(partial(trace, connection))
        return connection

    sqlite3.connect = traced  # type: ignore[assignment]


FAILPOINTS: dict[str, Callable[[Burn], None]] = {
    "before_receive": partial(_before, Queue, "start_receive"),
    "receive_sent": partial(_on_the_wire, "GET", False),
    "receive_answered": partial(_on_the_wire, "GET", True),
    "after_receive": partial(_after_reply, "start_receive"),
    "at_begin": partial(_at_statement, "BEGIN"),
    "mid_transaction": partial(_at_statement, ""),
    "before_commit": partial(_at_statement, "COMMIT"),
    "after_commit": partial(_after, History, "store"),
    "delete_sent": partial(_on_the_wire, "DELETE", False),
    "delete_answered": partial(_on_the_wire, "DELETE", True),
    "after_delete": partial(_after_reply, "start_delete"),
    "before_hide": partial(_before, Queue, "change_visibility"),
    "hide_sent": partial(_on_the_wire, "PUT", False),
    "hide_answered": partial(_on_the_wire, "PUT", True),
    "after_hide": partial(_after, Queue, "change_visibility"),
}
"""The instants of a receive cycle, in their order."""

TOLD = "told"
"""The last instant of all: the batch is over, and its news on its way to the screen."""

OPENING = "opening"
"""At any statement at all, the ones that make the history among them; at the latest when the history is open."""

RANDOM = "random"
"""No instant by name: killed from outside, `delay` seconds after the fork."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """When a consumer is to die: at the `passing`-th time that it comes by `point`, or after `delay` seconds."""

    point: str
    passing: int = 1
    delay: float = 0.0


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def consume(death: Death) -> None:
    """Listens, as the environment says, until it dies."""
    left = death.passing

    def burn() -> None:
        nonlocal left
        left -= 1
        if not left:
            die()

    def told(_batch: list[Delivery]) -> None:
        if death.point == TOLD:
            burn()

    def opened(_state: ListenerState) -> None:
        if death.point == OPENING:
            die()

    signal.alarm(_PATIENCE)
    if death.point in FAILPOINTS:
        FAILPOINTS[death.point](burn)
    elif death.point == OPENING:
        _trace(lambda connection, statement: burn())
    settings = config.load({}, os.environ)
    path = config.history_path(settings, os.environ)
    listener = Listener(settings, credentials.find(), path, on_batch=told, on_state=opened)
    listener.start()
    listener.join()


def main() -> None:
    """Reads a Death a line, and writes a line with the number of the signal that ended the consumer."""
    for line in sys.stdin:
        death = Death(**json.loads(line))
        child = os.fork()
        if not child:
            consume(death)
            os._exit(0)
        if death.point == RANDOM:
            time.sleep(death.delay)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print(os.WTERMSIG(status), flush=True)


if __name__ == "__main__":
    main()
