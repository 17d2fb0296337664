"""A consumer: hands every change to its handlers, and tells the queue what became of the event."""

from __future__ import annotations

import functools
import inspect
import logging
import signal
import threading
from os import PathLike, fspath
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ._claims import Claims
from ._handling import Handling
from ._held import Again, Busy, Held
from ._session import Session
from ._sources import Settings, SourceStopped, open_source
from ._stats import Counters
from ._tracing import Tracing
from .errors import ConsumerError, Retry
from .state import open_state

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence

    from ._loop import Loop
    from ._runner import Runner
    from ._sources import Source
    from ._stats import Stats
    from .changes import Change
    from .refetch import Fetch
    from .state import State

log = logging.getLogger("labelrelay")

KINDS = frozenset(
    ("project", "task", "annotation", "label_link", "review", "training", "completion")
    + ("label", "data_row", "workflow", "model_run")
)
"""Kinds of things that changes are of."""

Handler = TypeVar("Handler", bound="Callable[[Change], object]")


class Consumer:
    """Consumes the events of one queue. `docs/consuming.md` describes every setting.

        relay = labelrelay.Consumer("sqs://eu-central-1/123456789012/labels", state="sqlite:seen.db")

        @relay.on("annotation")
        def keep(change): ...

        relay.run(concurrency=8)

    To return from a handler is to be done with the change. Handlers may be called twice for one change, and never at the
    same time for one thing.
    """

    def __init__(
        self,
        url: str | PathLike[str] | Source,
        *,
        state: str | State | None = None,
        dead_letter: str | None = None,
        blob_stores: Sequence[str] = (),
        fetch: Fetch | None = None,
        visibility: float = 60.0,
        backoff: tuple[float, float] = (10.0, 900.0),
        max_receives: int = 5,
        program: str | None = None,
        client: Literal["official", "program"] | None = None,
    ) -> None:
        if not 1 <= visibility <= 600:
            raise ConsumerError(f"visibility: {visibility!r}: write 1 to 600 seconds; it is extended while a handler works")
        if not 0 <= backoff[0] <= backoff[1]:
            raise ConsumerError(f"backoff: {backoff!r}: write the seconds of the first pause and of the longest one")
        if isinstance(blob_stores, str):
            raise ConsumerError(f"blob_stores: write a list, [{blob_stores!r}]")
        settings = Settings(dead_letter=dead_letter, program=program, client=client)
        self._source: Source = open_source(url, settings) if isinstance(url, (str, PathLike)) else url
        self._tracing = Tracing(fspath(url) if isinstance(url, (str, PathLike)) else url.name)
        self._dead_letter = dead_letter
        self._state_setting = state
        self._state: State | None = None
        self._claims = Claims(blob_stores)
        self._fetch = fetch
        self._visibility = visibility
        self._backoff = backoff
        self._max_receives = max_receives
        self._counters = Counters()
        self._handlers: list[tuple[frozenset[str], Callable[[Change], object]]] = []
        self._loop: Loop | None = None
        self._lock = threading.Lock()
        self._iteration: Session | None = None
        self._stop_asked = threading.Event()

    def on(self, *kinds: str) -> Callable[[Handler], Handler]:
        """Makes a function, or an `async def`, the handler of changes of these kinds; of all with `"*"`."""
        unknown = [kind for kind in kinds if kind not in KINDS and kind != "*"]
        if unknown or not kinds:
            known = ", ".join(sorted(KINDS))
            raise ConsumerError(f"on({', '.join(map(repr, unknown))}): write one or more of {known}, or '*'")

        def register(handler: Handler) -> Handler:
            called: Any = handler
            while isinstance(called, functools.partial):
                called = called.func
            if not inspect.isroutine(called):
                called = getattr(called, "__call__", called)
            if inspect.isgeneratorfunction(called) or inspect.isasyncgenfunction(called):
                # A call of it does nothing, and the event would be acknowledged.
                raise ConsumerError(f"{called.__qualname__} has a yield, and would never run: write a handler without one")
            self._handlers.append((frozenset(kinds), handler))
            return handler

        return register

    @property
    def stats(self) -> Stats:
        """Counts of what was done so far."""
        return self._counters.shown()

    def handle(self, change: Change) -> None:
        """Calls the handlers of a change, one after the other. Raises what they raise."""
        wanted = [handler for kinds, handler in self._handlers if change.key.kind in kinds or "*" in kinds]
        if not wanted:
            self._counters.add("unwanted")
            return
        with self._tracing.process(change):
            for handler in wanted:
                answer = handler(change)
                if answer is not None and inspect.isawaitable(answer):
                    self._own_loop().finish(_awaited(answer))

    def _own_loop(self) -> Loop:
        from ._loop import Loop

        with self._lock:
            if self._loop is None:
                self._loop = Loop()
            return self._loop

    def _open_state(self) -> State:
        with self._lock:
            if self._state is None:
                self._state = open_state(self._state_setting)
            return self._state

    def _handling(self, lease: float | None = None) -> Handling:
        return Handling(self._open_state(), self._claims, self._counters, self._fetch, lease or self._visibility)

    def handling_over(self, state: State) -> Handling:
        """The rules over another state: for tests."""
        return Handling(state, self._claims, self._counters, self._fetch, self._visibility)

    def _session(self) -> Session:
        return Session(
            self._source,
            self._open_state(),
            self._counters,
            visibility=self._visibility,
            backoff=self._backoff,
            max_receives=self._max_receives,
        )

    def run(
        self,
        *,
        concurrency: int = 8,
        wait: float = 10.0,
        drain: float = 20.0,
        until_idle: float | None = None,
    ) -> None:
        """Handles events in `concurrency` threads until SIGTERM, SIGINT or `stop`; or until nothing came for `until_idle`
        seconds.

        Then nothing more is received, and what was received is handled; what was not begun within `drain` seconds is given
        back. A second signal ends at once. `wait` is how long one receive waits for events, in seconds.

        Raises `ConsumerError` if it cannot start.
        """
        from ._runner import Runner

        if not self._handlers:
            raise ConsumerError("no handler: write @relay.on('annotation') before a function")
        if concurrency < 1:
            raise ConsumerError(f"concurrency: {concurrency!r}: write 1 or more")
        session, handling = self._session(), self._handling()
        session.start((concurrency + 1) // 2)
        self._stop_asked.clear()
        runner = Runner(
            session, handling, self.handle, concurrency=concurrency, wait=wait, until_idle=until_idle
        )
        with _Signals(self._stop_asked):
            runner.start()
            try:
                while not runner.join(0.1):
                    if self._stop_asked.is_set():
                        self._drain(runner, drain)
                        break
            finally:
                runner.abandon()
                session.close()
                self._close()
        if runner.failure is not None:
            raise runner.failure

    def _drain(self, runner: Runner, seconds: float) -> None:
        log.info("stopping: what was received is handled first")
        runner.stop()
        if not runner.join(seconds):
            runner.abandon()
            while not runner.join(1.0):
                pass

    def stop(self) -> None:
        """Ends `run`, as SIGTERM does. May be called by a handler, or by another thread."""
        self._stop_asked.set()

    def _close(self) -> None:
        with self._lock:
            state, self._state = self._state, None
            loop, self._loop = self._loop, None
        # The memory of a process outlives a `run`.
        if state is not None and isinstance(self._state_setting, str):
            state.close()
        elif state is not None:
            self._state = state
        if loop is not None:
            loop.close()

    def changes(self, *, wait: float | None = 20.0) -> Iterator[Change]:
        """Yields changes one after the other, until none came for `wait` seconds (`None`: never ends).

        A change is done with when the next one is asked for. One that is not, since the loop ended before, comes again.
        """
        with self._lock:
            before, self._iteration = self._iteration, None
        # A loop that ended by an exception lives on in its traceback, and would keep its event.
        if before is not None:
            before.close()
        return self._changes(wait)

    def _changes(self, wait: float | None) -> Generator[Change, None, None]:
        session, handling = self._session(), self._handling()
        session.start()
        self._iteration = session
        try:
            idle_since = monotonic()
            while wait is None or monotonic() - idle_since < wait or wait == 0:
                session.flush()
                left = 10.0 if wait is None else min(10.0, max(0.0, wait - (monotonic() - idle_since)))
                try:
                    came = session.receive(1, left)
                except SourceStopped:
                    return
                for held in came:
                    yield from self._changes_of(held, session, handling)
                    idle_since = monotonic()
                if not came and wait == 0:
                    return
        finally:
            if self._iteration is session:
                self._iteration = None
                session.close()
                self._close()

    def _changes_of(self, held: Held, session: Session, handling: Handling) -> Generator[Change, None, None]:
        is_over = False
        while not is_over:
            is_over = True
            for step in handling.steps(held):
                if isinstance(step, Busy):  # by another process
                    sleep(0.2)
                    is_over = False
                    break
                try:
                    yield step[0]
                except BaseException:
                    # The loop was left: this change is not done with.
                    handling.finish(held, step, Retry(0.0, "the loop ended"))
                    session.settle(held, Again(held.name, "the loop ended", 0.0, False))
                    raise
                handling.finish(held, step, None)
        session.settle(held, handling.outcome(held))

    def lambda_handler(self, event: Mapping[str, Any] | list[Any], context: object = None) -> dict[str, Any]:
        """Handles what AWS Lambda is called with: events of SQS, of EventBridge Pipes, or one Pub/Sub push.

        Answers with the messages that failed (`ReportBatchItemFailures`), or with the status for the push.
        """
        from ._lambda import Invocation, seconds_left

        # Nobody extends a lease meanwhile: it lasts as long as the function may.
        handling = self._handling(seconds_left(context) + 1.0)
        sync = self._open_state().sync
        return Invocation(handling, self.handle, self._counters, self._dead_letter, context, sync).answer(event)


async def _awaited(answer: Awaitable[object]) -> object:
    return await answer


class _Signals:
    """SIGTERM and SIGINT, while a consumer runs in the main thread. The second one ends the process."""

    NUMBERS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self, asked: threading.Event) -> None:
        self._asked = asked
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._heard) for number in self.NUMBERS}

    def _heard(self, number: int, _: object) -> None:
        if self._asked.is_set():
            raise SystemExit(128 + number)
        self._asked.set()

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
