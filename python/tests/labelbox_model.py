"""As much of Labelbox as sends events about labels, in either version of its webhooks, and answers about one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from in_memory import envelope

if TYPE_CHECKING:
    import random

    from labelrelay import Key

ROWS, PROJECTS = 6, 2


class Platform:
    """Rows with labels. `version` is that of the webhooks; `in_seconds` writes times as Labelbox's documents have them."""

    def __init__(self, dice: random.Random, version: int, in_seconds: bool) -> None:
        self.dice, self.version, self.in_seconds = dice, version, in_seconds
        self.labels: dict[str, dict[str, Any]] = {}
        """By their ids: row, project, and the label as this version of the webhooks writes it."""
        self.ids = 0
        self.milliseconds = 0

    def now(self, in_seconds: bool = False) -> str:
        self.milliseconds += self.dice.randint(1, 400)
        seconds, rest = divmod(self.milliseconds, 1000)
        fraction = "" if in_seconds else f".{rest or 1:03}"
        return f"2026-11-20T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}Z"

    def act(self) -> bytes:
        """Somebody does something; the event that tells of it."""
        does = self.dice.choice(("creates", "updates", "updates", "deletes"))
        if does == "creates" or not self.labels:
            self.ids += 1
            id, row, project = f"label{self.ids}", f"row{self.dice.randrange(ROWS)}", f"project{self.dice.randrange(PROJECTS)}"
            self.labels[id] = {"row": row, "project": project, "label": self._written(id, row, project)}
            return self._told(self.labels[id], "created")
        id = self.dice.choice(list(self.labels))
        held = self.labels[id]
        if does == "updates":
            held["label"] = self._written(id, held["row"], held["project"])
            return self._told(held, "updated")
        told = self._told(held, "deleted")
        del self.labels[id]
        return told

    def _written(self, id: str, row: str, project: str) -> dict[str, Any]:
        at, boxes = self.now(self.in_seconds), [self._box() for _ in range(self.dice.randrange(3))]
        marks: dict[str, Any] = {"objects": boxes, "classifications": [], "relationships": []}
        if self.version == 1:
            return {"id": id, "label": json.dumps(marks), "updatedAt": at, "dataRow": {"id": row}, "project": {"id": project}}
        return {"id": id, "label_details": {"updated_at": at}, "annotations": marks}

    def _box(self) -> dict[str, Any]:
        sides = {side: self.dice.randint(1, 100) for side in ("top", "left", "height", "width")}
        return {"feature_id": f"f{self.dice.random()}", "name": "car", "bounding_box": sides}

    def _told(self, held: dict[str, Any], action: str) -> bytes:
        """A deletion is told while the label is still there: of a row with several, nothing says which it is."""
        row = [one for one in self.labels.values() if one["row"] == held["row"]]
        return self._event(held["label"] if self.version == 1 else self._row(held["row"], row), action)

    def _event(self, body: Any, action: str) -> bytes:
        # Only a header says what happened.
        more = {"source": "/labelbox", "typefrom": "header", "received": self.now()}
        return envelope(body, f"com.labelbox.label.{action}", id=f"e{self.milliseconds}", **more)

    def _row(self, row: str, labels: list[dict[str, Any]]) -> dict[str, Any]:
        projects: dict[str, Any] = {}
        for one in labels:
            projects.setdefault(one["project"], {"labels": []})["labels"].append(one["label"])
        return {"data_row": {"id": row}, "projects": projects, "media_attributes": {}}

    def fetch(self, key: Key) -> bytes | None:
        """The label as it is now."""
        assert key.kind == "label"
        held = self.labels.get(key.id)
        if held is None:
            return None
        return json.dumps(held["label"] if self.version == 1 else self._row(held["row"], [held])).encode()

    def is_there(self, id: str) -> bool:
        return id in self.labels

    def has(self) -> dict[str, Any]:
        """Each label, as it would be written now."""
        return {id: json.loads(json.dumps(held["label"])) for id, held in self.labels.items()}
