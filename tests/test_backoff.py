"""Delays between calls to a service that fails: spread, bounded, and as long as it asks for."""

from __future__ import annotations

from imm_tui.backoff import Backoff


def test_delays_are_drawn_up_to_a_bound_that_doubles() -> None:
    rounds = []
    for _ in range(200):
        backoff = Backoff(1, 28)
        rounds.append([backoff.delay() for _ in range(8)])
    for delays, bound in zip(zip(*rounds, strict=True), [1, 2, 4, 8, 16, 28, 28, 28], strict=True):
        assert 0 <= min(delays) < bound / 4, "full jitter: some come back almost at once"
        assert bound * 3 / 4 < max(delays) <= bound
    backoff.reset()
    assert backoff.delay() <= 1


def test_an_outage_of_ten_minutes_costs_fifty_requests_on_average_and_hardly_ever_more_than_sixty() -> None:
    outages = []
    for _ in range(2000):
        backoff, elapsed, requests = Backoff(), 0.0, 1
        while (elapsed := elapsed + backoff.delay()) < 600:
            requests += 1
        outages.append(requests)
    assert sum(outages) / len(outages) <= 50
    assert sum(requests <= 60 for requests in outages) >= 0.99 * len(outages)


def test_the_service_may_ask_for_more_time_within_reason() -> None:
    assert 20 <= Backoff().delay(20) < 21
    assert Backoff().delay(1e9) == 300
