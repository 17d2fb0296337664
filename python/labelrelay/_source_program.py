"""Any other queue, through the program: without a client of its cloud, and in a process of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ._pipe import PipedSource

if TYPE_CHECKING:
    from ._sources import Settings


class ProgramSource(PipedSource):
    """A queue of a cloud, of Postgres or of NATS. The program finds its credentials as `labelrelay serve` does."""

    def __init__(self, url: str, settings: Settings) -> None:
        super().__init__(url.partition("?")[0], settings.program)
        self._url = url
        self._dead_letter = settings.dead_letter

    def _arguments(self) -> list[str]:
        return [] if self._dead_letter is None else ["--dead-letter", self._dead_letter]

    def _environment(self) -> dict[str, str]:
        # Not as an argument, which all users of the machine can see: a URL may be signed.
        return {**os.environ, "LABELRELAY_QUEUE": self._url}
