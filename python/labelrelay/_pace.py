"""Measures how many events a consumer handles in a moment. So many it asks for at once."""

from __future__ import annotations

from time import monotonic

LEAST = 100
"""Events that are asked for at once by whoever handles few."""

MOMENT = 0.25
"""Seconds for which a receive is to suffice."""

AHEAD = 0.05
"""Seconds for which a thing may be leased before its handler begins, as far as the pace says."""

LOOK_EVERY = 0.1
"""Seconds between two looks at how fast it goes, at least."""


class Pace:
    """Used under the lock of whoever has it."""

    def __init__(self, most: int) -> None:
        self._least, self._most = min(LEAST, most), most
        self.size = self._least
        """Events to ask for at once."""
        self.ahead = 0
        """Events to take at once."""
        self.handled = 0
        """Events that were handled since the last look."""
        self._looked_at = monotonic()

    def look(self, now: float) -> None:
        """Goes by what was handled since the last look. Call it before `size` is used: a pace of long ago says nothing."""
        elapsed = now - self._looked_at
        if elapsed >= LOOK_EVERY:
            a_second = self.handled / elapsed
            self.size = max(self._least, min(self._most, int(a_second * MOMENT)))
            self.ahead = int(a_second * AHEAD)
            self.handled, self._looked_at = 0, now
