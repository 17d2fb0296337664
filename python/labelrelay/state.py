"""What a consumer remembers: which events it handled, and the newest version of each thing.

`open_state` takes a setting apart. A state of your own has the methods of `State`.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from .errors import ConsumerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .changes import Key

REMEMBERED = 35 * 86_400.0
"""Seconds for which an event's id is remembered: no queue keeps a message for longer, its dead letters included."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a thing."""

    version: str | None = None
    """The newest that was handled; `None` if it has none."""
    is_there: bool = False
    """A handler was called for it, which may have failed, and it was not removed since."""
    until: str = ""
    """Every version up to this is gone."""
    parents: tuple[Key, ...] = ()

    def gone(self, until: str) -> Known:
        """The same, once a removal up to `until` is noted."""
        return self if until <= self.until else Known(self.version, self.is_there, until, self.parents)

    def coming(self, parents: tuple[Key, ...]) -> Known:
        """The same, once a handler is about to be called for it."""
        return Known(self.version, True, self.until, parents or self.parents)


UNKNOWN = Known()


class State(Protocol):
    """The memory of a consumer. Several threads use one, and several processes what lies behind it.

    A change is handled in this order: `enter`, the handler, `leave`. A removal is noted before `below` is asked for, and
    `enter` writes the parents before it looks at what is known of them. So of a thing and the removal of what holds it,
    handled at the same time, at least one sees the other: both steps must be seen by all in the order in which they are
    done.
    """

    def was_handled(self, event: str) -> bool:
        """Tells whether the event was handled to its end."""
        ...

    def handled(self, event: str) -> None:
        """Remembers an event that was handled to its end."""
        ...

    def enter(self, key: Key, parents: tuple[Key, ...], seconds: float, comes: bool) -> Mapping[Key, Known] | None:
        """Leases the thing for so long, and writes what holds it. Returns what was known before of it and of all that hold
        it; `None` if another process has it.

        If it `comes`, writes too that it is there, held by `parents`: a handler that fails, or a process that ends, may
        have left it with the user already, and a removal of what holds it must take it."""
        ...

    def leave(self, key: Key, known: Known | None, event: str | None = None) -> bool:
        """Ends the lease, writes what is `known` now (all but `until`, which `remove` alone writes), and remembers `event` as handled. Returns `False`, and writes
        nothing, if the lease had run out and somebody else took it."""
        ...

    def keep(self, seconds: float) -> None:
        """Prolongs all leases of this process."""
        ...

    def remove(self, key: Key, until: str) -> None:
        """Notes a removal."""
        ...

    def below(self, key: Key) -> list[Key]:
        """Everything that was ever entered with this thing among its parents."""
        ...

    def sync(self) -> None:
        """Makes everything durable that was written. Nothing is acknowledged before."""
        ...

    def close(self) -> None:
        """Frees what it holds, and the leases of this process."""
        ...


class Wish(NamedTuple):
    """What `enter` is asked for, without the time."""

    key: Key
    parents: tuple[Key, ...]
    comes: bool


@runtime_checkable
class GroupingState(State, Protocol):
    """A state that does for many events at once what takes it nearly as long for one."""

    def were_handled(self, events: Sequence[str]) -> set[str]:
        """Those of the events that were handled to their end."""
        ...

    def enter_all(self, wishes: Sequence[Wish], seconds: float) -> Sequence[Mapping[Key, Known] | None]:
        """`enter` for things that differ from one another, all or none of it."""
        ...

    def leave_later(self, key: Key, known: Known, event: str, taken: Callable[[], object]) -> None:
        """`leave`, written with the next step of this state, and with `sync` at the latest. Every step of this process
        goes by it. Calls `taken`, and writes nothing, if the lease had run out and somebody else took it."""
        ...


