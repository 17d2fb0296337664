"""Threads that receive and handle."""

from __future__ import annotations

import heapq
import logging
import random
import threading
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from ._ahead import MOST
from ._held import Again, Busy, Held, described
from ._pace import Pace
from ._patience import Patience
from ._sources import SourceStopped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._handling import Handling
    from ._session import Session
    from .changes import Change, Key

log = logging.getLogger("labelrelay")

LOOK_AGAIN = (0.05, 0.5)
"""Bounds of the seconds after which a thing that another process was handling is asked for again."""

RELEASE_AFTER = 1.0
"""Seconds for which a thing is leased before its handler begins, at most: another process may want it."""

AT_A_STRETCH = 0.01
"""Seconds for which a thread goes from one event to the next without the lock. Each wait for it costs as much as many an event,
and how fast it goes is looked at in between."""


class Runner:
    """A pool of threads that handle events. Whoever has nothing to do receives."""

    def __init__(
        self,
        session: Session,
        handling: Handling,
        handle: Callable[[Change], None],
        *,
        concurrency: int,
        wait: float,
        until_idle: float | None,
    ) -> None:
        self._session = session
        self._handling = handling
        self._handle = handle
        self._wait = wait if until_idle is None else min(wait, until_idle)
        self._patience = Patience(session.source.name, until_idle)
        self._changed = threading.Condition()
        self._ready: deque[Held] = deque()
        self._taken: deque[Held] = deque()
        """Events whose turn it is: they came before all in `_ready`. Most were taken ahead. `_following` takes from both without
        the lock, so that each may be empty a moment after it was not."""
        self._is_taking = False
        self._parked: dict[Key, deque[Held]] = {}
        self._delayed: list[tuple[float, int, Held]] = []
        self._numbers = 0
        self._waiting = 0
        """Events in `_parked` and `_delayed`."""
        self._working = 0
        """Threads that have an event."""
        self._sleeping = 0
        """Threads that wait to be told of something."""
        self._receiving = 0
        self._came_last = False
        self._busy_at = monotonic()
        self._stopping = False
        self._is_abandoned = False
        self.failure: BaseException | None = None
        self._pace = Pace(session.source.batch)
        self._threads = [
            threading.Thread(target=self._work, name=f"labelrelay-{number}", daemon=True) for number in range(concurrency)
        ]
        handling.on_free = self._freed
        session.on_tick = self._release_old
        handling.group()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self, timeout: float) -> bool:
        """Waits for the end; tells whether it came."""
        ends = monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, ends - monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Receives nothing more. What was received is handled."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._session.source.wake()

    def abandon(self) -> None:
        """Gives back what was received and not begun."""
        with self._changed:
            self._stopping = self._is_abandoned = True
            left = [*_drained(self._taken), *_drained(self._ready)]
            left += [held for line in self._parked.values() for held in line]
            left += [held for _, _, held in self._delayed]
            self._parked.clear()
            self._delayed.clear()
            self._waiting = 0
            self._changed.notify_all()
        self._give_back(left)

    def _give_back(self, held: Sequence[Held]) -> None:
        try:
            if self._handling.ahead is not None:
                self._handling.ahead.release(held)
        except Exception as error:
            log.error("the leases of events that are given back could not be ended, and run out: %s", described(error))
        self._session.give_back(held)

    def _release_old(self) -> None:
        """Gives back the leases of events that were taken a while ago: handlers have become slow."""
        with self._changed:
            ahead, before = self._handling.ahead, monotonic() - RELEASE_AFTER
            # A copy is made in one step, whatever other threads take out meanwhile.
            is_old = any(held.entered is not None and held.entered_at <= before for held in self._taken.copy())
            # Events that are being taken come after these.
            if ahead is None or self._is_taking or not is_old:
                return
            taken = _drained(self._taken)
            # They are first in line again before anything of theirs is free.
            self._ready.extendleft(reversed(taken))
            self._pace.ahead = 0
            ahead.release(taken)

    def _work(self) -> None:
        try:
            while True:
                held = self._next()
                if held is None:
                    return
                if isinstance(held, Held):
                    self._handle_some(held)
                elif isinstance(held, list):
                    self._take(held)
                else:
                    self._receive(held)
        except BaseException as error:
            self.failure = error
            self.stop()
        finally:
            with self._changed:
                self._changed.notify_all()

    def _next(self) -> Held | list[Held] | float | None:
        """An event to go on with, or several to take, or for how long to wait for others, or nothing: the end."""
        with self._changed:
            while True:
                now = monotonic()
                while self._delayed and self._delayed[0][0] <= now:
                    self._ready.append(heapq.heappop(self._delayed)[2])
                    self._waiting -= 1
                self._pace.look(now)
                if self._may_receive(now):
                    self._receiving += 1
                    return self._may_wait(now)
                held = self._turn()
                if held is not None:
                    self._working += 1
                    return held
                if self._ready and not self._is_taking:
                    self._is_taking = True
                    return [self._ready.popleft() for _ in range(min(self._pace.ahead, MOST, len(self._ready)))]
                if self._stopping and self._is_idle() and not self._receiving:
                    return None
                self._sleeping += 1
                self._changed.wait(self._until(now))
                self._sleeping -= 1

    def _turn(self) -> Held | None:
        """The event whose turn it is; `None` if there is none, or some are to be taken first."""
        while self._taken:
            with suppress(IndexError):
                return self._taken.popleft()
        while self._ready and not self._is_taking and not self._may_take():
            with suppress(IndexError):
                return self._ready.popleft()
        return None

    def _following(self) -> Held | None:
        """The event whose turn it is, without the lock: `None` where that might keep something waiting. Nobody sleeps, so nobody
        needs to be told of anything; and either enough is left, or enough others receive already."""
        others = min(self._session.source.receivers, (len(self._threads) + 1) // 2)
        is_enough = len(self._taken) + len(self._ready) > self._low() or self._receiving >= others
        if self._sleeping or self._is_abandoned or not is_enough:
            return None
        with suppress(IndexError):
            if self._taken:
                return self._taken.popleft()
            if self._handling.ahead is None:
                return self._ready.popleft()
        return None

    def _is_idle(self) -> bool:
        return not (self._ready or self._taken or self._is_taking or self._parked or self._delayed or self._working)

    def _may_take(self) -> bool:
        """Tells whether events may be taken ahead: not while one that came before them waits for its thing."""
        return self._handling.ahead is not None and self._pace.ahead > 1 and not (self._parked or self._delayed)

    def _may_wait(self, now: float) -> float:
        """Seconds that this thread can wait for others: nothing that is there may wait for it."""
        if self._ready or self._taken or self._is_taking:
            return 0.0
        if self._delayed and len(self._threads) == 1:
            return min(self._wait, self._delayed[0][0] - now)
        return self._wait

    def _until(self, now: float) -> float:
        at = [now + 1.0]
        if self._delayed:
            at.append(self._delayed[0][0])
        if self._patience.receive_at > now:
            at.append(self._patience.receive_at)
        return max(0.001, min(at) - now)

    def _may_receive(self, now: float) -> bool:
        if len(self._taken) + len(self._ready) > self._low() or self._stopping or now < self._patience.receive_at:
            return False
        at_once = self._session.source.receivers if self._came_last else 1
        # Events that wait for their turn are held as well, and must not become more and more.
        return self._receiving < at_once and self._waiting < 2 * self._pace.size

    def _low(self) -> int:
        """As many events as are left when others are asked for. With one thread, that would keep them waiting. A queue that gives
        few at once is asked earlier by whoever handles many in a moment."""
        if len(self._threads) == 1:
            return 0
        return max(self._pace.size // 2, min(self._pace.ahead, 2 * self._session.source.batch))

    def _receive(self, wait: float) -> None:
        if wait:
            self._session.flush()
        came: list[Held] = []
        failure: Exception | None = None
        try:
            came = self._session.receive(self._pace.size, wait)
        except SourceStopped as stopped:
            log.info("%s", stopped)
            self.stop()
        except Exception as error:
            failure = error
        if not came:
            # There will be no others soon that these could be acknowledged with.
            self._session.flush()
        with self._changed:
            self._receiving -= 1
            self._came_last = bool(came)
            late = came if self._is_abandoned else []
            if not late:
                self._ready.extend(came)
            now = monotonic()
            pause = 0.0
            if failure is not None:
                pause = self._patience.failed(now)
            else:
                self._patience.succeeded()
            if came or failure is not None:
                # Of one that failed, nobody knows what it has.
                self._busy_at = now
            elif not wait:
                # Ready events come first: the queue is not asked again and again meanwhile.
                self._patience.receive_at = now + 0.05
            given_up = self._patience.given_up(now)
            self.failure = self.failure or given_up
            if given_up is not None or (self._is_idle() and self._patience.is_over(now, self._busy_at)):
                self._stopping = True
            self._changed.notify_all()
        if failure is not None:
            log.error("%s: cannot receive; again in %.1f s: %s", self._session.source.name, pause, described(failure))
        self._give_back(late)

    def _take(self, some: list[Held]) -> None:
        """Takes the things of events, as far as that goes. The next event goes its way alone, and the others stay."""
        tried = 0
        try:
            if self._handling.ahead is not None:
                tried = self._handling.ahead.take(some)
        finally:
            with self._changed:
                self._is_taking = False
                late = some if self._is_abandoned else []
                if not late:
                    self._taken.extend(some[: tried + 1])
                    self._ready.extendleft(reversed(some[tried + 1 :]))
                self._changed.notify_all()
            self._give_back(late)

    def _handle_some(self, held: Held) -> None:
        """Handles an event, and those that follow, as long as that goes fast."""
        handled = 0
        ends = monotonic() + AT_A_STRETCH
        try:
            following: Held | None = held
            while following is not None:
                handled += self._handle_one(following)
                following = self._following() if monotonic() < ends else None
        finally:
            with self._changed:
                self._working -= 1
                self._pace.handled += handled
                self._busy_at = monotonic()
                self._changed.notify()

    def _handle_one(self, held: Held) -> bool:
        """Tells whether it is settled. If not, it waits for its thing."""
        try:
            outcome = self._handling.work(held, self._handle)
        except BaseException:
            self._session.settle(held, Again(held.name, "the process ended", 0.0, False))
            raise
        if not isinstance(outcome, Busy):
            self._session.settle(held, outcome)
            return True
        with self._changed:
            is_late = self._is_abandoned
            if not is_late:
                self._park(held, outcome)
        if is_late:
            self._give_back([held])
        return False

    def _park(self, held: Held, busy: Busy) -> None:
        if not busy.is_here:
            self._numbers += 1
            heapq.heappush(self._delayed, (monotonic() + random.uniform(*LOOK_AGAIN), self._numbers, held))
            self._waiting += 1
        else:
            # First in line, then a look: whoever frees the thing looks in the other order.
            self._parked.setdefault(busy.key, deque()).append(held)
            self._waiting += 1
            if not self._handling.is_here(busy.key):
                self._unpark(busy.key)

    def _freed(self, key: Key) -> None:
        # Nearly always nobody waits.
        if key in self._parked:
            with self._changed:
                self._unpark(key)

    def _unpark(self, key: Key) -> None:
        """Lets the first in line go on: it frees the thing for the next one."""
        line = self._parked.get(key)
        if line:
            self._taken.appendleft(line.popleft())
            self._waiting -= 1
            if not line:
                del self._parked[key]
            self._changed.notify()


def _drained(line: deque[Held]) -> list[Held]:
    """What was in it. One at a time: other threads take some out without the lock."""
    held: list[Held] = []
    while line:
        with suppress(IndexError):
            held.append(line.popleft())
    return held
