"""Counts of what a consumer did."""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counts of what a consumer did since it was made. Events, unless another thing is said."""

    received: int
    """Messages, repeats included."""
    acknowledged: int
    """Done with: handled, repeats, and rejected ones."""
    repeats: int
    """Handled before."""
    changes: int
    """Changes that handlers were done with. One that had to be handled again counts again: another process had taken its
    thing over before the end was written."""
    stale: int
    """Changes that were older than what was handled before, or the same."""
    unwanted: int
    """Changes of kinds that no handler is for."""
    retried: int
    """Given back, to come again: a handler failed, or asked for it."""
    rejected: int
    """Sent to the dead letters, since a handler said so, or since they failed too often and the queue does not count."""
    unreadable: Mapping[str, int]
    """Could not be read, by the name of the error."""
    damaged: int
    """Damaged in the queue's file, and dead letters now."""


class Counters:
    """Counts as they rise. Each thread has its own, so that none waits for another: a lock that every event takes makes threads
    wait in line for it, one switch between them for each event."""

    def __init__(self) -> None:
        self._names = [field.name for field in fields(Stats) if field.name != "unreadable"]
        self._counts: dict[int, dict[str, int]] = {}
        """By the thread's number, which another one may get when it has ended."""
        self._lock = threading.Lock()
        self._unreadable: dict[str, int] = {}

    def add(self, name: str, count: int = 1) -> None:
        thread = threading.get_ident()
        own = self._counts.get(thread)
        if own is None:
            own = self._counts.setdefault(thread, dict.fromkeys(self._names, 0))
        own[name] += count

    def add_unreadable(self, error: str) -> None:
        with self._lock:
            self._unreadable[error] = self._unreadable.get(error, 0) + 1

    def shown(self) -> Stats:
        # A copy is made in one step, whatever other threads add meanwhile.
        of_threads = self._counts.copy().values()
        with self._lock:
            unreadable = dict(self._unreadable)
        return Stats(unreadable=unreadable, **{name: sum(own[name] for own in of_threads) for name in self._names})
