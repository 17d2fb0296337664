"""Steps for many events at once do what a step for each would do."""

from __future__ import annotations

import logging
import threading
from time import monotonic
from typing import TYPE_CHECKING, Any

import labelrelay
import pytest
from in_memory import InMemory, annotation, task_deleted
from labelrelay import Key
from labelrelay._claims import Claims
from labelrelay._handling import Handling
from labelrelay._held import Busy, Done, Held
from labelrelay._pace import Pace
from labelrelay._runner import Runner
from labelrelay._session import Session
from labelrelay._sources import Message
from labelrelay._state_sqlite import SqliteState
from labelrelay._stats import Counters
from labelrelay.state import Known, Wish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from labelrelay import Change

PROJECT, TASK = Key("/label-studio", "project", "1"), Key("/label-studio", "task", "7")
ANNOTATION, OTHER = Key("/label-studio", "annotation", "5"), Key("/label-studio", "annotation", "6")
V1, V2 = (f"2026112{digit}T120000.500000000Z" for digit in (1, 2))


def grouped(state: SqliteState, counters: Counters | None = None) -> Handling:
    handling = Handling(state, Claims(()), counters or Counters(), None, 60)
    handling.group()
    return handling


def held(*bodies: bytes) -> list[Held]:
    return [Held(Message(None, body, 1)) for body in bodies]


def never(change: Change) -> None:
    pytest.fail(str(change))


def let_leases_run_out(state: SqliteState) -> None:
    """As a machine that slept for a minute finds them."""
    state._db.execute("update things set leased = 1 where owner is not null")


def test_things_are_entered_together_as_each_would_be_alone(tmp_path: Path) -> None:
    one, other = (SqliteState(tmp_path / "seen.db") for _ in range(2))
    assert one.enter(TASK, (PROJECT,), 60, True) == {}
    one.leave(TASK, Known(V1, True, "", (PROJECT,)))
    one.remove(PROJECT, V2)
    assert other.enter(OTHER, (TASK,), 60, True) is not None
    statements: list[str] = []
    one._db.set_trace_callback(statements.append)
    found = one.enter_all([Wish(ANNOTATION, (TASK,), True), Wish(OTHER, (TASK,), True), Wish(PROJECT, (), False)], 60)
    one._db.set_trace_callback(None)
    task, project = Known(V1, True, "", (PROJECT,)), Known(None, False, V2, ())
    assert found == [{TASK: task, PROJECT: project}, None, {PROJECT: project}]
    assert statements.count("begin immediate") == 1
    assert other.enter(ANNOTATION, (), 60, False) is None
    assert one.below(TASK) == [ANNOTATION, OTHER]
    # It comes, and a handler may be called from now on.
    one.leave(ANNOTATION, None)
    assert other.enter(ANNOTATION, (), 60, False) == {
        ANNOTATION: Known(None, True, "", (TASK,)),
        TASK: task,
        PROJECT: project,
    }


def test_another_process_may_have_its_turn_between_two_events_of_one_thing(tmp_path: Path) -> None:
    one, other = (SqliteState(tmp_path / "seen.db") for _ in range(2))
    one.enter(ANNOTATION, (TASK,), 60, True)
    one.leave_later(ANNOTATION, Known(V1, True, "", (TASK,)), "first", pytest.fail)
    began: list[object] = []

    def begins(statement: str) -> None:
        if statement == "begin immediate":
            began.append(other.enter(ANNOTATION, (TASK,), 60, True) if began else None)

    one._db.set_trace_callback(begins)
    assert one.enter(ANNOTATION, (TASK,), 60, True) is None
    assert began == [None, {ANNOTATION: Known(V1, True, "", (TASK,))}]


def test_the_rest_is_seen_here_at_once_and_elsewhere_after_the_next_step(tmp_path: Path) -> None:
    one, other = (SqliteState(tmp_path / "seen.db") for _ in range(2))
    for event in ("first", "with \0 in it"):
        assert one.were_handled([event, "another"]) == set()
        one.enter(ANNOTATION, (TASK,), 60, True)
        one.leave_later(ANNOTATION, Known(V1, True, "", (TASK,)), event, pytest.fail)
        assert not other.was_handled(event)
        assert other.enter(ANNOTATION, (), 60, True) is None, "the lease lasts until it is written"
        # A lease that is kept meanwhile is ended all the same.
        one.keep(60)
        assert other.was_handled(event)
        assert other.enter(ANNOTATION, (TASK,), 60, False) == {ANNOTATION: Known(V1, True, "", (TASK,))}
        other.leave(ANNOTATION, None)
    one.enter(ANNOTATION, (TASK,), 60, True)
    one.leave_later(ANNOTATION, Known(V2, True, "", (TASK,)), "again", pytest.fail)
    assert one.were_handled(["again", "another"]) == {"again"}
    assert one.enter(ANNOTATION, (TASK,), 60, True) == {ANNOTATION: Known(V2, True, "", (TASK,))}
    one.leave_later(ANNOTATION, Known(V2, False, "", (TASK,)), "last", pytest.fail)
    one.close()
    assert other.was_handled("last")


