"""What is done for many events at once is what would be done for each alone."""

from __future__ import annotations

import logging
import threading
from time import sleep
from typing import TYPE_CHECKING, Any

import labelrelay
import pytest
from in_memory import InMemory, annotation, task_deleted
from labelrelay import Key
from labelrelay._claims import Claims
from labelrelay._handling import Handling
from labelrelay._held import Done, Held
from labelrelay._pace import Pace
from labelrelay._session import Session
from labelrelay._sources import Message
from labelrelay._state_sqlite import SqliteState
from labelrelay._stats import Counters
from labelrelay.state import Known, Wish

if TYPE_CHECKING:
    from pathlib import Path

    from labelrelay import Change

PROJECT, TASK = Key("/label-studio", "project", "1"), Key("/label-studio", "task", "7")
ANNOTATION, OTHER = Key("/label-studio", "annotation", "5"), Key("/label-studio", "annotation", "6")
V1, V2 = (f"2026112{digit}T120000.500000000Z" for digit in (1, 2))


def grouped(state: SqliteState, counters: Counters | None = None) -> Handling:
    handling = Handling(state, Claims(()), counters or Counters(), None, 60)
    handling.group()
    return handling


def held(body: bytes) -> Held:
    return Held(Message(None, body, 1))


def test_things_are_entered_together_as_each_would_be_alone(tmp_path: Path) -> None:
    one, other = (SqliteState(tmp_path / "seen.db") for _ in range(2))
    assert one.enter(TASK, (PROJECT,), 60, True) == {}
    one.leave(TASK, Known(V1, True, "", (PROJECT,)))
    one.remove(PROJECT, V2)
    assert other.enter(OTHER, (TASK,), 60, True) is not None
    wishes = [Wish(ANNOTATION, (TASK,), True), Wish(OTHER, (TASK,), True), Wish(PROJECT, (), False)]
    found = one.enter_all(wishes, 60)
    task, project = Known(V1, True, "", (PROJECT,)), Known(None, False, V2, ())
    assert found == [{TASK: task, PROJECT: project}, None, {PROJECT: project}]
    assert other.enter(ANNOTATION, (), 60, False) is None
    assert one.below(TASK) == [ANNOTATION, OTHER]
    # It comes, and a handler may be called from now on.
    one.leave(ANNOTATION, None)
    assert other.enter(ANNOTATION, (), 60, False) == {
        ANNOTATION: Known(None, True, "", (TASK,)),
        TASK: task,
        PROJECT: project,
    }


def test_what_is_left_is_seen_here_at_once_and_elsewhere_after_the_next_step(tmp_path: Path) -> None:
    one, other = (SqliteState(tmp_path / "seen.db") for _ in range(2))
    for event in ("first", "with \0 in it"):
        one.enter(ANNOTATION, (TASK,), 60, True)
        one.leave_later(ANNOTATION, Known(V1, True, "", (TASK,)), event, pytest.fail)
        assert one.was_handled(event)
        assert one.were_handled([event, "another"]) == {event}
        assert not other.was_handled(event)
        assert other.enter(ANNOTATION, (), 60, True) is None, "the lease lasts until it is written"
        # A lease that is kept meanwhile is ended all the same.
        one.keep(60)
        assert other.was_handled(event)
        assert other.enter(ANNOTATION, (TASK,), 60, False) == {ANNOTATION: Known(V1, True, "", (TASK,))}
        other.leave(ANNOTATION, None)
    one.enter(ANNOTATION, (TASK,), 60, True)
    one.leave_later(ANNOTATION, Known(V2, True, "", (TASK,)), "again", pytest.fail)
    assert one.enter(ANNOTATION, (TASK,), 60, True) == {ANNOTATION: Known(V2, True, "", (TASK,))}
    one.leave_later(ANNOTATION, Known(V2, False, "", (TASK,)), "last", pytest.fail)
    one.close()
    assert other.was_handled("last")


def test_a_slow_process_acknowledges_only_what_is_still_its_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one, other = (SqliteState(tmp_path / "seen.db") for _ in range(2))
    queue = InMemory([annotation(5), annotation(6)])
    counters = Counters()
    session = Session(queue, one, counters, visibility=60, backoff=(0, 0), max_receives=5)
    handling = Handling(one, Claims(()), counters, None, 0.05)
    handling.group()
    came = session.receive(2, 0)
    sleep_over = threading.Event()

    def slow(change: Change) -> None:
        if change.key.id == "5":
            sleep(0.1)
            assert other.enter(ANNOTATION, (), 60, True) is not None
            sleep_over.set()

    with caplog.at_level(logging.WARNING, "labelrelay"):
        for message in came:
            outcome = handling.work(message, slow)
            assert isinstance(outcome, Done)
            session.settle(message, outcome)
        session.flush()
    assert sleep_over.is_set()
    assert queue.acknowledged == [annotation(6)]
    assert len(queue) == 1
    assert "another process took over annotation 5" in caplog.text
    assert not other.was_handled(labelrelay.parse(annotation(5)).id)
    assert other.leave(ANNOTATION, Known(V2, True))
    assert counters.shown().acknowledged == 1


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
    (again,) = session.receive(1, 5)
    assert isinstance(handling.work(again, lambda change: pytest.fail(str(change))), Done), "it is known then"


