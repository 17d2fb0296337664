"""A queue in memory, and events for it."""

from __future__ import annotations

import json
import threading
from hashlib import sha256
from time import monotonic
from typing import TYPE_CHECKING, Any

from labelrelay._sources import Message

if TYPE_CHECKING:
    from collections.abc import Sequence


class InMemory:
    """Hides what it handed out, counts, and ends with what was received too often, as the real ones do."""

    name = "in-memory"
    receivers = 4
    longest = 3600.0

    def __init__(self, bodies: Sequence[bytes] = (), *, batch: int = 10, max_receives: int = 5, counts: bool = True) -> None:
        self.batch = batch
        self.counts = counts
        self.max_receives = max_receives
        self._changed = threading.Condition()
        self._messages: dict[int, dict[str, Any]] = {}
        self._numbers = 0
        self._waiting = 0
        self.acknowledged: list[bytes] = []
        self.dead: list[tuple[bytes, str]] = []
        self.extended = 0
        self.opened = 0
        self.clock = monotonic
        for body in bodies:
            self.send(body)

    def send(self, body: bytes) -> None:
        with self._changed:
            self._numbers += 1
            self._messages[self._numbers] = {"body": body, "visible": 0.0, "receives": 0, "token": 0}
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._messages)

    def open(self) -> None:
        self.opened += 1

    def close(self) -> None:
        self.opened -= 1

    def receive(self, most: int, visibility: float, wait: float) -> tuple[list[Message], list[str]]:
        ends = self.clock() + wait
        with self._changed:
            while True:
                now = self.clock()
                found: list[Message] = []
                for number, one in list(self._messages.items()):
                    if one["visible"] > now or len(found) == most:
                        continue
                    if self.counts and one["receives"] >= self.max_receives:
                        del self._messages[number]
                        self.dead.append((one["body"], "received too often"))
                        continue
                    one.update(visible=now + visibility, receives=one["receives"] + 1, token=one["token"] + 1)
                    found.append(Message((number, one["token"]), one["body"], one["receives"]))
                if found or now >= ends:
                    return found, []
                times = [one["visible"] for one in self._messages.values()] + [ends]
                self._changed.wait(max(0.001, min(times) - now))
                if self._waiting:
                    return [], []

    def wake(self) -> None:
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()

    def _of(self, message: Message) -> dict[str, Any] | None:
        number, token = message.receipt
        one = self._messages.get(number)
        return one if one is not None and one["token"] == token else None

    def ack(self, messages: Sequence[Message]) -> int:
        lost = 0
        with self._changed:
            for message in messages:
                if self._of(message) is None:
                    lost += 1
                else:
                    self.acknowledged.append(self._messages.pop(message.receipt[0])["body"])
        return lost

    def retry(self, messages: Sequence[Message], delay: float) -> None:
        with self._changed:
            for message in messages:
                if (one := self._of(message)) is not None:
                    one["visible"] = self.clock() + delay
            self._changed.notify_all()

    def extend(self, messages: Sequence[Message], visibility: float) -> None:
        with self._changed:
            for message in messages:
                if (one := self._of(message)) is not None:
                    one["visible"] = self.clock() + visibility
                    self.extended += 1

    def reject(self, message: Message, reason: str) -> None:
        with self._changed:
            if self._of(message) is not None:
                self.dead.append((self._messages.pop(message.receipt[0])["body"], reason))


def envelope(payload: object, type: str, *, id: str | None = None, received: str = "2026-11-20T12:00:00.5Z", **more: str) -> bytes:
    """An envelope, as the relay writes it."""
    data = json.dumps(payload).encode()
    digest = sha256(data).hexdigest()
    head = {
        "specversion": "1.0",
        "id": id or sha256(data + type.encode()).hexdigest(),
        "source": "/label-studio",
        "type": type,
        "typefrom": "body",
        "datasha256": digest,
        "receivedtime": received,
        **more,
    }
    return json.dumps(head, separators=(",", ":")).encode()[:-1] + b',"data":' + data + b"}"


def annotation(
    id: int = 5, second: float = 1.0, *, task: int = 7, project: int = 1, action: str = "created", **more: Any
) -> bytes:
    """An annotation that was changed so many seconds after noon."""
    payload = {
        "action": f"ANNOTATION_{action.upper()}",
        "annotation": {"id": id, "result": [], "updated_at": at(second), "task": task},
        "task": {"id": task},
        "project": {"id": project},
    }
    return envelope(payload, f"io.labelstud.annotation.{action}", **more)


def task_deleted(task: int = 7, second: float = 9.0, **more: Any) -> bytes:
    payload = {"action": "TASKS_DELETED", "tasks": [{"id": task}]}
    return envelope(payload, "io.labelstud.task.deleted", **{"received": at(second), **more})


def at(second: float) -> str:
    whole, part = divmod(round(second * 1_000_000), 1_000_000)
    # A whole second would be no version.
    return f"2026-11-20T12:{whole // 60:02}:{whole % 60:02}.{part or 1:06}Z"