def test_a_slow_process_acknowledges_only_what_is_still_its_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one, other = (SqliteState(tmp_path / "seen.db") for _ in range(2))
    queue = InMemory([annotation(5), annotation(6)])
    counters = Counters()
    session = Session(queue, one, counters, visibility=60, backoff=(0, 0), max_receives=5)
    handling = grouped(one, counters)

    def slow(change: Change) -> None:
        if change.key.id == "5":
            let_leases_run_out(one)
            assert other.enter(ANNOTATION, (), 60, True) is not None

    with caplog.at_level(logging.WARNING, "labelrelay"):
        for message in session.receive(2, 0):
            outcome = handling.work(message, slow)
            assert isinstance(outcome, Done)
            session.settle(message, outcome)
        session.flush()
    assert queue.acknowledged == [annotation(6)]
    assert len(queue) == 1
    assert "another process took over annotation 5" in caplog.text
    assert not other.was_handled(labelrelay.parse(annotation(5)).id)
    assert other.leave(ANNOTATION, Known(V2, True))
    assert counters.shown().acknowledged == 1


def test_a_repeat_is_not_acknowledged_on_the_word_of_an_end_that_was_lost(tmp_path: Path) -> None:
    one, other = (SqliteState(tmp_path / "seen.db") for _ in range(2))
    queue = InMemory([annotation(5), annotation(5)])
    session = Session(queue, one, Counters(), visibility=60, backoff=(0, 0), max_receives=5)
    handling = grouped(one)
    first, repeat = session.receive(2, 0)
    outcome = handling.work(first, lambda _: let_leases_run_out(one))
    assert isinstance(outcome, Done)
    session.settle(first, outcome)
    assert other.enter(ANNOTATION, (), 60, True) is not None
    outcome = handling.work(repeat, never)
    assert isinstance(outcome, Busy), "the other process may fail, and this message is all there is"
    session.flush()
    assert queue.acknowledged == []


def test_nothing_is_acknowledged_that_is_not_on_the_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(SqliteState):
        fails = True

        def sync(self) -> None:
            if self.fails:
                raise OSError("no disk")
            super().sync()

    state = Failing(tmp_path / "seen.db")
    queue = InMemory([annotation(5)])
    session = Session(queue, state, Counters(), visibility=1, backoff=(0, 0), max_receives=5)
    handling = grouped(state)
    (message,) = session.receive(1, 0)
    session.settle(message, handling.work(message, lambda _: None))  # type: ignore[arg-type]
    session.flush()
    assert queue.acknowledged == []
    assert "not acknowledged" in caplog.text
    state.fails = False
    queue.clock = lambda: monotonic() + 2
    (again,) = session.receive(1, 0)
    assert isinstance(handling.work(again, never), Done), "it is known then"


def take(handling: Handling, came: list[Held]) -> int:
    assert handling.ahead is not None
    return handling.ahead.take(came)


def test_events_are_taken_ahead_and_handled_as_each_would_be_alone(tmp_path: Path) -> None:
    one, other = (SqliteState(tmp_path / "seen.db") for _ in range(2))
    counters = Counters()
    handling = grouped(one, counters)
    one.handled(labelrelay.parse(annotation(9)).id)
    other.enter(Key("/label-studio", "annotation", "8"), (), 60, True)
    came = held(annotation(5), annotation(8), annotation(9), task_deleted(3))
    assert take(handling, came) == 4
    assert [one.entered is not None for one in came] == [True, False, False, True]
    assert [one.event is not None for one in came] == [True, False, False, True]
    assert handling.is_here(ANNOTATION)
    assert not handling.is_here(Key("/label-studio", "annotation", "8"))
    changes: list[Change] = []
    outcomes = [type(handling.work(one, changes.append)).__name__ for one in came]
    assert outcomes == ["Done", "Busy", "Done", "Done"]
    assert [(change.key.id, change.is_removal) for change in changes] == [("5", False), ("3", True)]
    shown = counters.shown()
    assert (shown.repeats, shown.changes) == (1, 2)


@pytest.mark.parametrize("stops", ["the same thing", "unreadable", "large"])
def test_nothing_is_taken_that_came_after_what_has_to_go_alone(tmp_path: Path, stops: str) -> None:
    alone = {
        "the same thing": annotation(5, 2.0),
        "unreadable": b"{}",
        "large": annotation(7) + b" " * (4 << 20),
    }
    handling = grouped(SqliteState(tmp_path / "seen.db"))
    came = held(annotation(5), alone[stops], annotation(6))
    assert take(handling, came) == 1
    assert [one.entered is not None for one in came] == [True, False, False]
    assert not handling.is_here(OTHER)


