"""Every state remembers the same: one suite for all of them.

DynamoDB is tried where `LABELRELAY_TEST_DYNAMODB` names a table.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import labelrelay
import pytest
from labelrelay import Key
from labelrelay.state import Known, MemoryState, State, open_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROJECT, TASK = Key("/label-studio", "project", "1"), Key("/label-studio", "task", 'a"\n\\ud83dé')
ANNOTATION = Key("/label-studio", "annotation", "5")
V1, V2, V3 = (f"2026112{digit}T120000.500000000Z" for digit in (1, 2, 3))


@pytest.fixture(params=["memory", "sqlite", "postgres", "dynamodb"])
def make(request: Any, tmp_path: Path) -> Callable[[], State]:
    """Makes states that share what lies behind them."""
    if request.param == "memory":
        one = MemoryState()
        return lambda: one
    if request.param == "sqlite":
        return lambda: open_state(f"sqlite:{tmp_path / 'seen.db'}")
    if request.param == "postgres":
        server: str = request.getfixturevalue("postgres")
        return lambda: open_state(server)
    url = os.environ.get("LABELRELAY_TEST_DYNAMODB")
    if not url:
        pytest.skip("no server was started for it")
    return lambda: open_state(url)


def own(key: Key) -> Key:
    """A key that no other test has: a server is shared."""
    return Key(f"{key.source}-{RUN}", key.kind, key.id)


RUN = uuid.uuid4().hex


@pytest.fixture(autouse=True)
def fresh() -> None:
    global RUN
    RUN = uuid.uuid4().hex


def test_events_are_remembered(make: Callable[[], State]) -> None:
    state, event = make(), f"{RUN}@2026"
    assert not state.was_handled(event)
    state.handled(event)
    state.handled(event)
    state.sync()
    assert state.was_handled(event)
    assert make().was_handled(event)


def test_written_things_are_known(make: Callable[[], State]) -> None:
    state, key, parents = make(), own(ANNOTATION), (own(TASK), own(PROJECT))
    found = state.enter(key, parents, 60, True)
    assert found is not None
    assert found.get(key, Known()) == Known()
    assert state.leave(key, Known(V1, True, "", parents), f"{RUN}-event")
    assert state.was_handled(f"{RUN}-event")
    assert state.enter(key, parents, 60, True) == {key: Known(V1, True, "", parents)}
    assert state.leave(key, Known(None, False, "", parents))
    found = state.enter(key, (), 60, False)
    assert found == {key: Known(None, False, "", parents)}
    state.leave(key, None)


def test_a_handler_that_failed_may_have_left_it(make: Callable[[], State]) -> None:
    state, key, parents = make(), own(ANNOTATION), (own(TASK),)
    state.enter(key, parents, 60, True)
    state.leave(key, None)
    assert state.below(own(TASK)) == [key]
    found = state.enter(key, (), 60, False)
    assert found == {key: Known(None, True, "", parents)}
    # A stale thing is written back as it was.
    state.leave(key, Known(None, False, "", parents))
    found = state.enter(key, parents, 60, True)
    assert found is not None
    assert not found[key].is_there
    state.leave(key, found[key])
    assert state.enter(key, parents, 60, False) == {key: Known(None, False, "", parents)}
    state.leave(key, None)


def test_a_removal_is_seen_from_below_and_only_rises(make: Callable[[], State]) -> None:
    state, key = make(), own(ANNOTATION)
    state.enter(own(TASK), (own(PROJECT),), 60, True)
    state.leave(own(TASK), Known(V1, True, "", (own(PROJECT),)))
    state.remove(own(PROJECT), V2)
    state.remove(own(PROJECT), V1)
    # By the task, which says its project.
    found = state.enter(key, (own(TASK),), 60, True)
    assert found is not None
    assert found[own(PROJECT)].until == V2
    assert found[own(TASK)] == Known(V1, True, "", (own(PROJECT),))
    # A removal that is noted while the thing is being handled stays noted.
    state.remove(key, V3)
    state.leave(key, Known(V2, True, "", (own(TASK),)))
    found = state.enter(key, (own(TASK),), 60, False)
    assert found is not None
    assert found[key] == Known(V2, True, V3, (own(TASK),))
    state.leave(key, None)
    assert state.below(own(PROJECT)) == [own(TASK)]
    assert state.below(key) == []


def test_a_lease_keeps_other_processes_away(make: Callable[[], State]) -> None:
    one, other = make(), make()
    if one is other:
        pytest.skip("one process")
    key = own(ANNOTATION)
    assert one.enter(key, (), 60, True) is not None
    assert other.enter(key, (), 60, True) is None
    assert one.leave(key, None)
    # Long enough for what comes before it is prolonged, on a machine that does much else.
    assert other.enter(key, (), 6, True) is not None
    assert one.enter(key, (), 60, True) is None
    other.keep(60)
    time.sleep(6.2)
    assert one.enter(key, (), 60, True) is None, "it was prolonged"
    other.keep(0.1)
    time.sleep(0.2)
    assert one.enter(key, (), 60, True) is not None, "it ran out"
    assert not other.leave(key, Known(V1, True)), "whoever was too slow writes nothing"
    one.close()
    found = other.enter(key, (), 60, False)
    assert found is not None, "what ended keeps nothing"
    assert found[key].version is None
    other.close()


def test_of_a_thing_and_its_removal_one_sees_the_other(make: Callable[[], State]) -> None:
    state = make()
    for number in range(30):
        key, task = own(Key("/", "annotation", str(number))), own(Key("/", "task", str(number)))
        saw: dict[str, bool] = {}
        start = threading.Barrier(2)

        def comes(key: Key = key, task: Key = task, saw: dict[str, bool] = saw, start: threading.Barrier = start) -> None:
            start.wait()
            found = state.enter(key, (task,), 60, True) or {}
            saw["removal"] = task in found and bool(found[task].until)
            state.leave(key, None)

        def goes(key: Key = key, task: Key = task, saw: dict[str, bool] = saw, start: threading.Barrier = start) -> None:
            start.wait()
            state.remove(task, V1)
            saw["thing"] = key in state.below(task)

        threads = [threading.Thread(target=comes), threading.Thread(target=goes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert saw["removal"] or saw["thing"]


def test_settings_are_named() -> None:
    for setting, words in [("redis:x", "'redis'"), ("dynamodb://table", "dynamodb://REGION/TABLE"), ("sqlite:/no/where/x", "/no/where/x")]:
        with pytest.raises(labelrelay.ConsumerError, match=words):
            open_state(setting)


def test_a_file_of_a_newer_package_is_refused(tmp_path: Path) -> None:
    import sqlite3

    file = tmp_path / "seen.db"
    with sqlite3.connect(file) as db:
        db.execute("pragma user_version = 99")
    with pytest.raises(labelrelay.ConsumerError, match="newer"):
        open_state(f"sqlite:{file}")


def test_several_start_at_the_same_moment_with_a_new_file(tmp_path: Path) -> None:
    failed: list[labelrelay.ConsumerError] = []
    at_once = threading.Barrier(3)

    def start(name: str) -> None:
        at_once.wait()
        try:
            open_state(f"sqlite:{tmp_path / name}").close()
        except labelrelay.ConsumerError as error:
            failed.append(error)

    for number in range(60):
        threads = [threading.Thread(target=start, args=(f"{number}.db",)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failed, failed[0]


def test_old_ids_are_forgotten() -> None:
    state = MemoryState(remembered=0.0)
    state.handled("one")
    state.handled("two")
    assert not state.was_handled("one")


def test_a_table_has_a_thing_below_its_parents_before_it_names_them() -> None:
    """A process may end after each write."""
    from labelrelay._state_dynamodb import DynamoState

    class Refused(Exception):
        """Is raised by none of these calls."""

    class Table:
        items: list[tuple[str, str]] = []

        def get_item(self, **_: Any) -> dict[str, Any]:
            return {}

        def put_item(self, **more: Any) -> None:
            self.items.append(("put", more["Item"]["pk"]["S"]))

        def update_item(self, **more: Any) -> dict[str, Any]:
            self.items.append(("update", more["Key"]["pk"]["S"]))
            return {}

    state = DynamoState.__new__(DynamoState)
    table = Table()
    vars(state).update(_db=table, _table="t", _process="me-", _numbers=itertools.count(), _lock=threading.Lock(), _leased={}, _refused=Refused)
    state.enter(ANNOTATION, (PROJECT, TASK), 60, True)
    assert [(what, name[:2]) for what, name in table.items] == [("put", "b#"), ("put", "b#"), ("update", "t#")]


@pytest.mark.parametrize(("owner", "is_left"), [({}, True), ({"owner": {"S": "another"}}, False)])
def test_an_answer_of_a_table_that_was_lost_is_no_other_process(owner: dict[str, Any], is_left: bool) -> None:
    """The first try ended the lease, and the second one finds that it has ended."""
    from labelrelay._state_dynamodb import DynamoState

    class Refused(Exception):
        """The condition does not hold."""

    events: list[str] = []

    class Table:
        def get_item(self, **_: Any) -> dict[str, Any]:
            return {"Item": {"version": {"S": V1}, "is_there": {"BOOL": True}, "parents": {"S": "[]"}, **owner}}

        def put_item(self, **more: Any) -> None:
            events.append(more["Item"]["pk"]["S"])

        def update_item(self, **_: Any) -> None:
            raise Refused

    state = DynamoState.__new__(DynamoState)
    name = json.dumps(ANNOTATION)
    vars(state).update(_db=Table(), _table="t", _lock=threading.Lock(), _leased={name: "me-0"}, _refused=Refused, _remembered=60.0)
    assert state.leave(ANNOTATION, Known(V1, True, "", ()), "event") == is_left
    assert events == ["e#event"] * is_left
    state._leased[name] = "me-1"
    assert not state.leave(ANNOTATION, Known(V2, True, "", ()), "event"), "somebody else has handled it"


def test_each_lease_of_a_table_has_an_owner_of_its_own() -> None:
    """A request may come late: what gives an old lease back must not end the next one of the same process."""
    from labelrelay._state_dynamodb import DynamoState

    class Refused(Exception):
        """Is raised by none of these calls."""

    values: list[dict[str, Any]] = []

    class Table:
        def get_item(self, **_: Any) -> dict[str, Any]:
            return {}

        def update_item(self, **more: Any) -> dict[str, Any]:
            values.append(more["ExpressionAttributeValues"])
            return {}

    state = DynamoState.__new__(DynamoState)
    vars(state).update(
        _db=Table(), _table="t", _process="me-", _numbers=itertools.count(), _lock=threading.Lock(), _leased={}, _refused=Refused
    )
    assert state.enter(ANNOTATION, (), 60, True) is not None
    assert state.leave(ANNOTATION, None)
    assert state.enter(ANNOTATION, (), 60, True) is not None
    state.keep(60)
    first, given_back, second, kept = (value[":owner"]["S"] for value in values)
    assert given_back == first
    assert second != first
    assert kept == second
    assert all(value[":process"] == {"S": "me-"} for value in values if ":process" in value)
    assert first.startswith("me-")
    assert second.startswith("me-")
    assert state.leave(ANNOTATION, None)
    assert state.leave(ANNOTATION, None), "it has none"
    assert not state.leave(ANNOTATION, Known(V1, True))


def test_each_lease_in_postgres_has_an_owner_of_its_own(postgres: str) -> None:
    """A statement may come late: what gives an old lease back must not end the next one of the same process."""
    from labelrelay._state_postgres import PostgresState
    from labelrelay._written import written

    state, other, key = PostgresState(postgres), PostgresState(postgres), own(ANNOTATION)

    def owner() -> str | None:
        row = state._run("select owner from labelrelay_things where key = %s", (written(key),)).fetchone()
        name: str | None = row[0]
        return name

    assert state.enter(key, (), 60, True) is not None
    first = owner()
    assert state.leave(key, None)
    assert owner() is None
    assert state.enter(key, (), 60, True) is not None
    assert owner() not in (None, first)
    # As if the answer to the lease was lost.
    state._leased.clear()
    assert state.leave(key, None), "it has none that it knows of"
    assert not state.leave(key, Known(V1, True))
    assert other.enter(key, (), 60, True) is None
    assert state.enter(key, (), 60, True) is not None, "its own"
    assert other.enter(key, (), 60, True) is None
    state.close()
    assert other.enter(key, (), 60, True) is not None, "what ended keeps nothing"
    other.close()
