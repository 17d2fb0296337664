"""A consumer at work: threads, retries, dead letters, extensions, and its end."""

from __future__ import annotations

import logging
import os
import random
import re
import signal
import threading
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import labelrelay
import labelrelay.testing
import pytest
from in_memory import InMemory, annotation
from label_studio_model import Platform
from labelrelay import Changed, Removed
from labelrelay._held import Done
from labelrelay._session import Session
from labelrelay._stats import Counters
from labelrelay.state import MemoryState
from plain import CHANGES
from test_applying import event_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from labelrelay import Change
    from labelrelay._sources import Message

QUICK: dict[str, Any] = {"backoff": (0.01, 0.1), "visibility": 5.0}


def consumed(queue: InMemory, handler: Callable[[Change], object], *, concurrency: int = 8, **settings: Any) -> labelrelay.Consumer:
    """Handles everything that is in the queue."""
    relay = labelrelay.Consumer(queue, **{**QUICK, **settings})
    relay.on("*")(handler)
    # Far longer than anything is hidden, also where the machine does much else.
    relay.run(concurrency=concurrency, until_idle=1)
    assert queue.opened == 0, "it is closed"
    return relay


def until(what: str, holds: Callable[[], bool]) -> None:
    begun = monotonic()
    while not holds():
        assert monotonic() - begun < 60, f"never: {what}"
        sleep(0.005)


def test_a_handler_does_not_wait_for_the_answer_to_an_acknowledgement() -> None:
    went_on, waited = threading.Event(), list[bool]()

    class Slow(InMemory):
        def ack(self, messages: Sequence[Message]) -> int:
            waited.append(went_on.wait(20))
            return super().ack(messages)

    def keep(change: Change) -> None:
        if change.key.id == "15":
            went_on.set()

    queue = Slow([annotation(number, number + 0.5, task=number) for number in range(1, 21)], batch=10)
    consumed(queue, keep, concurrency=1)
    assert len(queue.acknowledged) == 20
    assert all(waited)


def test_messages_are_kept_hidden_while_an_acknowledgement_waits_for_its_answer() -> None:
    waited: list[bool] = []
    kept = threading.Event()

    class Slow(InMemory):
        def ack(self, messages: Sequence[Message]) -> int:
            waited.append(kept.wait(20))
            return super().ack(messages)

        def extend(self, messages: Sequence[Message], visibility: float) -> None:
            super().extend(messages, visibility)
            kept.set()

    queue = Slow([annotation(number, number + 0.5, task=number) for number in range(2)], batch=10)
    session = Session(queue, MemoryState(), Counters(), visibility=1, backoff=(0, 0), max_receives=5)
    session.start(2)
    try:
        session.settle(session.receive(10, 0.0)[0], Done("an event"))
        until("it is acknowledged", lambda: len(queue.acknowledged) == 1)
    finally:
        session.close()
    assert waited == [True]


def test_what_is_handled_after_the_end_is_acknowledged_by_whoever_handled_it() -> None:
    """A second signal does not wait for handlers."""
    queue = InMemory([annotation(number, number + 0.5, task=number) for number in range(10)], batch=10)
    session = Session(queue, MemoryState(), Counters(), visibility=60, backoff=(0, 0), max_receives=5)
    session.start(2)
    held = session.receive(10, 0.0)
    session.close()
    for one in held:
        # The end gave it back, to nobody so far.
        session.settle(one, Done("an event"))
    assert len(queue.acknowledged) == 10


def test_what_was_handled_is_acknowledged_as_soon_as_nothing_more_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labelrelay._session.ACK_WITHIN", 3600.0)
    queue = InMemory([annotation(number, number + 0.5, task=number) for number in range(3)])
    relay = labelrelay.Consumer(queue, **QUICK)
    relay.on("*")(lambda change: None)
    running = threading.Thread(target=relay.run, kwargs={"concurrency": 2, "wait": 0.0})
    running.start()
    try:
        until("all are acknowledged", lambda: len(queue.acknowledged) == 3)
    finally:
        relay.stop()
        running.join()