class MemoryState:
    """Remembers for as long as the process lives, and for one process. Every event id for `remembered` seconds."""

    def __init__(self, remembered: float = REMEMBERED) -> None:
        self._remembered = remembered
        self._events: dict[str, float] = {}
        """When each was handled."""
        self._in_order: deque[tuple[float, str]] = deque()
        """The same, oldest first."""
        self._forgetting = threading.Lock()
        self._known: dict[Key, Known] = {}
        self._below: dict[Key, dict[Key, None]] = {}
        self._locks = [threading.Lock() for _ in range(64)]
        """Each for the things of one 64th, so that threads hardly ever wait for each other: what is read of a thing and written again
        is its own."""

    def _lock_of(self, key: Key) -> threading.Lock:
        return self._locks[hash(key) % 64]

    def was_handled(self, event: str) -> bool:
        return event in self._events

    def handled(self, event: str) -> None:
        now = monotonic()
        self._events[event] = now
        self._in_order.append((now, event))
        if now - self._in_order[0][0] >= self._remembered:
            self._forget(now)

    def _forget(self, now: float) -> None:
        with self._forgetting:
            # One stays: another thread may be looking at it.
            while len(self._in_order) > 1 and now - self._in_order[0][0] >= self._remembered:
                at, event = self._in_order.popleft()
                if self._events.get(event) == at:  # else it was handled again since
                    del self._events[event]

    def enter(self, key: Key, parents: tuple[Key, ...], seconds: float, comes: bool) -> Mapping[Key, Known] | None:
        with self._lock_of(key):
            for parent in parents:
                self._below.setdefault(parent, {})[key] = None
            found = with_parents(key, parents, self._of)
            if comes:
                self._known[key] = found.get(key, UNKNOWN).coming(parents)
            return found

    def _of(self, keys: Iterable[Key]) -> dict[Key, Known]:
        return {key: self._known[key] for key in keys if key in self._known}

    def leave(self, key: Key, known: Known | None, event: str | None = None) -> bool:
        if known is not None:
            with self._lock_of(key):
                # A removal may have been noted meanwhile.
                before = self._known.get(key)
                self._known[key] = known if before is None else known.gone(before.until)
        if event is not None:
            self.handled(event)
        return True

    def keep(self, seconds: float) -> None:
        """The consumer itself keeps one process's handlers apart."""

    def remove(self, key: Key, until: str) -> None:
        with self._lock_of(key):
            self._known[key] = self._known.get(key, UNKNOWN).gone(until)

    def below(self, key: Key) -> list[Key]:
        below = self._below.get(key)
        # A copy is made in one step, whatever other threads add meanwhile.
        return [] if below is None else list(below.copy())

    def sync(self) -> None:
        """Nothing of it is durable."""

    def close(self) -> None:
        """It goes with the process."""


class Reader(Protocol):
    """Reads what is known of some keys; those of which nothing is known are left out."""

    def __call__(self, keys: Iterable[Key], /) -> Mapping[Key, Known]: ...


def with_parents(key: Key, parents: tuple[Key, ...], read: Reader) -> dict[Key, Known]:
    """What is known of `key` and of everything that holds it, however indirectly: a task says which project it is of,
    where an annotation did not. What held it before counts only if nothing is said of what holds it now."""
    asked = {key, *parents}
    found = dict(read(asked))
    if not found:
        return found  # nearly always: it is new, and nothing was said of what holds it
    # One of these that another thing says may be of before: an id may be given again, elsewhere.
    told = {parent.kind for parent in parents}
    some = found
    while some:
        said = {parent for one, known in some.items() if one != key or not parents for parent in known.parents}
        wanted = {one for one in said - asked if one.kind not in told}
        if not wanted:
            break
        asked |= wanted
        some = dict(read(wanted))
        found.update(some)
    return found


def open_state(setting: str | State | None) -> State:
    """The state that a setting names: none for memory, `sqlite:FILE`, `postgresql://…`, `dynamodb://REGION/TABLE`.

    Raises `ConsumerError`.
    """
    if setting is None:
        return MemoryState()
    if not isinstance(setting, str):
        return setting
    scheme, _, rest = setting.partition(":")
    if scheme == "sqlite" and rest:
        from ._state_sqlite import SqliteState

        return SqliteState(rest)
    if scheme in ("postgresql", "postgres"):
        from ._state_postgres import PostgresState

        return PostgresState(setting)
    if scheme == "dynamodb":
        from ._state_dynamodb import DynamoState

        return DynamoState(setting)
    # A URL may hold a password.
    raise ConsumerError(f"state: {scheme!r} is no kind of state; write sqlite:FILE, postgresql://… or dynamodb://REGION/TABLE")
