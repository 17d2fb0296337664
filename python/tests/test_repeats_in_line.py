"""Repeats of one event that are received together: they wait for each other."""

from __future__ import annotations

import time

import labelrelay
from in_memory import InMemory
from labelrelay.state import MemoryState
from labelrelay.testing import sample


class Failing(MemoryState):
    """Cannot be asked the fifth time: four events are looked for when they are read, and then the first that waited."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def was_handled(self, event: str) -> bool:
        self.asked += 1
        if self.asked == 5:
            raise OSError("away for a moment")
        return super().was_handled(event)


def consumed(state: MemoryState) -> tuple[labelrelay.Stats, list[labelrelay.Key], InMemory]:
    source = InMemory([sample("label-studio/task-deleted")] * 4)
    relay = labelrelay.Consumer(source, state=state, backoff=(0.1, 0.1))
    calls: list[labelrelay.Key] = []

    @relay.on("*")
    def keep(change: labelrelay.Change) -> None:
        calls.append(change.key)
        time.sleep(0.1)

    relay.run(concurrency=8, until_idle=1)
    return relay.stats, calls, source


def test_an_event_that_waited_for_its_repeat_is_known_then() -> None:
    stats, calls, source = consumed(MemoryState())
    assert len(calls) == 1
    assert stats.repeats == 3
    assert len(source) == 0 and len(source.acknowledged) == 4


def test_those_behind_one_that_cannot_be_looked_for_go_on() -> None:
    stats, calls, source = consumed(Failing())
    assert len(calls) == 1
    assert (stats.repeats, stats.retried) == (3, 1)
    assert len(source) == 0 and len(source.acknowledged) == 4
