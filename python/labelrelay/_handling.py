"""Handles one event: which of its changes are news, in which order their handlers run, and what becomes of it.

The rules are those of "Applying changes" in `docs/changes.md`.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias, Union

from .changes import By, Changed, Key, Order, Removed
from .errors import EventError, Reject, Retry
from .event import Event, parse
from .state import UNKNOWN, Known

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._claims import Claims
    from ._sources import Message
    from ._stats import Counters
    from .changes import Change
    from .refetch import Fetch
    from .state import State


@dataclass(frozen=True, slots=True)
class Done:
    """Every change was handled, or is stale."""

    event: str


@dataclass(frozen=True, slots=True)
class Again:
    """The event is to come again."""

    event: str
    reason: str
    after: float | None = None
    is_its_own: bool = True
    """The event, or the handler of it, is what failed: where the consumer counts, only these make a dead letter of it."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A handler has no use for the event."""

    event: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The event, or its body, cannot be read."""

    event: str | None
    error: EventError


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else is handling this thing: another thread of this process, or another process."""

    key: Key
    is_here: bool


Outcome: TypeAlias = Union[Done, Again, Rejected, Unreadable]


@dataclass(slots=True)
class _Todo:
    change: Change
    under: Key | None = None
    """Of a removal that follows from another: the thing that held it."""


@dataclass(slots=True)
class Held:
    """A message that was received and is not settled, and how far it is."""

    message: Message
    event: Event | None = None
    name: str = ""
    """Names the event among those that were handled: its id, and when it was sent again."""
    todo: deque[_Todo] = field(default_factory=deque["_Todo"])
    failure: Exception | None = None
    is_blameless: bool = False
    """What failed is the state, and neither the event nor its handler."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while the message is extended, and while `is_settled` is written."""
    is_settled: bool = False
    """Nothing may extend it any more: that would undo the delay of a retry."""
    hidden_until: float = 0.0
    """Time of the monotonic clock until which nobody else receives the message."""


class Handling:
    """Handles events. Several threads use one."""

    def __init__(
        self,
        state: State,
        claims: Claims,
        counters: Counters,
        fetch: Fetch | None,
        lease: float,
    ) -> None:
        self._state = state
        self._claims = claims
        self._counters = counters
        self._fetch = fetch
        self._lease = lease
        self._lock = threading.Lock()
        self._keys: set[Key] = set()
        """Things that are being handled in this process."""
        self.on_free: Callable[[Key], None] | None = None
        """Called when a thing is no longer being handled."""

    def work(self, held: Held, handle: Callable[[Change], None]) -> Outcome | Busy:
        """Goes on with an event until it is done, or has to wait for another one."""
        for change, finish in self.steps(held):
            if isinstance(change, Busy):
                return change
            try:
                handle(change)
            except Exception as error:
                finish(error)
            except BaseException:
                finish(Retry(0, "the process ended"))
                raise
            else:
                finish(None)
        return self.outcome(held)

    def steps(self, held: Held) -> _Steps:
        """Each change that is news, with what is to be called when it is handled."""
        return _Steps(self, held)

    def begin(self, held: Held) -> None:
        """Reads the event, unless that was done."""
        if held.event is not None or held.failure is not None:
            return
        try:
            event = parse(held.message.body)
            attributes = event.attributes
            held.name = attributes.id + (f"@{attributes.replayedtime}" if attributes.replayedtime else "")
            if self._was_handled(held):
                self._counters.add("repeats")
                held.event, held.name = event, ""
                return
            event = self._claims.fetched(event) if event.is_claimed else event
            event.verify()
            held.todo.extend(_Todo(change) for change in event.changes)
            held.event = event
        except Exception as error:
            held.failure = error

    def _was_handled(self, held: Held) -> bool:
        try:
            return self._state.was_handled(held.name)
        except BaseException:
            held.is_blameless = True
            raise

    def outcome(self, held: Held) -> Outcome:
        """The outcome of an event with which nothing is left to do."""
        failure = held.failure
        id = held.event.id if held.event is not None else held.name.partition("@")[0]
        if failure is None:
            return Done(id)
        if isinstance(failure, Reject):
            return Rejected(id, failure.reason)
        if isinstance(failure, Retry):
            return Again(id, str(failure), failure.after, not held.is_blameless)
        if isinstance(failure, EventError) and held.event is None:
            return Unreadable(failure.event_id, failure)
        return Again(id, described(failure), None, not held.is_blameless)

    def enter(self, todo: _Todo) -> Mapping[Key, Known] | Busy:
        """Takes the thing of a change for this thread, and says what is known of it."""
        key = todo.change.key
        with self._lock:
            if key in self._keys:
                return Busy(key, True)
            self._keys.add(key)
        try:
            known = self._state.enter(key, todo.change.parents, self._lease, isinstance(todo.change, Changed))
        except BaseException:
            # It may have failed after the lease was taken, which would be kept for ever.
            with suppress(Exception):
                self._state.leave(key, None)
            self.free(key)
            raise
        if known is None:
            self.free(key)
            return Busy(key, False)
        return known

    def free(self, key: Key) -> None:
        with self._lock:
            self._keys.discard(key)
        if self.on_free is not None:
            self.on_free(key)

    def is_here(self, key: Key) -> bool:
        """Tells whether a thread of this process is handling the thing."""
        return key in self._keys

    def note(self, held: Held, todo: _Todo, removed: Removed) -> None:
        """Notes a removal, and adds the removals that follow from it."""
        self._state.remove(removed.key, removed.until)
        # What a header says, it says of all that follows.
        by = By.HEADER if removed.by is By.HEADER else By.PARENT
        for key in self._state.below(removed.key):
            follows = Removed(key=key, by=by, parents=(removed.key,), attributes=removed.attributes)
            held.todo.append(_Todo(follows, under=removed.key))

    def told(self, change: Change) -> Change:
        """The change as a handler gets it."""
        return change if self._fetch is None else replace(change, fetch=self._fetch)

    def leave(self, held: Held, key: Key, known: Known | None) -> None:
        """Ends with a thing. With the last one, the event is handled."""
        try:
            is_last = known is not None and not held.todo and held.failure is None
            if not self._state.leave(key, known, held.name if is_last else None):
                raise Retry(None, f"another process took over {key.kind} {key.id}: this one was slow to keep it")
            if is_last:
                held.name = ""
        finally:
            self.free(key)

    def finished(self, held: Held) -> None:
        """Remembers the event, where no thing of it did so."""
        if held.name and held.failure is None and held.event is not None:
            self._state.handled(held.name)

    def count(self, name: str) -> None:
        self._counters.add(name)


