"""Decides when a queue that failed is asked again, and when a consumer that is to end with an idle queue gives up."""

from __future__ import annotations

import random
from time import monotonic

from .errors import ConsumerError

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds without a receive after one that failed, and after many."""

GIVE_UP = 300.0
"""Seconds of failed receives after which a consumer ends that is to end when the queue is idle."""


class Patience:
    """Used under the lock of whoever has it."""

    def __init__(self, queue: str, until_idle: float | None) -> None:
        self._queue = queue
        self._until_idle = until_idle
        self._begun_at = monotonic()
        self._has_received = False
        """One receive succeeded, though nothing may have come."""
        self._failing_since: float | None = None
        self._pause = FIRST_PAUSE
        self.receive_at = 0.0
        """Time of the monotonic clock before which nothing is asked."""

    def failed(self, now: float) -> float:
        """Notes that a receive failed. Returns the seconds until the next one."""
        # Those that failed together must not come together.
        pause = self._pause * random.uniform(0.5, 1.0)
        self._pause = min(LONGEST_PAUSE, self._pause * 2)
        self.receive_at = now + pause
        self._failing_since = self._failing_since or now
        return pause

    def succeeded(self) -> None:
        """Notes that a receive succeeded."""
        self._has_received = True
        self._pause, self._failing_since = FIRST_PAUSE, None

    def is_over(self, now: float, busy_at: float) -> bool:
        """Tells whether a queue that was busy at that time for the last time, and has nothing left, was idle for long enough."""
        return self._until_idle is not None and now - busy_at >= self._until_idle

    def given_up(self, now: float) -> ConsumerError | None:
        """Says why nobody waits any longer for a queue that fails, if that is so."""
        if self._until_idle is None:
            return None
        if not self._has_received and now - self._begun_at >= self._until_idle:
            return ConsumerError(f"{self._queue}: no receive succeeded; the log says why")
        if self._failing_since is not None and now - self._failing_since >= GIVE_UP:
            return ConsumerError(f"{self._queue}: no receive succeeded for {GIVE_UP:.0f} s; the log says why")
        return None
