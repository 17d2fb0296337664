"""Labels of Labelbox end where the platform is, whatever the order and however often events come."""

from __future__ import annotations

import random
from typing import Any

import labelrelay
import pytest
from in_memory import InMemory
from labelbox_model import Platform
from labelrelay import Changed, Order, Removed
from labelrelay.state import MemoryState
from labelrelay.testing import deliver


class Copy:
    """The labels that a consumer keeps which follows the rules, and asks the platform where events do not say."""

    def __init__(self, platform: Platform) -> None:
        self.platform, self.asked = platform, 0
        self.labels: dict[str, tuple[str, Any]] = {}
        """By their ids: the row, and the label."""
        self.relay = labelrelay.Consumer(InMemory(), fetch=platform.fetch)
        self.state = MemoryState()
        self.relay.on("label", "data_row")(self.keep)

    def keep(self, change: labelrelay.Change) -> None:
        if change.key.kind == "data_row":
            # One of its labels is gone, and nothing says which.
            self.asked += 1
            for id in [id for id, (row, _) in self.labels.items() if row == change.key.id and not self.platform.is_there(id)]:
                del self.labels[id]
            return
        if isinstance(change, Changed) and change.order is Order.UNKNOWN:
            self.asked += 1
            change = change.refetch()
        if isinstance(change, Removed):
            self.labels.pop(change.key.id, None)
        else:
            self.labels[change.key.id] = change.annotation.task or "", change.annotation.raw

    def deliver(self, body: bytes) -> None:
        delivered = deliver(self.relay, body, state=self.state)
        assert delivered.outcome == "done", delivered


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("version", "in_seconds"), [(1, False), (1, True), (2, True)])
def test_a_copy_ends_where_labelbox_is(version: int, in_seconds: bool, seed: int) -> None:
    dice = random.Random(seed)
    platform = Platform(dice, version, in_seconds)
    copy = Copy(platform)
    waiting: list[tuple[float, bytes]] = []
    for step in range(250):
        body = platform.act()
        # Up to eight places late; every fifth comes again, whenever that is.
        waiting.append((step + dice.random() * 8, body))
        if dice.random() < 0.2:
            waiting.append((step + dice.random() * 100, body))
        due = sorted(one for one in waiting if one[0] <= step)
        waiting = [one for one in waiting if one[0] > step]
        for _, body in due:
            copy.deliver(body)
    for _, body in sorted(waiting):
        copy.deliver(body)
    assert {id: label for id, (_, label) in copy.labels.items()} == platform.has()
    assert (copy.asked > 0) is in_seconds, "where events say all, nobody is asked"
    assert copy.relay.stats.repeats > 20
    assert copy.relay.stats.stale > 0
