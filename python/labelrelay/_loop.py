"""An event loop in a thread of its own, for handlers that are `async def`."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Loop:
    """Runs coroutines of several threads beside one another."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="labelrelay-loop", daemon=True)
        self._thread.start()

    def finish(self, work: Coroutine[Any, Any, object]) -> None:
        """Waits for the end of `work`. Raises what it raises."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