class _Steps:
    """Iterates over the changes of an event that are news. Ends early with a `Busy`."""

    def __init__(self, handling: Handling, held: Held) -> None:
        self._handling = handling
        self._held = held

    def __iter__(self) -> _Steps:
        return self

    def __next__(self) -> tuple[Change | Busy, Callable[[Exception | None], None]]:
        handling, held = self._handling, self._held
        handling.begin(held)
        while held.todo:
            todo = held.todo[0]
            try:
                known = handling.enter(todo)
                if isinstance(known, Busy):
                    return known, _nothing
                held.todo.popleft()
                news = self._news(todo, known)
            except Exception as error:  # the state's: nothing can be decided without it
                held.todo.clear()
                # A handler that failed before stays what is said of the event.
                if held.failure is None or isinstance(held.failure, Reject):
                    held.failure, held.is_blameless = error, True
                break
            if news is not None:
                return news
        try:
            handling.finished(held)
        except Exception as error:
            held.failure, held.is_blameless = error, True
        raise StopIteration

    def _news(
        self, todo: _Todo, all_known: Mapping[Key, Known]
    ) -> tuple[Change, Callable[[Exception | None], None]] | None:
        """The change, if it is news, and what ends it. If it is none, it is ended."""
        handling, held, change = self._handling, self._held, todo.change
        key = change.key
        known = all_known.get(key, UNKNOWN)
        try:
            if isinstance(change, Changed):
                is_news = _is_news(change, all_known)
                after = _after(change, known)
            else:
                if todo.under is not None:
                    change = replace(change, parents=known.parents)
                is_news = _is_gone(change, known, todo.under)
                # A newer thing with the same id is not touched, though what the older one held is.
                if is_news or todo.under is None:
                    handling.note(held, todo, change)
                after = replace(known, is_there=False) if is_news else known
        except BaseException:
            handling.leave(held, key, None)
            raise
        if not is_news:
            handling.leave(held, key, known)
            if todo.under is None:
                handling.count("stale")
            return None

        def finish(error: Exception | None) -> None:
            is_blameless = False
            try:
                handling.leave(held, key, after if error is None else None)
            except Exception as failed:
                is_blameless = error is None
                error = error or failed
            if error is None:
                handling.count("changes")
            # One that failed is tried again; only then is the word of another final.
            elif held.failure is None or isinstance(held.failure, Reject):
                held.failure, held.is_blameless = error, is_blameless
            elif held.is_blameless and not is_blameless and not isinstance(error, Reject):
                held.failure, held.is_blameless = error, False

        return handling.told(change), finish


def _nothing(_: Exception | None) -> None:
    """Nothing was begun, so nothing ends."""


def _is_news(change: Changed, known: Mapping[Key, Known]) -> bool:
    version = change.version or ""
    # `with_parents` found everything that holds it, however indirectly.
    if any(version <= one.until for one in known.values() if one.until):
        return False
    mine = known.get(change.key, UNKNOWN)
    if not mine.is_there or not change.version or mine.version is None:
        return True
    if version != mine.version:
        return version > mine.version
    return change.order is Order.UNKNOWN or change.attributes.replayedtime is not None


def _after(change: Changed, known: Known) -> Known:
    version = change.version
    if known.is_there and (version is None or (known.version or "") > version):
        version = known.version
    return Known(version, True, known.until, change.parents or known.parents)


def _is_gone(change: Removed, known: Known, under: Key | None) -> bool:
    if under is not None and (not known.is_there or under not in known.parents):
        return False
    return not known.is_there or (known.version or "") <= change.until


def described(error: BaseException) -> str:
    """An exception in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
