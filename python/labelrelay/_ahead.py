"""Takes the things of many events at once, ahead of their handlers: a state may do that for hundreds in the time of one.

An event is taken as a whole or not at all: its body is read, it was not handled before, and its first thing is leased. Any
other is left as it came, and goes its way alone.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING

from ._held import Todo
from .changes import Changed
from .event import parse
from .state import UNKNOWN, Wish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._claims import Claims
    from ._handling import Handling
    from ._held import Held
    from .changes import Change, Key, Removed
    from .event import Event
    from .state import GroupingState, Known

REMOVALS = 10_000
"""Removals that are remembered for those that were taken before. One that is forgotten finds what it removes by what lies
below it; then its handlers are called for both."""


class Ahead:
    """What was taken ahead, by one process."""

    def __init__(self, handling: Handling, state: GroupingState, claims: Claims, lease: float) -> None:
        self._handling = handling
        self._state = state
        self._claims = claims
        self._lease = lease
        self._removed: OrderedDict[Key, str] = OrderedDict()

    def take(self, came: Sequence[Held]) -> None:
        """Reads events and takes the thing of the first change of each."""
        read = self._read(came)
        reserved: list[tuple[Held, str, Event]] = []
        wishes: list[Wish] = []
        try:
            handled = self._state.were_handled([name for _, name, _ in read])
            for held, name, event in read:
                first = None if name in handled else event.changes[0]
                if first is not None and self._handling.reserve(first.key):
                    reserved.append((held, name, event))
                    wishes.append(Wish(first.key, first.parents, isinstance(first, Changed)))
            found = self._state.enter_all(wishes, self._lease)
        except Exception:
            # Each is tried again alone, and says what is wrong.
            found = [None] * len(wishes)
        for (held, name, event), wish, known in zip(reserved, wishes, found):
            if known is None:
                self._handling.free(wish.key)
            else:
                held.name, held.event, held.entered = name, event, known
                held.todo.extend(map(Todo, event.changes))

    def _read(self, came: Sequence[Held]) -> list[tuple[Held, str, Event]]:
        from ._handling import name_of

        read: dict[str, tuple[Held, str, Event]] = {}
        for held in came:
            # What cannot be read is read again by the thread that says so.
            with suppress(Exception):
                event = parse(held.message.body)
                name = name_of(event)
                # Of two that are the same, the second waits for the first. A fetch would keep all the others waiting.
                if name in read or not name.isascii() or not name.isprintable() or event.is_claimed:
                    continue
                event.verify()
                if event.changes:
                    read[name] = (held, name, event)
        return list(read.values())

    def entered(self, held: Held, change: Change) -> Mapping[Key, Known]:
        """What is known of a thing that was taken ahead, with what this process removed since."""
        known, held.entered = dict(held.entered or {}), None
        if not self._removed:
            return known
        above = {change.key, *change.parents, *(parent for one in known.values() for parent in one.parents)}
        for key in above:
            until = self._removed.get(key)
            if until is not None:
                known[key] = known.get(key, UNKNOWN).gone(until)
        return known

    def removed(self, removed: Removed) -> None:
        """Remembers a removal."""
        # Several threads may be here: each call is one step, and what is lost to another is forgotten early.
        self._removed[removed.key] = max(removed.until, self._removed.get(removed.key, ""))
        if len(self._removed) > REMOVALS:
            with suppress(KeyError):
                self._removed.popitem(last=False)

    def release(self, held: Held) -> None:
        """Gives back what was taken for an event, as it was before."""
        if held.entered is None:
            return
        key = held.todo[0].change.key
        known, held.entered = held.entered.get(key, UNKNOWN), None
        held.event, held.name = None, ""
        held.todo.clear()
        try:
            # What was noted meanwhile stays: only the rest is written.
            self._state.leave(key, known)
        finally:
            self._handling.free(key)