def test_a_thing_is_not_taken_ahead_twice_in_a_row(tmp_path: Path) -> None:
    """Another process would never have it."""
    handling = grouped(SqliteState(tmp_path / "seen.db"))
    for second, tried in ((1.0, 1), (2.0, 0), (3.0, 1)):
        (message,) = came = held(annotation(5, second))
        assert take(handling, came) == tried
        assert isinstance(handling.work(message, lambda _: None), Done)


def test_a_thing_is_kept_before_its_event_is_looked_for(tmp_path: Path) -> None:
    kept: list[bool] = []

    class Told(SqliteState):
        def were_handled(self, events: Any) -> Any:
            kept.append(handling.is_here(ANNOTATION))
            return super().were_handled(events)

    handling = grouped(Told(tmp_path / "seen.db"))
    assert take(handling, held(annotation(5))) == 1
    assert kept == [True]


def test_a_removal_waits_for_the_handling_of_what_was_taken(tmp_path: Path) -> None:
    state = SqliteState(tmp_path / "seen.db")
    handling = grouped(state)
    came = held(task_deleted(7, 9.0), annotation(5, 2.0, task=7), annotation(6, 10.0, task=7))
    assert take(handling, came) == 3
    changes: list[Change] = []
    # The removal takes what may have been handled; that waits until it is known.
    waiting = [one for one in came if not isinstance(handling.work(one, changes.append), Done)]
    for one in waiting:
        assert isinstance(handling.work(one, changes.append), Done)
    told = [(change.key.id, change.is_removal) for change in changes]
    assert told == [("7", True), ("5", False), ("6", False), ("5", True)]
    found = state.enter(OTHER, (), 60, False)
    assert found is not None
    assert found[OTHER].is_there


def test_an_event_that_is_given_back_is_as_it_was(tmp_path: Path) -> None:
    one, other = (SqliteState(tmp_path / "seen.db") for _ in range(2))
    handling = grouped(one)
    before = Known(V1, False, "", (TASK,))
    one.enter(OTHER, (TASK,), 60, True)
    one.leave(OTHER, before)
    came = held(annotation(5), annotation(6))
    assert take(handling, came) == 2
    assert handling.ahead is not None
    handling.ahead.release(came)
    handling.ahead.release(came)
    assert not handling.is_here(ANNOTATION)
    assert other.enter(ANNOTATION, (), 60, False) == {ANNOTATION: Known()}
    assert other.enter(OTHER, (), 60, False) == {OTHER: before}
    assert [message.event for message in came] == [None, None]


def test_a_state_that_fails_ahead_keeps_nothing(tmp_path: Path) -> None:
    class Failing(SqliteState):
        def enter_all(self, wishes: Any, seconds: float) -> Any:
            if len(wishes) > 1:
                raise OSError("no state")
            return super().enter_all(wishes, seconds)

    handling = grouped(Failing(tmp_path / "seen.db"))
    came = held(annotation(5), annotation(6))
    assert take(handling, came) == 2
    assert [one.entered for one in came] == [None, None]
    assert all(isinstance(handling.work(one, lambda _: None), Done) for one in came)


def a_runner(state: SqliteState, queue: InMemory | None = None) -> Runner:
    """One whose threads are not started."""
    session = Session(InMemory() if queue is None else queue, state, Counters(), visibility=60, backoff=(0, 0), max_receives=5)
    return Runner(session, grouped(state), never, concurrency=2, wait=7, until_idle=None)


def test_handlers_that_became_slow_keep_nothing_from_another_process(tmp_path: Path) -> None:
    one, other = (SqliteState(tmp_path / "seen.db") for _ in range(2))
    runner = a_runner(one)
    first, second, last = came = held(annotation(5), annotation(6), annotation(6, 2.0))
    runner._is_taking = True
    runner._take(came)
    assert (list(runner._taken), list(runner._ready)) == ([first, second, last], [])
    runner._release_old()
    assert other.enter(ANNOTATION, (), 60, True) is None, "it is not old"
    for message in came:
        message.entered_at -= 1
    runner._pace.ahead = 9
    runner._release_old()
    assert (list(runner._taken), list(runner._ready)) == ([], [first, second, last])
    assert runner._pace.ahead == 0
    assert other.enter(ANNOTATION, (), 60, True) == {ANNOTATION: Known()}
    assert other.enter(OTHER, (), 60, True) == {OTHER: Known()}