def test_events_are_taken_ahead_and_what_cannot_be_goes_its_way_alone(tmp_path: Path) -> None:
    one, other = (SqliteState(tmp_path / "seen.db") for _ in range(2))
    counters = Counters()
    handling = grouped(one, counters)
    one.handled(labelrelay.parse(annotation(9)).id)
    other.enter(Key("/label-studio", "annotation", "8"), (), 60, True)
    bodies = [annotation(5), annotation(5, 2.0), annotation(5), b"{}", annotation(8), annotation(9), task_deleted(3)]
    came = [held(body) for body in bodies]
    handling.take_ahead(came)
    assert [one.entered is not None for one in came] == [True, False, False, False, False, False, True]
    assert [one.event is not None for one in came] == [True, False, False, False, False, False, True]
    changes: list[Change] = []
    outcomes = [type(handling.work(one, changes.append)).__name__ for one in came]
    assert outcomes == ["Done", "Done", "Done", "Unreadable", "Busy", "Done", "Done"]
    assert [(change.key.id, change.is_removal) for change in changes] == [("5", False), ("5", False), ("3", True)]
    shown = counters.shown()
    assert (shown.repeats, shown.changes) == (2, 3)


def test_what_is_removed_after_it_was_taken_is_not_handed_on(tmp_path: Path) -> None:
    state = SqliteState(tmp_path / "seen.db")
    handling = grouped(state)
    came = [held(task_deleted(7, 9.0)), held(annotation(5, 2.0, task=7)), held(annotation(6, 10.0, task=7))]
    handling.take_ahead(came)
    assert all(one.entered is not None for one in came)
    changes: list[Change] = []
    # The removal takes what may have been handled; that waits until it is known.
    waiting = [one for one in came if not isinstance(handling.work(one, changes.append), Done)]
    for one in waiting:
        assert isinstance(handling.work(one, changes.append), Done)
    assert [change.key.id for change in changes if not change.is_removal] == ["6"]
    found = state.enter(Key("/label-studio", "annotation", "6"), (), 60, False)
    assert found is not None
    assert found[Key("/label-studio", "annotation", "6")].is_there


def test_what_is_given_back_is_as_it_was(tmp_path: Path) -> None:
    one, other = (SqliteState(tmp_path / "seen.db") for _ in range(2))
    handling = grouped(one)
    before = Known(V1, False, "", (TASK,))
    one.enter(OTHER, (TASK,), 60, True)
    one.leave(OTHER, before)
    came = [held(annotation(5)), held(annotation(6))]
    handling.take_ahead(came)
    for message in came:
        assert message.entered is not None
        handling.release(message)
        handling.release(message)
    assert not handling.is_here(ANNOTATION)
    assert other.enter(ANNOTATION, (), 60, False) == {ANNOTATION: Known()}
    assert other.enter(OTHER, (), 60, False) == {OTHER: before}


def test_a_state_that_fails_ahead_keeps_nothing(tmp_path: Path) -> None:
    class Failing(SqliteState):
        def enter_all(self, wishes: Any, seconds: float) -> Any:
            if len(wishes) > 1:
                raise OSError("no state")
            return super().enter_all(wishes, seconds)

    handling = grouped(Failing(tmp_path / "seen.db"))
    came = [held(annotation(5)), held(annotation(6))]
    handling.take_ahead(came)
    assert [one.entered for one in came] == [None, None]
    assert all(isinstance(handling.work(one, lambda _: None), Done) for one in came)


def test_much_is_asked_for_only_by_whoever_handles_much() -> None:
    pace = Pace(1000)
    start = pace._looked_at
    assert pace.size == 100
    assert not pace.is_within_moment(1), "nobody knows yet"
    pace.handled = 800
    pace.look(start + 0.05, began_anew=False)
    assert pace.size == 100
    pace.look(start + 0.5, began_anew=False)
    assert pace.size == 400
    assert pace.is_within_moment(400)
    assert not pace.is_within_moment(401)
    pace.handled = 8000
    pace.look(start + 1.5, began_anew=False)
    assert pace.size == 1000
    pace.look(start + 99, began_anew=True)
    assert pace.size == 1000, "there was nothing to do"
    pace.handled = 8
    pace.look(start + 100, began_anew=False)
    assert pace.size == 100
    assert not pace.is_within_moment(3), "slow handlers take nothing ahead"
    assert Pace(10).size == 10


def test_many_events_of_few_things_end_at_the_newest_of_each(tmp_path: Path) -> None:
    """Fast handlers, so that events are taken ahead, by two consumers that share the state."""
    bodies = [annotation(number % 50, number // 50 + 0.5, action="updated", task=number % 7) for number in range(3000)]
    queue = InMemory(bodies, batch=100)
    newest: dict[str, str] = {}
    at_work, overlaps = set[str](), list[str]()

    def keep(change: Change) -> None:
        assert isinstance(change, labelrelay.Changed)
        if change.key.id in at_work:
            overlaps.append(change.key.id)
        at_work.add(change.key.id)
        newest[change.key.id] = change.version or ""
        at_work.discard(change.key.id)

    def consume() -> None:
        relay = labelrelay.Consumer(queue, state=f"sqlite:{tmp_path / 'seen.db'}", visibility=5.0)
        relay.on("annotation")(keep)
        relay.run(concurrency=3, until_idle=1.0)

    threads = [threading.Thread(target=consume) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(queue) == 0
    last = labelrelay.parse(annotation(0, 59.5)).changes[0]
    assert isinstance(last, labelrelay.Changed)
    assert overlaps == []
    assert newest == {str(number): last.version for number in range(50)}
