"""Threads that go from one event to the next without the lock: nothing is handled twice, and nothing is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import labelrelay
import pytest
from in_memory import InMemory, annotation
from labelrelay._claims import Claims
from labelrelay._handling import Handling
from labelrelay._runner import Runner
from labelrelay._session import Session
from labelrelay._stats import Counters
from labelrelay.state import MemoryState

if TYPE_CHECKING:
    from labelrelay import Change


def a_runner(handled: list[str], queue: InMemory) -> Runner:
    """One whose threads are not started, with everything received that is in the queue."""
    state, counters = MemoryState(), Counters()
    session = Session(queue, state, counters, visibility=60, backoff=(0, 0), max_receives=5)

    def keep(change: Change) -> None:
        handled.append(change.key.id)

    handling = Handling(state, Claims(()), counters, None, 60)
    runner = Runner(session, handling, keep, concurrency=2, wait=0, until_idle=None)
    runner._ready.extend(session.receive(len(queue), 0))
    return runner


def go_on(runner: Runner) -> None:
    """As a thread does that found an event."""
    held = runner._turn()
    assert held is not None
    runner._working += 1
    runner._handle_some(held)


@pytest.fixture
def queue() -> InMemory:
    return InMemory([annotation(number, task=number) for number in range(40)], batch=40)


def test_a_thread_goes_on_with_what_follows_until_others_are_to_be_asked_for(
    queue: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelrelay._runner.AT_A_STRETCH", 60.0)
    handled: list[str] = []
    runner = a_runner(handled, queue)
    go_on(runner)
    assert handled == [str(number) for number in range(20)], "half of a batch is the time to receive"
    assert (runner._working, runner._pace.handled) == (0, 20)
    runner._receiving = queue.receivers
    go_on(runner)
    assert len(handled) == 40, "others receive"
    assert len(queue.acknowledged) == 40, "settled as each would be"


def test_a_thread_goes_on_to_the_last_event_while_half_of_all_receive(
    queue: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelrelay._runner.AT_A_STRETCH", 60.0)
    handled: list[str] = []
    runner = a_runner(handled, queue)
    runner._receiving = 1
    go_on(runner)
    assert len(handled) == 40


def test_whoever_handles_many_in_a_moment_asks_earlier_for_others() -> None:
    runner = a_runner([], InMemory(batch=10))
    found: list[int] = []
    for in_a_moment in (0, 12, 1000):
        runner._pace.ahead = in_a_moment
        found.append(runner._low())
    assert found == [5, 12, 20]


@pytest.mark.parametrize("why", ["slow", "somebody sleeps", "given up"])
def test_a_thread_does_not_go_on_alone(why: str, queue: InMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labelrelay._runner.AT_A_STRETCH", 0.0 if why == "slow" else 60.0)
    handled: list[str] = []
    runner = a_runner(handled, queue)
    if why == "somebody sleeps":
        runner._sleeping = 1
    runner._is_abandoned = why == "given up"
    go_on(runner)
    assert handled == ["0"]


def test_nothing_is_taken_from_what_is_to_be_leased_first(queue: InMemory, tmp_path: object) -> None:
    from labelrelay._state_sqlite import SqliteState

    handled: list[str] = []
    runner = a_runner(handled, queue)
    runner._handling._state = SqliteState(f"{tmp_path}/seen.db")
    runner._handling.group()
    assert runner._following() is None
    runner._taken.append(runner._ready.popleft())
    assert runner._following() is not None


@pytest.mark.parametrize("count", [100, 1500, 2900])
def test_what_is_given_back_is_what_was_not_handled(count: int) -> None:
    """Given up in the middle: each event was handled once, or can be received."""
    queue = InMemory([annotation(number, task=number) for number in range(3000)], batch=1000)
    handled: list[str] = []
    relay = labelrelay.Consumer(queue)

    @relay.on("annotation")
    def keep(change: Change) -> None:
        handled.append(change.key.id)
        if len(handled) == count:
            relay.stop()

    relay.run(concurrency=4, wait=0.01, drain=0.0)
    left, _ = queue.receive(3000, 60, 0)
    given_back = [labelrelay.parse(message.body).changes[0].key.id for message in left]
    assert sorted(map(int, handled + given_back)) == list(range(3000))
    assert len(queue.acknowledged) == len(handled)
