"""Takes the things of a few events at once: a state may do that for many in the time of one."""

from __future__ import annotations

from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from ._held import Todo, name_of
from .changes import Changed
from .event import parse
from .state import UNKNOWN, Wish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._handling import Handling
    from ._held import Held
    from .changes import Key
    from .event import Event
    from .state import GroupingState

MOST = 128
"""Events that are taken at once."""

MOST_BYTES = 4 << 20
"""Bytes of their bodies. A body that was read takes several times as many."""


class Ahead:
    """Used by one thread at a time."""

    def __init__(self, handling: Handling, state: GroupingState, lease: float) -> None:
        self._handling = handling
        self._state = state
        self._lease = lease
        self._last: set[Key] = set()
        """Things that were taken the last time. Another process may be waiting for them, so now each is taken alone."""

    def take(self, came: Sequence[Held]) -> int:
        """Takes the thing of the first change of each event, as far as that can be done without a change of their order.
        Returns how many of the first events have had their chance. One that is not taken then goes its way alone."""
        read = self._read(came)
        taken: set[Key] = set()
        # One that fails is tried again alone, and says what is wrong.
        with suppress(Exception):
            # A thing is kept for this thread before its event is looked for: whoever ends that event meanwhile has the thing.
            handled = self._state.were_handled([name for _, name, _ in read])
            wanted = [one for one in read if one[1] not in handled]
            found = self._state.enter_all([_wish(event) for _, _, event in wanted], self._lease)
            now = monotonic()
            for (held, name, event), known in zip(wanted, found):
                if known is not None:
                    taken.add(event.changes[0].key)
                    held.todo.extend(map(Todo, event.changes))
                    held.name, held.event, held.entered, held.entered_at = name, event, known, now
        self._last = taken
        for _, _, event in read:
            if event.changes[0].key not in taken:
                self._handling.free(event.changes[0].key)
        return len(read)

    def _read(self, came: Sequence[Held]) -> list[tuple[Held, str, Event]]:
        """The first events, up to one that has to go its way alone, each with its thing kept for this thread."""
        read: list[tuple[Held, str, Event]] = []
        size = 0
        for held in came:
            size += len(held.message.body)
            if size > MOST_BYTES or held.event is not None or held.failure is not None:
                break
            try:
                event = parse(held.message.body)
                name = name_of(event)
                # A fetch would keep all the others waiting.
                if event.is_claimed or not name.isascii() or not name.isprintable():
                    break
                event.verify()
                changes = event.changes
            except Exception:
                # It is read again by the thread that says so.
                break
            if not changes or changes[0].key in self._last or not self._handling.reserve(changes[0].key):
                break
            read.append((held, name, event))
        return read

    def release(self, held: Sequence[Held]) -> None:
        """Gives back what was taken for events that are not begun. They are as they came."""
        for one in held:
            if one.entered is not None:
                key = one.todo[0].change.key
                known, one.entered = one.entered.get(key, UNKNOWN), None
                one.event, one.name = None, ""
                one.todo.clear()
                try:
                    self._state.leave(key, known)
                finally:
                    self._handling.free(key)


def _wish(event: Event) -> Wish:
    first = event.changes[0]
    return Wish(first.key, first.parents, isinstance(first, Changed))
