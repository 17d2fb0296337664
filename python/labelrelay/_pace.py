"""How much a consumer takes at once: what it handles in a moment, so that nobody else waits for long for what it holds."""

from __future__ import annotations

from time import monotonic

LEAST = 100
"""Events that are asked for at once by whoever handles few."""

MOMENT = 0.25
"""Seconds for which a receive is to suffice."""

LOOK_EVERY = 0.1
"""Seconds between two looks at how fast it goes, at least."""


class Pace:
    """Measures how many events are handled in a moment. Used under the lock of whoever has it."""

    def __init__(self, most: int) -> None:
        self._least, self._most = min(LEAST, most), most
        self.size = self._least
        """Events to ask for at once."""
        self.handled = 0
        """Events that were handled since the last look."""
        self._in_a_moment = 0.0
        self._looked_at = monotonic()

    def look(self, now: float, *, began_anew: bool) -> None:
        """Goes by what was handled since the last look. If it begins anew, the time before says nothing: there was nothing to
        do."""
        elapsed = now - self._looked_at
        if not began_anew and elapsed < LOOK_EVERY:
            return
        if not began_anew:
            self._in_a_moment = self.handled / elapsed * MOMENT
            self.size = max(self._least, min(self._most, int(self._in_a_moment)))
        self.handled, self._looked_at = 0, now

    def is_within_moment(self, events: int) -> bool:
        """Tells whether so many are handled within a moment."""
        return 0 < events <= self._in_a_moment
