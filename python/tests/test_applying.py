"""The rules of `docs/changes.md` end where the platform is, whatever the order and however often events come."""

from __future__ import annotations

import json
import random
from typing import Any

import labelrelay
import pytest
from label_studio_model import Platform
from labelrelay import Changed, Key, Order


class Copy:
    """The copy that a consumer keeps which follows the rules."""

    def __init__(self) -> None:
        self.has: dict[Key, Changed] = {}
        self.gone: dict[Key, str] = {}

    def apply(self, change: labelrelay.Change) -> None:
        if isinstance(change, labelrelay.Removed):
            going = [change.key]
            while going:
                gone = going.pop()
                self.gone[gone] = max(self.gone.get(gone, ""), change.until)
                of = [key for key, held in self.has.items() if gone == key or gone in held.parents]
                for key in of:
                    if (self.has[key].version or "") <= change.until:
                        del self.has[key]
                        going += [key] if key != gone else []
            return
        held, version = self.has.get(change.key), change.version or ""
        is_gone = any(version <= self.gone.get(key, "") for key in (change.key, *change.parents))
        is_stale = held is not None and (held.version or "") >= version
        if not is_gone and not is_stale:
            assert change.order is Order.NEWER
            self.has[change.key] = change


def event_of(body: dict[str, Any], received: str) -> labelrelay.Event:
    noun, _, verb = body["action"].lower().rpartition("_")
    attributes = {
        "id": "e",
        "source": "/ls",
        "type": f"io.labelstud.{noun.removesuffix('s')}.{verb}",
        "datasha256": "",
        "receivedtime": received,
        "typefrom": "body",
    }
    return labelrelay.parse(json.dumps(body), attributes=attributes)


@pytest.mark.parametrize("seed", range(40))
def test_a_copy_ends_where_the_platform_is(seed: int) -> None:
    dice = random.Random(seed)
    platform = Platform(dice)
    while len(platform.bodies) < 250:
        platform.act()
    bodies = platform.bodies + dice.sample(platform.bodies, 50)
    # Each comes up to eight places early or late; repeats from anywhere.
    order = sorted(range(len(bodies)), key=lambda at: (at if at < 250 else dice.random() * 250) + dice.random() * 8)
    copy = Copy()
    for at in order:
        for change in event_of(*bodies[at]).changes:
            copy.apply(change)

    records = {key: held.record for key, held in copy.has.items()}
    tasks = {key.id: held.raw for key, held in records.items() if key.kind == "task" and held is not None}
    annotations = {key.id: held.raw for key, held in records.items() if key.kind == "annotation" and held is not None}
    assert tasks == {str(id): task for id, task in platform.tasks.items()}
    assert annotations == {str(id): annotation for id, annotation in platform.annotations.items()}
