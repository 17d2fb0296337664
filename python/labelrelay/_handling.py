"""Handles one event: in which order the handlers of its changes run, and what becomes of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from ._ahead import Ahead
from ._held import Again, Busy, Done, Held, Rejected, Todo, Under, Unreadable, described, name_of, taken_over
from ._news import after, has_gone, is_gone, is_news
from .changes import By, Changed, Key, Removed
from .errors import EnvelopeClaimed, EventError, Reject, Retry
from .event import parse
from .state import UNKNOWN, GroupingState, Known

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from ._claims import Claims
    from ._held import Outcome
    from ._stats import Counters
    from .changes import Change
    from .event import Event
    from .refetch import Fetch
    from .state import State

    Step: TypeAlias = tuple[Change, Known]
    """A change as a handler gets it, and what is known of the thing once it is handled."""

Answer = TypeVar("Answer")


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
        self._keys: dict[Key, object] = {}
        """Things that are being handled in this process, each with what names its handler. Every step is one of the dictionary's own:
        a lock that every event takes makes threads wait in line for it."""
        self.on_free: Callable[[Key], None] | None = None
        """Called when a thing is no longer being handled."""
        self._groups: GroupingState | None = None
        self.ahead: Ahead | None = None
        """Takes several things at once, if the state can."""

    def group(self) -> None:
        """From now on, takes and ends things together, if the state can. Whoever asks for it calls the state's `sync` before anything
        is acknowledged, and heeds `Held.was_taken` after."""
        if isinstance(self._state, GroupingState):
            self._groups = self._state
            self.ahead = Ahead(self, self._state, self._lease)

    def work(self, held: Held, handle: Callable[[Change], None]) -> Outcome | Busy:
        """Goes on with an event until it is done, or has to wait for another one."""
        for step in self.steps(held):
            if isinstance(step, Busy):
                return step
            try:
                handle(step[0])
            except Exception as error:
                self.finish(held, step, error)
            except BaseException:
                self.finish(held, step, Retry(0, "the process ended"))
                raise
            else:
                self.finish(held, step, None)
        return self.outcome(held)

    def steps(self, held: Held) -> Generator[Step | Busy, None, None]:
        """Each change that is news: `finish` is to be called when it is handled. Ends early with a `Busy`."""
        self.begin(held)
        while held.todo:
            todo = held.todo[0]
            step: Step | Busy | None
            try:
                known = self.enter(held, todo)
                if known is None:
                    break
                if isinstance(known, Busy):
                    held.has_waited = True
                    step = known
                else:
                    held.todo.popleft()
                    step = self._news(held, todo, known)
            except Exception as error:  # the state's: nothing can be decided without it
                held.todo.clear()
                # A handler that failed before stays what is said of the event.
                if held.failure is None or isinstance(held.failure, Reject):
                    held.failure, held.is_blameless = error, True
                break
            if step is not None:
                yield step
                if isinstance(step, Busy):
                    return
        try:
            self.finished(held)
        except Exception as error:
            held.failure, held.is_blameless = error, True

    def _news(self, held: Held, todo: Todo, all_known: Mapping[Key, Known]) -> Step | None:
        """The change, if it is news, and what is known once it is handled. If it is none, it is ended."""
        change = todo.change
        key = change.key
        known = all_known.get(key, UNKNOWN)
        try:
            if isinstance(change, Changed):
                is_new = is_news(change, all_known)
                then = after(change, known)
            else:
                if todo.under is not None:
                    change = replace(change, parents=known.parents)
                is_new = is_gone(change, known, todo.under)
                is_left = has_gone(change, known, todo.under) and key not in held.followed
                # A newer thing with the same id is not touched, though what the older one held is.
                if is_new or is_left or todo.under is None:
                    self.note(held, todo, change, known)
                then = replace(known, is_there=False) if is_new else known
        except BaseException:
            self.leave(held, key, None)
            raise
        if is_new:
            return self.told(change), then
        self.leave(held, key, known)
        if todo.under is None:
            self._counters.add("stale")
        return None

    def finish(self, held: Held, step: Step, error: Exception | None) -> None:
        """Ends a change: it is handled, or its handler failed."""
        change, then = step
        is_blameless = False
        try:
            self.leave(held, change.key, then if error is None else None)
        except Exception as failed:
            is_blameless = error is None
            error = error or failed
        if error is None:
            self._counters.add("changes")
        # One that failed is tried again; only then is the word of another final.
        elif held.failure is None or isinstance(held.failure, Reject):
            held.failure, held.is_blameless = error, is_blameless
        elif held.is_blameless and not is_blameless and not isinstance(error, Reject):
            held.failure, held.is_blameless = error, False

    def begin(self, held: Held) -> None:
        """Reads the event, unless that was done."""
        if held.event is not None or held.failure is not None:
            return
        try:
            event = self._parsed(held)
            held.name = name_of(event)
            if _asked(held, partial(self._state.was_handled, held.name)):
                self._counters.add("repeats")
                held.event, held.name = event, ""
                return
            event = _asked(held, partial(self._claims.fetched, event)) if event.is_claimed else event
            event.verify()
            held.todo.extend(map(Todo, event.changes))
            held.event = event
        except Exception as error:
            held.failure = error

    def _parsed(self, held: Held) -> Event:
        message = held.message
        try:
            return parse(message.body)
        except EnvelopeClaimed as pointer:
            envelope = _asked(held, partial(self._claims.envelope, pointer, message.envelope_bytes))
        return parse(envelope)

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

    def enter(self, held: Held, todo: Todo) -> Mapping[Key, Known] | Busy | None:
        """Takes the thing of a change for this thread, and says what is known of it; `None` if it waited for its own repeat, so that
        nothing is left to do."""
        if held.entered is not None:
            taken, held.entered = held.entered, None
            return taken
        key = todo.change.key
        if not self.reserve(key):
            return Busy(key, True)
        try:
            if held.has_waited:
                held.has_waited = False
                if self._state.was_handled(held.name):
                    self._counters.add("repeats")
                    held.name = ""
                    held.todo.clear()
                    self.free(key)
                    return None
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

    def reserve(self, key: Key) -> bool:
        """Keeps other threads of this process from a thing; `False` if one has it."""
        mine = object()
        return self._keys.setdefault(key, mine) is mine

    def free(self, key: Key) -> None:
        self._keys.pop(key, None)
        if self.on_free is not None:
            self.on_free(key)

    def is_here(self, key: Key) -> bool:
        """Tells whether a thread of this process is handling the thing."""
        return key in self._keys

    def note(self, held: Held, todo: Todo, removed: Removed, known: Known) -> None:
        """Notes a removal, and adds the removals that follow from it."""
        # Of what went with something else, no later version than the known one: its id may be given again before `until`, in
        # something that is still there.
        until = removed.until if todo.under is None else known.version or ""
        if until:
            self._state.remove(removed.key, until)
        # A header holds for all that follows.
        by = By.HEADER if removed.by is By.HEADER else By.PARENT
        under = Under(removed.key, removed.key if todo.under is None else todo.under.first)
        for key in self._state.below(removed.key):
            follows = Removed(key=key, by=by, parents=(removed.key,), attributes=removed.attributes)
            held.todo.append(Todo(follows, under))
        held.followed.add(removed.key)

    def told(self, change: Change) -> Change:
        """The change as a handler gets it."""
        return change if self._fetch is None else replace(change, fetch=self._fetch)

    def leave(self, held: Held, key: Key, known: Known | None) -> None:
        """Ends with a thing. With the last one, the event is handled."""
        try:
            is_last = known is not None and not held.todo and held.failure is None
            if is_last and known is not None and self._groups is not None:
                self._groups.leave_later(key, known, held.name, partial(setattr, held, "was_taken", key))
            elif not self._state.leave(key, known, held.name if is_last else None):
                raise Retry(None, taken_over(key))
            if is_last:
                held.name = ""
        finally:
            self.free(key)

    def finished(self, held: Held) -> None:
        """Remembers the event, where no thing of it did so."""
        if held.name and held.failure is None and held.event is not None:
            self._state.handled(held.name)


def _asked(held: Held, ask: Callable[[], Answer]) -> Answer:
    """The answer of the state, or of a blob store. The event is not to blame if it cannot be asked now."""
    try:
        return ask()
    except EventError:
        raise
    except BaseException:
        held.is_blameless = True
        raise