def test_events_keep_their_order_when_some_are_taken(tmp_path: Path) -> None:
    runner = a_runner(SqliteState(tmp_path / "seen.db"))
    came = held(annotation(5), annotation(5, 2.0), annotation(6), annotation(7))
    runner._ready.extend(came)
    runner._patience.receive_at = monotonic() + 60
    runner._pace.ahead = 3
    runner._pace._looked_at = monotonic() + 60
    some = runner._next()
    assert some == came[:3]
    assert isinstance(some, list)
    runner._take(some)
    assert (list(runner._taken), list(runner._ready)) == (came[:2], came[2:])
    assert [runner._next(), runner._next()] == came[:2]
    # Nothing overtakes what waits for its thing.
    runner._park(came[1], Busy(ANNOTATION, True))
    assert runner._next() == came[2]


def test_much_is_asked_for_only_by_whoever_handles_much() -> None:
    pace = Pace(1000)
    start = pace._looked_at
    assert pace.size == 100
    pace.handled = 800
    pace.look(start + 0.05)
    assert pace.size == 100
    pace.look(start + 0.5)
    assert pace.size == 400
    pace.handled = 8000
    pace.look(start + 1.5)
    assert pace.size == 1000
    pace.handled = 8
    assert pace.ahead > 1
    pace.look(start + 2.5)
    assert pace.size == 100
    assert pace.ahead == 0
    assert Pace(10).size == 10


def test_a_pace_of_long_ago_says_nothing(tmp_path: Path) -> None:
    runner = a_runner(SqliteState(tmp_path / "seen.db"), InMemory(batch=1000))
    runner._pace.size = 1000
    runner._pace._looked_at -= 10
    assert runner._next() == 7
    assert runner._pace.size == 100


def test_two_processes_never_handle_one_thing_at_the_same_time(tmp_path: Path) -> None:
    """The handler of the first event does not return before the other process was refused."""
    refused = threading.Event()
    queue = InMemory([annotation(5, 1.0), annotation(5, 2.0)], batch=1)
    at_work, seen = threading.Lock(), list[str | None]()

    class Told(SqliteState):
        def enter(self, *args: Any) -> Any:
            found = super().enter(*args)
            if found is None:
                refused.set()
            return found

    def keep(change: Change) -> None:
        assert isinstance(change, labelrelay.Changed)
        assert at_work.acquire(blocking=False), "two handle it"
        assert refused.wait(30)
        seen.append(change.version)
        at_work.release()

    def consume() -> None:
        state = Told(tmp_path / "seen.db")
        relay = labelrelay.Consumer(queue, state=state)
        relay.on("annotation")(keep)
        relay.run(concurrency=1, until_idle=1.0)
        state.close()

    run_twice(consume)
    assert len(queue) == 0
    assert seen[-1] == parsed_version(2.0)


class Counted(SqliteState):
    """Counts the things that are entered at once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.together: list[int] = []

    def enter_all(self, wishes: Any, seconds: float) -> Any:
        self.together.append(len(wishes))
        return super().enter_all(wishes, seconds)


def test_many_things_are_entered_at_once_where_nobody_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelrelay._pace.AHEAD", 10.0)
    # More than are handled before the first look at how fast it goes.
    queue = InMemory([annotation(number, 0.5, action="updated", task=number) for number in range(5000)], batch=100)
    state = Counted(tmp_path / "seen.db")
    relay = labelrelay.Consumer(queue, state=state)
    handled: set[str] = set()
    relay.on("annotation")(lambda change: handled.add(change.key.id))
    relay.run(concurrency=1, until_idle=0.1)
    assert len(handled) == 5000
    assert max(state.together) > 1
    state.close()


def test_many_events_of_few_things_end_at_the_newest_of_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labelrelay._pace.AHEAD", 10.0)
    bodies = [annotation(number % 50, number // 50 + 0.5, action="updated", task=number % 7) for number in range(3000)]
    queue = InMemory(bodies, batch=100)
    newest: dict[str, str] = {}

    def keep(change: Change) -> None:
        assert isinstance(change, labelrelay.Changed)
        newest[change.key.id] = change.version or ""

    def consume() -> None:
        state = SqliteState(tmp_path / "seen.db")
        relay = labelrelay.Consumer(queue, state=state, visibility=5.0)
        relay.on("annotation")(keep)
        relay.run(concurrency=3, until_idle=1.0)
        state.close()

    run_twice(consume)
    assert len(queue) == 0
    assert newest == {str(number): parsed_version(59.5) for number in range(50)}


def run_twice(consume: Callable[[], None]) -> None:
    threads = [threading.Thread(target=consume) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def parsed_version(second: float) -> str | None:
    change = labelrelay.parse(annotation(0, second)).changes[0]
    assert isinstance(change, labelrelay.Changed)
    return change.version
