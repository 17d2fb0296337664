"""Repeats of one event that are received together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import labelrelay
from in_memory import InMemory
from labelrelay._sources import Message
from labelrelay.testing import sample

if TYPE_CHECKING:
    from collections.abc import Sequence


class Together(InMemory):
    """Gives all at once, and remembers what was acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self.came = [Message(number, sample("label-studio/task-deleted"), 1) for number in range(4)]
        self.done: list[object] = []

    def receive(self, most: int, visibility: float, wait: float) -> tuple[list[Message], list[str]]:
        came, self.came = self.came, []
        if not came:
            time.sleep(min(wait, 0.05))
        return came, []

    def ack(self, messages: Sequence[Message]) -> int:
        self.done += [message.receipt for message in messages]
        return 0


def test_an_event_that_waited_for_its_repeat_is_known_then() -> None:
    source = Together()
    relay = labelrelay.Consumer(source)
    calls: list[labelrelay.Key] = []

    @relay.on("*")
    def keep(change: labelrelay.Change) -> None:
        calls.append(change.key)
        time.sleep(0.1)

    relay.run(concurrency=8, until_idle=1)
    assert len(calls) == 1
    assert relay.stats.repeats == 3
    assert sorted(map(str, source.done)) == ["0", "1", "2", "3"]