@pytest.mark.parametrize("fault", ["unreadable", "raises", "rejected"])
def test_one_poisoned_event_among_a_thousand_takes_no_other_along(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    bodies = [annotation(number, number + 0.5, task=number) for number in range(1, 1001)]
    if fault == "unreadable":
        bodies[500] = bodies[500].replace(b'"datasha256":"', b'"datasha256":"0')
    queue, handled = InMemory(bodies), list[str]()

    def keep(change: Change) -> None:
        if change.key.id == "501":
            raise labelrelay.Reject("no use") if fault == "rejected" else OSError("poison")
        handled.append(change.key.id)

    with caplog.at_level(logging.INFO, "labelrelay"):
        relay = consumed(queue, keep)
    assert len(handled) == 999
    assert len(queue.acknowledged) == 999
    assert [body for body, _ in queue.dead] == [bodies[500]]
    lines = [record.getMessage() for record in caplog.records if "event" in record.getMessage()]
    if fault == "unreadable":
        assert len(lines) == 1
        assert "DigestMismatch" in lines[0]
        assert relay.stats.unreadable == {"DigestMismatch": 5}
    elif fault == "rejected":
        assert len(lines) == 1
        assert lines[0].endswith("to the dead letters: no use")
        assert queue.dead[0][1] == "no use"
    else:
        assert len(lines) == 5, "each time with the reason"
        assert all("OSError: poison" in line for line in lines)
    assert relay.stats.acknowledged == 999 + (fault == "rejected")


@pytest.mark.parametrize(
    ("fixture", "stores", "error"),
    [
        ("malformed_cut", [], "MalformedEnvelope"),
        ("later_specversion", [], "LaterEnvelope"),
        ("later_origin", [], "LaterEnvelope"),
        ("digest_mismatch", [], "DigestMismatch"),
        ("later_schema", [], "UnknownPayload"),
        ("lb_unrecognized", [], "UnknownPayload"),
        ("ls_no_payload", [], "PayloadMissing"),
        ("ls_nested_501", [], "TooDeep"),
        ("ls_edge_not_utf8", [], "NotJson"),
        ("ls_claimed", [], "ClaimRefused"),
        ("ls_claimed", ["file:///var/claims"], "ClaimGone"),
    ],
)
def test_each_fault_is_told_once_by_its_event_and_left_for_the_dead_letters(
    fixture: str, stores: list[str], error: str, caplog: pytest.LogCaptureFixture
) -> None:
    body = (CHANGES / f"{fixture}.json").read_bytes()
    queue = InMemory([body, annotation()], max_receives=2)
    with caplog.at_level(logging.INFO, "labelrelay"):
        relay = consumed(queue, lambda _: None, blob_stores=stores)
    assert relay.stats.unreadable == {error: 2}
    assert [dead for dead, _ in queue.dead] == [body]
    assert len(queue.acknowledged) == 1
    (line,) = [record.getMessage() for record in caplog.records if error in record.getMessage()]
    (id,) = re.findall(rb'"id":"(.*?)"', body.partition(b',"data')[0]) if fixture != "malformed_cut" else [b""]
    assert line.startswith(f"event {id.decode()}: {error}: " if id else f"a message of {len(body)} bytes: {error}: ")
    assert len(line.partition(f"{error}: ")[2]) > 20, "it says why"


def test_the_consumer_counts_where_the_queue_does_not() -> None:
    queue = InMemory([annotation()], counts=False)

    def fail(_: Change) -> None:
        raise OSError("poison")

    consumed(queue, fail, max_receives=3)
    assert [reason for _, reason in queue.dead] == ["received 3 times: OSError: poison"]


def test_a_fault_outside_makes_no_dead_letter_of_an_event() -> None:
    from labelrelay.state import MemoryState

    class Failing(MemoryState):
        calls = 0

        def enter(self, *arguments: Any) -> Any:
            self.calls += 1
            if self.calls <= 2:
                raise OSError("no state")
            return super().enter(*arguments)

        def was_handled(self, event: str) -> bool:
            if self.calls < 1:
                self.calls += 1
                raise OSError("no state")
            return super().was_handled(event)

    queue = InMemory([annotation()], counts=False)
    relay = labelrelay.Consumer(queue, max_receives=1, state=Failing(), **QUICK)
    for _ in relay.changes(wait=0.5):
        break
    assert (queue.dead, len(queue)) == ([], 1)
    assert len(list(relay.changes(wait=0.5))) == 1
    assert (queue.dead, len(queue.acknowledged)) == ([], 1)


def test_one_thing_is_handled_once_at_a_time_and_ends_at_its_newest_version() -> None:
    bodies = [annotation(5, second + 0.5, action="updated") for second in range(200)]
    random.Random(1).shuffle(bodies)
    queue, at_work, versions = InMemory(bodies), threading.Lock(), list[str]()

    def keep(change: Change) -> None:
        assert at_work.acquire(blocking=False), "two at the same time"
        sleep(0.001)
        assert isinstance(change, Changed)
        versions.append(change.version or "")
        at_work.release()

    relay = consumed(queue, keep)
    assert versions == sorted(versions)
    assert versions[-1] > "20261120T120319"
    assert relay.stats.changes + relay.stats.stale == 200
    assert relay.stats.retried == 0


def test_events_that_wait_for_one_thing_keep_no_thread_from_others() -> None:
    hot = [annotation(5, second + 0.5, action="updated") for second in range(30)]
    queue = InMemory([*hot, *(annotation(number, task=number) for number in range(100, 120))], batch=50)
    others, go_on = list[str](), threading.Event()

    def keep(change: Change) -> None:
        if change.key.id == "5":
            assert go_on.wait(60)
        else:
            others.append(change.key.id)
            if len(others) == 20:
                go_on.set()

    consumed(queue, keep, concurrency=2)
    assert len(others) == 20


def test_an_event_stays_hidden_while_a_handler_works() -> None:
    queue, calls = InMemory([annotation()]), list[float]()

    def slow(_: Change) -> None:
        calls.append(monotonic())
        # For longer than it was hidden at first.
        sleep(6.5)
        until("it was extended", lambda: queue.extended >= 2)

    consumed(queue, slow, visibility=6.0)
    assert len(calls) == 1
    assert len(queue) == 0


def test_an_event_stays_hidden_though_the_state_keeps_no_lease_and_one_extension_fails() -> None:
    from labelrelay.state import MemoryState

    class Failing(MemoryState):
        def keep(self, seconds: float) -> None:
            raise OSError("no state")

    class FailsOnce(InMemory):
        asked = 0

        def extend(self, *arguments: Any) -> None:
            self.asked += 1
            if self.asked == 1:
                raise OSError("no network")
            super().extend(*arguments)

    queue, calls = FailsOnce([annotation()]), list[float]()

    def slow(_: Change) -> None:
        calls.append(monotonic())
        until("it was extended", lambda: queue.extended > 1)

    consumed(queue, slow, visibility=6.0, state=Failing())
    assert len(calls) == 1


def test_an_extension_does_not_undo_the_delay_of_a_retry() -> None:
    begun, settled = threading.Event(), threading.Event()

    class Slow(InMemory):
        order: list[str] = []

        def extend(self, *arguments: Any) -> None:
            begun.set()
            settled.wait(0.3)  # a retry that does not wait for it comes meanwhile
            super().extend(*arguments)
            self.order.append("extended")

        def retry(self, *arguments: Any) -> None:
            super().retry(*arguments)
            self.order.append("retried")
            settled.set()

    queue = Slow([annotation()])
    relay = labelrelay.Consumer(queue, visibility=1.0, backoff=(0.01, 0.01))

    @relay.on("*")
    def fail(_: Change) -> None:
        if not begun.is_set():
            assert begun.wait(60)
            raise OSError("fails")

    relay.run(concurrency=1, until_idle=1)
    assert queue.order[:2] == ["extended", "retried"]


def test_retry_says_when() -> None:
    queue, calls = InMemory([annotation()]), list[float]()

    def later(_: Change) -> None:
        calls.append(monotonic())
        if len(calls) == 1:
            raise labelrelay.Retry(after=0.2)

    consumed(queue, later, backoff=(60.0, 60.0))
    assert 0.15 < calls[1] - calls[0] < 10


def test_async_handlers_run_beside_one_another() -> None:
    import asyncio

    queue = InMemory([annotation(number, task=number) for number in range(8)])
    together = 0

    async def keep(_: Change) -> None:
        nonlocal together
        together += 1
        while together < 8:
            await asyncio.sleep(0.001)

    consumed(queue, keep)
    assert len(queue) == 0


def test_an_awaitable_of_a_handler_is_awaited() -> None:
    from collections.abc import Generator

    awaited: list[int] = []

    class Later:
        def __await__(self) -> Generator[None, None, None]:
            awaited.append(1)
            yield

    consumed(InMemory([annotation()]), lambda _: Later())
    assert awaited == [1]


def test_a_handler_that_would_never_run_is_refused() -> None:
    import functools

    def generator(change: Change) -> Any:
        yield change

    async def async_generator(change: Change) -> Any:
        yield change

    class Called:
        def __call__(self, change: Change) -> Any:
            yield change

    for handler in (generator, async_generator, functools.partial(generator), Called()):
        with pytest.raises(labelrelay.ConsumerError, match="has a yield"):
            labelrelay.Consumer(InMemory()).on("*")(handler)


def test_a_signal_finishes_what_is_held_and_receives_nothing_more() -> None:
    queue, handled, begun = InMemory([annotation(number, task=number) for number in range(10)]), list[str](), threading.Event()
    relay = labelrelay.Consumer(queue, **QUICK)

    @relay.on("annotation")
    def keep(change: Change) -> None:
        if not begun.is_set():
            begun.set()
            os.kill(os.getpid(), signal.SIGTERM)
            # Received before the signal: these are handled. This one comes after it.
            until("it stops", lambda: queue._waiting > 0)
            queue.send(annotation(99, task=99))
        handled.append(change.key.id)

    before = signal.getsignal(signal.SIGTERM)
    relay.run(concurrency=2)
    assert signal.getsignal(signal.SIGTERM) is before
    assert sorted(map(int, handled)) == list(range(10))
    assert len(queue.acknowledged) == 10
    assert len(queue) == 1


def test_an_event_that_was_not_begun_in_time_is_given_back() -> None:
    queue = InMemory([annotation(number, task=number) for number in range(10)])
    relay = labelrelay.Consumer(queue, **QUICK)
    handled = []

    @relay.on("annotation")
    def keep(change: Change) -> None:
        relay.stop()
        sleep(2)
        handled.append(change.key.id)

    relay.run(concurrency=1, drain=0.1)
    assert len(handled) == 1
    assert len(queue.acknowledged) == 1
    messages, _ = queue.receive(10, 1, 0)
    assert len(messages) == 9, "others can receive them at once"


def test_an_event_that_waits_for_another_process_is_given_back_at_the_end(tmp_path: Any) -> None:
    from labelrelay._handling import Handling
    from labelrelay._held import Busy, Held
    from labelrelay._runner import Runner
    from labelrelay._session import Session
    from labelrelay._stats import Counters
    from labelrelay.state import MemoryState

    begun, go_on = threading.Event(), threading.Event()

    class Taken(Handling):
        def work(self, held: Held, handle: Any) -> Any:
            begun.set()
            assert go_on.wait(60)
            return Busy(labelrelay.Key("/label-studio", "annotation", "5"), False)

    queue, counters, state = InMemory([annotation()]), Counters(), MemoryState()
    session = Session(queue, state, counters, visibility=60, backoff=(1, 1), max_receives=5)
    handling = Taken(state, labelrelay.Consumer(queue)._claims, counters, None, 60)
    runner = Runner(session, handling, lambda _: None, concurrency=1, wait=0.1, until_idle=None)
    session.start()
    runner.start()
    assert begun.wait(60)
    runner.stop()
    runner.abandon()
    go_on.set()
    assert runner.join(20)
    session.close()
    assert len(queue.receive(10, 1, 0)[0]) == 1


def test_a_queue_that_cannot_be_received_from_is_not_idle() -> None:
    class Failing(InMemory):
        failures = 2

        def receive(self, *arguments: Any) -> Any:
            self.failures -= 1
            if self.failures >= 0:
                raise OSError("no network")
            return super().receive(*arguments)

    queue = Failing([annotation()])
    queue.failures = 1000
    with pytest.raises(labelrelay.ConsumerError, match="no receive succeeded"):
        consumed(queue, lambda _: None, concurrency=1)

    class LaterFailing(Failing):
        receives = 0

        def receive(self, *arguments: Any) -> Any:
            self.receives += 1
            if self.receives == 1:
                return [], []
            return super().receive(*arguments)

    queue = LaterFailing([annotation()])
    consumed(queue, lambda _: None, concurrency=1)
    assert len(queue.acknowledged) == 1


def test_pauses_after_receives_that_failed_are_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(InMemory):
        receives = 0

        def receive(self, *arguments: Any) -> Any:
            self.receives += 1
            if self.receives == 1:
                return [], []
            if self.receives <= 3:
                raise OSError("no network")
            return super().receive(*arguments)

    drawn: list[tuple[float, float]] = []

    def uniform(first: float, last: float) -> float:
        drawn.append((first, last))
        return first

    monkeypatch.setattr("random.uniform", uniform)
    queue = Failing([annotation()])
    consumed(queue, lambda _: None, concurrency=1)
    assert len(queue.acknowledged) == 1
    assert drawn == [(0.5, 1.0)] * 2


def test_a_queue_that_fails_for_long_ends_what_waits_for_idleness(monkeypatch: pytest.MonkeyPatch) -> None:
    from labelrelay import _patience

    class Failing(InMemory):
        receives = 0

        def receive(self, *arguments: Any) -> Any:
            self.receives += 1
            if self.receives > 1:
                raise OSError("the queue is gone")
            return super().receive(*arguments)

    monkeypatch.setattr(_patience, "GIVE_UP", 1.0)
    queue = Failing([annotation()])
    with pytest.raises(labelrelay.ConsumerError, match="no receive succeeded for 1 s"):
        consumed(queue, lambda _: None, concurrency=2)
    assert len(queue.acknowledged) == 1


def test_a_state_that_fails_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    from labelrelay.state import MemoryState

    class Failing(MemoryState):
        calls = 0

        def enter(self, *arguments: Any) -> Any:
            self.calls += 1
            if self.calls % 3 == 1:
                raise OSError("no state")
            return super().enter(*arguments)

    queue, handled = InMemory([annotation(number, task=number) for number in range(20)]), set[str]()
    consumed(queue, lambda change: handled.add(change.key.id), state=Failing())
    assert len(handled) == 20
    assert len(queue.acknowledged) == 20


def test_a_state_that_fails_after_it_gave_a_lease_keeps_none() -> None:
    from labelrelay.state import MemoryState

    class Failing(MemoryState):
        leased = set[labelrelay.Key]()
        failed = False

        def enter(self, key: labelrelay.Key, *arguments: Any) -> Any:
            self.leased.add(key)
            found = super().enter(key, *arguments)
            if not self.failed:
                self.failed = True
                raise OSError("after the lease")
            return found

        def leave(self, key: labelrelay.Key, *arguments: Any) -> bool:
            self.leased.discard(key)
            return super().leave(key, *arguments)

    state = Failing()
    relay = labelrelay.Consumer(InMemory(), state=state)
    relay.on("*")(lambda _: None)
    assert labelrelay.testing.deliver(relay, annotation(), state=state).outcome == "again"
    assert state.leased == set()


def test_a_start_that_fails_closes_what_was_opened() -> None:
    class Half(InMemory):
        def open(self) -> None:
            super().open()
            raise labelrelay.ConsumerError("no such queue")

    queue = Half()
    relay = labelrelay.Consumer(queue)
    relay.on("*")(lambda _: None)
    with pytest.raises(labelrelay.ConsumerError, match="no such queue"):
        relay.run()
    with pytest.raises(labelrelay.ConsumerError, match="no such queue"):
        next(relay.changes())
    assert queue.opened == 0


def test_the_changes_of_a_loop_are_done_with_when_the_next_is_asked_for() -> None:
    queue = InMemory([annotation(number, task=number) for number in range(5)])
    relay = labelrelay.Consumer(queue, **QUICK)
    for number, _ in enumerate(relay.changes(wait=0.2)):
        assert len(queue.acknowledged) == number
        if number == 2:
            break
    # The third one was not done with.
    assert len(queue.acknowledged) == 2
    assert len(list(relay.changes(wait=0.2))) == 3
    assert len(queue) == 0


def test_a_loop_that_ended_by_an_exception_keeps_nothing_from_the_next_one() -> None:
    queue = InMemory([annotation()])
    relay = labelrelay.Consumer(queue, **QUICK)
    broken = relay.changes(wait=0.2)
    next(broken)
    assert len(list(relay.changes(wait=0.5))) == 1
    assert len(queue) == 0


class Killed(BaseException):
    """Ends a process in the middle of what it does."""


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_the_copy_ends_where_the_platform_is(seed: int, kind: str, tmp_path: Any) -> None:
    """Shuffled, 20 % of it again, by workers that are ended at random and begin anew."""
    import json

    from in_memory import envelope
    from labelrelay.state import MemoryState

    dice = random.Random(seed)
    platform = Platform(dice)
    while len(platform.bodies) < 250:
        platform.act()
    bodies = []
    for number, (body, received) in enumerate(platform.bodies):
        attributes = event_of(body, received).attributes
        bodies.append(envelope(body, attributes.type, id=str(number), received=received))
    bodies += dice.sample(bodies, 50)
    order = sorted(range(len(bodies)), key=lambda at: (at if at < 250 else dice.random() * 250) + dice.random() * 8)
    queue = InMemory([bodies[at] for at in order], max_receives=1000)
    things: dict[labelrelay.Key, Changed] = {}
    memory = MemoryState()
    ends = 0

    def keep(change: Change) -> None:
        nonlocal ends
        if isinstance(change, Removed):
            things.pop(change.key, None)
        else:
            things[change.key] = change
        if dice.random() < 0.02 and ends < 12:
            ends += 1
            raise Killed
        if dice.random() < 0.05:
            raise OSError("fails after it was done")

    for _ in range(20):
        relay = labelrelay.Consumer(queue, state=memory if kind == "memory" else f"sqlite:{tmp_path / 'seen.db'}", **QUICK)
        relay.on("task", "annotation")(keep)
        try:
            relay.run(concurrency=4, until_idle=1)
        except Killed:
            continue
        break
    assert len(queue) == 0
    assert ends > 0

    def raw(kind: str) -> dict[str, Any]:
        return {key.id: change.record.raw for key, change in things.items() if key.kind == kind and change.record}

    assert raw("task") == {str(id): task for id, task in json.loads(json.dumps(platform.tasks)).items()}
    assert raw("annotation") == {str(id): one for id, one in json.loads(json.dumps(platform.annotations)).items()}
