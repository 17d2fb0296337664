"""Messages of one queue between their receipt and their settlement: they stay hidden, and nothing is settled twice."""

from __future__ import annotations

import logging
import random
import threading
from collections import OrderedDict, deque
from contextlib import suppress
from queue import SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING

from ._held import Again, Done, Held, Rejected, Unreadable, described, taken_over

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ._held import Outcome
    from ._sources import Source
    from ._stats import Counters
    from .state import State

log = logging.getLogger("labelrelay")

ACK_WITHIN = 0.2
"""Seconds that an event which was handled waits for others, to be acknowledged with them."""

TOLD = 10_000
"""Unreadable events that are remembered as told, so that the log names each once."""


class Session:
    """The messages that one consumer holds."""

    def __init__(
        self,
        source: Source,
        state: State,
        counters: Counters,
        *,
        visibility: float,
        backoff: tuple[float, float],
        max_receives: int,
    ) -> None:
        self.source = source
        self._state = state
        self._counters = counters
        self.visibility = visibility
        self._backoff = backoff
        self._max_receives = max_receives
        self._lock = threading.Lock()
        self._extended = threading.Condition(self._lock)
        self._extending: set[int] = set()
        """What is being extended just now."""
        self._held: dict[int, Held] = {}
        self._done: deque[Held] = deque()
        """What was handled and is to be acknowledged. It is added to and taken from without the lock: every event would take that, and
        make threads wait in line for it."""
        self._done_since = 0.0
        self._told: OrderedDict[str, None] = OrderedDict()
        self.on_tick: Callable[[], None] | None = None
        """Called again and again, five times a second."""
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="labelrelay-keeper", daemon=True)
        self._acknowledging: list[threading.Thread] = []
        self._idle = 0
        """Threads of `_acknowledging` that have nothing to do."""
        self._handed_over: SimpleQueue[list[Held] | None] = SimpleQueue()
        """What they are to acknowledge; nothing: the end."""

    def start(self, aside: int = 0) -> None:
        """Connects. So many threads acknowledge aside, where the queue does several things at once: whoever handles events does
        not wait for its answers. Raises `ConsumerError`."""
        try:
            self.source.open()
        except BaseException:
            # A part of it may be open: a process, connections.
            self.source.close()
            raise
        self._keeper.start()
        for number in range(min(aside, self.source.receivers - 1)):
            thread = threading.Thread(target=self._acknowledge_aside, name=f"labelrelay-acknowledging-{number}", daemon=True)
            thread.start()
            self._acknowledging.append(thread)
        self._idle = len(self._acknowledging)

    def _acknowledge_aside(self) -> None:
        while (done := self._handed_over.get()) is not None:
            self._acknowledge(done)
            with self._lock:
                self._idle += 1

    def receive(self, most: int, wait: float) -> list[Held]:
        """Messages, once there are some, or `wait` is over."""
        asked = monotonic()
        messages, damaged = self.source.receive(most, self.visibility, wait)
        # A message is hidden from when the queue handed it out, which may be as early as when it was asked.
        hidden_until = (monotonic() if wait else asked) + self.visibility
        held = [Held(message, hidden_until=hidden_until) for message in messages]
        with self._lock:
            self._held.update(zip(map(id, held), held))
        self._counters.add("received", len(held))
        for words in damaged:
            self._counters.add("damaged")
            log.error("%s: %s", self.source.name, words)
        return held

    def settle(self, held: Held, outcome: Outcome) -> None:
        """Tells the queue what became of an event. What cannot be told comes again by itself."""
        if isinstance(outcome, Done):
            if not self._done:
                self._done_since = monotonic()
            self._done.append(held)
            if len(self._done) >= self.source.batch:
                with self._lock:
                    # Another thread may have been faster.
                    done = self._handed_on() if len(self._done) >= self.source.batch else []
                if done:
                    self._acknowledge(done)
            return
        message = held.message
        try:
            self._state.sync()
            if isinstance(outcome, Rejected):
                self._forget([held])
                self._reject(held, outcome.event, outcome.reason)
                return
            is_its_own = isinstance(outcome, Unreadable) or outcome.is_its_own
            if is_its_own and not self.source.counts and message.receives >= self._max_receives:
                reason = _reason(outcome)
                self._forget([held])
                if isinstance(outcome, Unreadable):
                    self._tell(held, outcome)
                self._reject(held, outcome.event, f"received {message.receives} times: {reason}")
                return
            delay = self._delay(message.receives, outcome.after if isinstance(outcome, Again) else None)
            self._forget([held])
            if isinstance(outcome, Unreadable):
                self._tell(held, outcome)
            else:
                log.warning(
                    "%s: %s; again in %.1f s%s",
                    _named(outcome.event, held),
                    outcome.reason,
                    delay,
                    f" (received {message.receives} times)" if message.receives else "",
                )
            self._counters.add("retried")
            self.source.retry([message], delay)
        except Exception as error:
            self._forget([held])
            log.error("%s: an event could not be settled, and comes again: %s", self.source.name, described(error))

    def _reject(self, held: Held, event: str | None, reason: str) -> None:
        self.source.reject(held.message, reason)
        self._counters.add("rejected")
        self._counters.add("acknowledged")
        log.warning("%s: to the dead letters: %s", _named(event, held), reason)

    def _tell(self, held: Held, outcome: Unreadable) -> None:
        name = type(outcome.error).__name__
        self._counters.add_unreadable(name)
        # Without an id, by what it holds.
        body = held.message.body
        told = outcome.event or f"{len(body)} bytes, hash {hash(body)}"
        with self._lock:
            if told in self._told:
                return
            self._told[told] = None
            if len(self._told) > TOLD:
                self._told.popitem(last=False)
        log.error("%s: %s: %s; it is left for the dead letters", _named(outcome.event, held), name, outcome.error.reason)

    def _delay(self, receives: int, after: float | None) -> float:
        if after is None:
            first, longest = self._backoff
            after = min(longest, first * 4.0 ** min(max(receives, 1) - 1, 20))
            # Those that failed together must not come together.
            after *= random.uniform(0.5, 1.0)
        return min(after, self.source.longest)

    def _handed_on(self) -> list[Held]:
        """Hands what was handled to a thread aside; if all are busy, returns it to be acknowledged by the caller, who has the
        lock: behind the end, no thread would take it."""
        done = self._drain()
        if done and self._idle > 0 and not self._ended.is_set():
            self._idle -= 1
            self._handed_over.put(done)
            return []
        return done

    def flush(self) -> None:
        """Acknowledges what was handled."""
        for _ in range(0, len(self._done), self.source.batch):
            done = self._drain()
            if done:
                self._acknowledge(done)

    def _drain(self) -> list[Held]:
        """Takes what was handled, as much as is acknowledged at once: no two threads get the same."""
        done: list[Held] = []
        with suppress(IndexError):
            while len(done) < self.source.batch:
                done.append(self._done.popleft())
        return done

    def _acknowledge(self, done: Sequence[Held]) -> None:
        self._forget(done)
        try:
            self._state.sync()
            kept = [held for held in done if held.was_taken is None]
            lost = self.source.ack([held.message for held in kept]) if kept else 0
            self._counters.add("acknowledged", len(kept) - lost)
            if lost:
                log.warning(
                    "%s: %d events were handled after their visibility timeout; they may come again, and are known then",
                    self.source.name,
                    lost,
                )
        except Exception as error:
            log.error(
                "%s: %d events were handled and not acknowledged; they come again, and are known then: %s",
                self.source.name,
                len(done),
                described(error),
            )
        for held in done:
            if held.was_taken is not None:
                name = held.event.id if held.event else ""
                self.settle(held, Again(name, taken_over(held.was_taken), is_its_own=False))

    def give_back(self, held: Sequence[Held]) -> None:
        """Lets others receive at once what was not begun."""
        self._forget(held)
        for start in range(0, len(held), self.source.batch):
            some = held[start : start + self.source.batch]
            try:
                self.source.retry([one.message for one in some], 0.0)
            except Exception as error:
                log.error("%s: of %d events, not all could be given back: %s", self.source.name, len(some), described(error))

    def _forget(self, held: Sequence[Held]) -> None:
        with self._lock:
            for one in held:
                self._held.pop(id(one), None)
                one.is_settled = True
            # An event that is being extended just now is settled after that.
            while self._extending and not self._extending.isdisjoint(map(id, held)):
                self._extended.wait()

    def _keep(self) -> None:
        """Keeps hidden what is held, and acknowledges what waits for too long."""
        third = self.visibility / 3
        kept = monotonic()
        extend_at = 0.0
        while not self._ended.wait(min(ACK_WITHIN, third)):
            now = monotonic()
            with self._lock:
                waits_long = bool(self._done) and now - self._done_since >= ACK_WITHIN
                # A slow answer must not keep this thread from what is to stay hidden.
                done = self._handed_on() if waits_long else []
                ending = [one for one in self._held.values() if one.hidden_until - now < 2 * third]
            if done:
                self._acknowledge(done)
            if self.on_tick is not None:
                try:
                    self.on_tick()
                except Exception as error:
                    log.error("leases that were taken ahead could not be ended: %s", described(error))
            if now - kept >= third:
                kept = now
                try:
                    self._state.keep(self.visibility)
                except Exception as error:
                    log.error("%s: the leases could not be kept: %s", self.source.name, described(error))
            if ending and now >= extend_at and not self._extend(ending, now):
                # Again soon, as long as they are hidden, and not at once.
                extend_at = now + third / 4

    def _extend(self, ending: Iterable[Held], now: float) -> bool:
        """Keeps messages hidden, those aside that are being settled. Returns `False` if that failed."""
        with self._lock:
            kept = [one for one in ending if not one.is_settled]
            self._extending = set(map(id, kept))
        try:
            if kept:
                self.source.extend([one.message for one in kept], self.visibility)
            for one in kept:
                one.hidden_until = now + self.visibility
        except Exception as error:
            log.error("%s: of %d events, not all could be kept: %s", self.source.name, len(kept), described(error))
            return False
        finally:
            with self._extended:
                self._extending = set()
                self._extended.notify_all()
        return True

    def close(self) -> None:
        """Gives back what is still held, and ends."""
        self.flush()
        with self._lock:
            self._ended.set()
        for _ in self._acknowledging:
            self._handed_over.put(None)
        for thread in (*self._acknowledging, self._keeper):
            if thread.is_alive():
                thread.join()
        with self._lock:
            left = list(self._held.values())
        self.give_back(left)
        self.source.close()


def _named(event: str | None, held: Held) -> str:
    return f"event {event}" if event else f"a message of {len(held.message.body)} bytes"


def _reason(outcome: Again | Unreadable) -> str:
    if isinstance(outcome, Unreadable):
        return f"{type(outcome.error).__name__}: {outcome.error.reason}"
    return outcome.reason
