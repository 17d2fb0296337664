"""The embedded queue, through the program's own `queue pipe`: the schema of its file is nobody else's business."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ._pipe import PipedSource
from ._sources import SourceStopped
from .errors import ConsumerError

if TYPE_CHECKING:
    from ._sources import Settings


class EmbeddedSource(PipedSource):
    """The queue in the directory of a `serve`, or in a file. Its requests are answered in their order."""

    batch = 1000
    receivers = 1

    def __init__(self, url: str, settings: Settings) -> None:
        if settings.dead_letter is not None:
            raise ConsumerError("dead_letter: the embedded queue has dead letters of its own; leave it out")
        super().__init__(url, settings.program)
        self._is_file = url.startswith("sqlite:")
        if not self._is_file and not os.path.isdir(url):
            raise ConsumerError(f"{url!r} is no directory; write the one in which `labelrelay serve` runs, or sqlite:FILE")

    def _arguments(self) -> list[str]:
        return ["--queue", self.name] if self._is_file else []

    def _directory(self) -> str | None:
        if self._is_file:
            return None
        if not os.path.isdir(self.name):
            raise ConsumerError(f"{self.name!r} is no directory any more: start the consumer where the queue is now")
        return self.name

    def wake(self) -> None:
        try:
            # Any line ends a wait.
            self._ask({"op": "receive", "max": 0})
        except (ConsumerError, SourceStopped):
            pass  # it ended, and nobody waits
