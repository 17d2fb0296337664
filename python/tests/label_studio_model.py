"""As much of Label Studio as sends events of every form: what it has, and the bodies that it sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random


class Platform:
    """As much of Label Studio as sends events of every form: what it has, and the bodies that it sent."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.bodies: list[tuple[dict[str, Any], str]] = []
        self.tasks: dict[int, dict[str, Any]] = {}
        self.annotations: dict[int, dict[str, Any]] = {}
        self.microseconds = 0

    def new_id(self, things: dict[int, dict[str, Any]]) -> int:
        """On SQLite, the id of the newest thing is given again once that is gone."""
        return max(things, default=0) + 1

    def now(self) -> str:
        self.microseconds += self.dice.randint(1, 400_000)
        seconds, rest = divmod(self.microseconds, 1_000_000)
        # A whole second would be no version; the platform writes one once in a million.
        return f"2026-11-20T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest or 1:06}Z"

    def send(self, action: str, **members: Any) -> None:
        # Received a moment after what it tells of.
        self.bodies.append((json.loads(json.dumps({"action": action, **members})), self.now()))

    def import_tasks(self) -> None:
        project = {"id": self.dice.randint(1, 3)}
        made: list[dict[str, Any]] = []
        for _ in range(self.dice.randint(1, 4)):
            id, at = self.new_id(self.tasks), self.now()
            made.append(
                {"id": id, "data": {"text": str(id)}, "created_at": at, "updated_at": at, "project": project["id"]}
            )
            self.tasks[id] = made[-1]
        self.send("TASKS_CREATED", tasks=made, project=project)

    def annotate(self, how_many: int = 1) -> None:
        if not self.tasks:
            return
        project = self.dice.choice(list(self.tasks.values()))["project"]
        tasks = [task for task in self.tasks.values() if task["project"] == project]
        tasks = [self.dice.choice(tasks) for _ in range(how_many)]
        made = [self.annotation(self.new_id(self.annotations), task) for task in tasks]
        if how_many == 1:
            self.send("ANNOTATION_CREATED", annotation=made[0], task=tasks[0], project={"id": project})
        else:  # predictions to annotations: arrays under singular keys
            self.send("ANNOTATIONS_CREATED", annotation=made, task=tasks, project={"id": project})

    def annotation(self, id: int, task: dict[str, Any]) -> dict[str, Any]:
        made = {"id": id, "task": task["id"], "result": [], "lead_time": self.dice.random(), "updated_at": self.now()}
        self.annotations[id] = made
        return made

    def update(self) -> None:
        for old in self.some(self.annotations, 1):
            task = self.tasks[old["task"]]
            new = self.annotation(old["id"], task)
            self.send("ANNOTATION_UPDATED", annotation=new, task=task, project={"id": task["project"]})

    def delete_annotations(self) -> None:
        gone = self.some(self.annotations, 3)
        for annotation in gone:
            del self.annotations[annotation["id"]]
        self.send("ANNOTATIONS_DELETED", annotations=[{"id": one["id"]} for one in gone], project={"id": 1})

    def delete_tasks(self) -> None:
        gone = self.some(self.tasks, 2)
        for task in gone:
            self.forget(task)
        # "Delete all tasks" says no project.
        self.send("TASKS_DELETED", tasks=[{"id": task["id"]} for task in gone])

    def delete_project(self) -> None:
        project = self.dice.randint(2, 3)
        # A project's id is never used again, and these three are all that there are: the first one stays.
        if self.dice.random() < 0.05:
            for task in [task for task in self.tasks.values() if task["project"] == project]:
                self.forget(task)
            self.send("PROJECT_DELETED", project={"id": project})
            self.import_tasks = self.import_into_the_first  # type: ignore[method-assign]

    def import_into_the_first(self) -> None:
        id, at = self.new_id(self.tasks), self.now()
        task = {"id": id, "data": {}, "created_at": at, "updated_at": at, "project": 1}
        self.tasks[id] = task
        self.send("TASK_CREATED", task=task, project={"id": 1})

    def forget(self, task: dict[str, Any]) -> None:
        del self.tasks[task["id"]]
        for id in [id for id, annotation in self.annotations.items() if annotation["task"] == task["id"]]:
            del self.annotations[id]

    def some(self, things: dict[int, dict[str, Any]], most: int) -> list[dict[str, Any]]:
        return self.dice.sample(list(things.values()), min(len(things), self.dice.randint(1, most)))

    def act(self) -> None:
        acts = [self.import_tasks, self.annotate, self.annotate, self.update, self.update, self.delete_annotations]
        self.dice.choice([*acts, lambda: self.annotate(3), self.delete_tasks, self.delete_project])()
