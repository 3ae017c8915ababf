"""The queue itself: order, hiding, retention, and who gets a message when several wait."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imm_tui.emulator.clock import Clock
from imm_tui.emulator.ledger import Ledger
from imm_tui.emulator.mns.queues import Queue, QueueAttributes
from imm_tui.emulator.mns.wire import MnsError

FOR_EVER = QueueAttributes(visibility_timeout=43200)


def made(attributes: QueueAttributes) -> Queue:
    return Queue("q", attributes, Clock(), Ledger())


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("send"), st.integers(1, 16)),
            st.tuples(st.just("receive"), st.integers(1, 16)),
            st.tuples(st.just("delete"), st.integers(0, 99)),
        )
    )
)
def test_messages_come_by_priority_then_age_until_they_are_deleted(operations: list[tuple[str, int]]) -> None:
    async def run() -> None:
        queue = made(FOR_EVER)
        visible: list[tuple[int, int, str]] = []
        handles: list[str] = []
        for number, (operation, value) in enumerate(operations):
            if operation == "send":
                visible.append((value, number, queue.send(str(number), priority=value).id))
            elif operation == "receive":
                visible.sort()
                expected, visible = visible[:value], visible[value:]
                assert [message.id for message in queue.peek(value)] == [entry[2] for entry in expected]
                received = await queue.receive(value, 0)
                assert [message.id for message in received] == [entry[2] for entry in expected]
                handles += [message.handle for message in received]
            elif handles:
                queue.delete(handles.pop(value % len(handles)))
            assert queue.counts() == (len(visible), len(handles), 0)

    asyncio.run(run())


async def test_a_message_outlives_its_retention_period_nowhere() -> None:
    queue = made(FOR_EVER)
    queue.send("delayed", delay=60)
    queue.send("received")
    (received,) = await queue.receive(1, 0)
    handle = received.handle
    queue.send("visible")
    queue.change(replace(FOR_EVER, message_retention_period=0))
    assert queue.counts() == (0, 0, 0)
    assert queue.peek(16) == await queue.receive(16, 0) == []
    with pytest.raises(MnsError, match="MessageNotExist"):
        queue.delete(handle)


async def test_a_message_that_is_held_longer_does_not_come_at_its_earlier_time() -> None:
    queue = made(replace(FOR_EVER, visibility_timeout=1))
    queue.send("held")
    (held,) = await queue.receive(1, 0)
    queue.change_visibility(held.handle, 60)
    later = queue.send("later", delay=1)
    assert await queue.receive(1, 60) == [later]


async def test_deleting_most_of_what_is_hidden_loses_none_of_the_rest() -> None:
    queue = made(replace(FOR_EVER, visibility_timeout=1))
    for number in range(300):
        queue.send(str(number))
    messages = await queue.receive(300, 0)
    for message in messages[50:]:
        queue.delete(message.handle)
    returned = await queue.receive(300, 60)
    assert returned == messages[:50]
    assert queue.counts() == (0, 50, 0)


async def test_a_visible_message_has_no_handle() -> None:
    queue = made(FOR_EVER)
    with pytest.raises(MnsError, match="ReceiptHandleError"):
        queue.delete(queue.send("visible").handle)


async def test_a_poll_that_is_cancelled_on_its_turn_passes_it_on() -> None:
    queue = made(FOR_EVER)
    first, second = (asyncio.create_task(queue.receive(1, 60)) for _ in range(2))
    await asyncio.sleep(0)
    message = queue.send("for whoever is left")
    first.cancel()
    assert await second == [message]
    assert first.cancelled()


async def test_polls_are_served_in_the_order_they_came() -> None:
    queue = made(FOR_EVER)
    polls = [asyncio.create_task(queue.receive(1, 60)) for _ in range(3)]
    await asyncio.sleep(0)
    sent = [[queue.send(str(number))] for number in range(3)]
    assert await asyncio.gather(*polls) == sent


async def test_a_message_taken_from_under_a_woken_poll_leaves_it_waiting() -> None:
    queue = made(FOR_EVER)
    poll = asyncio.create_task(queue.receive(1, 60))
    await asyncio.sleep(0)
    first = queue.send("first")
    assert await queue.receive(1, 0) == [first]
    await asyncio.sleep(0)
    second = queue.send("second")
    assert await poll == [second]
