"""With the events that the relay derives, a copy still ends where the platform is, and has the completions of the tasks that
are there and of no other. Ids are given again, as on SQLite."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import labelrelay
import pytest
from in_memory import InMemory, envelope
from label_studio_model import Platform
from labelrelay import Change, Key, Removed
from labelrelay.state import MemoryState
from labelrelay.testing import deliver
from test_applying import event_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class Ledger:
    """What the relay knows of tasks and annotations by the events that it took."""

    def __init__(self) -> None:
        self.projects: dict[int, int] = {}
        """Of each task."""
        self.tasks: dict[int, int] = {}
        """Of each annotation."""
        self.completed: set[int] = set()

    def events(self, body: dict[str, Any], received: str) -> Iterator[bytes]:
        """The event of a body, and what is derived from it."""
        yield envelope(body, event_of(body, received).attributes.type, received=received, id=f"live {received}")
        kind, _, action = body["action"].lower().rpartition("_")
        kind = kind.removesuffix("s")
        named = body.get(kind) or body.get(f"{kind}s") or []
        things: list[dict[str, Any]] = named if isinstance(named, list) else [named]
        for thing in things:
            id = thing["id"]
            if kind == "task" and action == "created":
                self.projects[id] = thing["project"]
            elif kind == "annotation" and action != "deleted":
                yield from self.annotated(id, thing["task"], received)
            elif kind == "annotation" and id in self.tasks:
                yield self.deletion(id, received)
            elif kind == "task":
                yield from self.task_gone(id, received)
            elif kind == "project":
                for task in [task for task, project in self.projects.items() if project == id]:
                    yield from self.task_gone(task, received)

    def annotated(self, id: int, task: int, received: str) -> Iterator[bytes]:
        self.tasks[id] = task
        if task not in self.completed:
            self.completed.add(task)
            body = {"task": task, "project": self.projects[task], "annotation": id}
            yield self.derived("task.completed", body, received)

    def task_gone(self, id: int, received: str) -> Iterator[bytes]:
        for annotation in [annotation for annotation, task in self.tasks.items() if task == id]:
            yield self.deletion(annotation, received)
        self.projects.pop(id, None)
        self.completed.discard(id)

    def deletion(self, id: int, received: str) -> bytes:
        task = self.tasks.pop(id)
        return self.derived("annotation.deleted", {"id": id, "task": task, "project": self.projects[task]}, received)

    def derived(self, type: str, body: dict[str, Any], received: str) -> bytes:
        id = f"{type} {json.dumps(body)} {received}"
        return envelope(body, f"io.labelstud.{type}", received=received, id=id, origin="derived")


@pytest.mark.parametrize("seed", range(12))
def test_a_copy_ends_where_the_platform_is(seed: int) -> None:
    dice = random.Random(seed)
    platform, ledger = Platform(dice), Ledger()
    while len(platform.bodies) < 250:
        platform.act()
    events = [event for body, received in platform.bodies for event in ledger.events(body, received)]
    count = len(events)
    events += dice.sample(events, count // 5)
    # Each comes up to eight places early or late; repeats from anywhere.
    order = sorted(range(len(events)), key=lambda at: (at if at < count else dice.random() * count) + dice.random() * 8)
    queue = [events[at] for at in order]
    relay, state, things = labelrelay.Consumer(InMemory()), MemoryState(), dict[Key, Change]()

    @relay.on("*")
    def keep(change: Change) -> None:
        if dice.random() < 0.05:
            raise OSError("fails before it is done")
        if isinstance(change, Removed):
            things.pop(change.key, None)
        else:
            things[change.key] = change
        if dice.random() < 0.05:
            raise OSError("fails after it was done")

    while queue:
        event = queue.pop(0)
        if deliver(relay, event, state=state).outcome == "again":
            queue.insert(dice.randint(0, 8), event)

    def ids(kind: str) -> set[str]:
        return {key.id for key in things if key.kind == kind}

    assert ids("task") == set(map(str, platform.tasks))
    assert ids("annotation") == set(map(str, platform.annotations))
    assert ids("completion") == set(map(str, ledger.completed))
    assert any(b"task.completed" in event for event in events)
