"""State in a SQLite file, for the processes of one host."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
import uuid
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from ._written import key_of, keys_of, written, written_all
from .errors import ConsumerError
from .state import REMEMBERED, Known, Wish, with_parents

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

    from .changes import Key

FORMAT = 1
"""Version of the tables, in the file's `user_version`."""

TABLES = """
create table if not exists things (
    key text primary key, version text, is_there integer not null default 0, until text not null default '',
    parents text not null default '[]', owner text, leased real not null default 0) without rowid;
create table if not exists below (parent text, key text, primary key (parent, key)) without rowid;
create table if not exists events (event text primary key, handled real not null) without rowid;
create table if not exists synced (one integer primary key check (one = 1), at real);
"""

# Python gives other threads a turn at every row. So rows come and go as one text: many cost little more than one.
READ = """
select json_group_array(json_array(key, version, is_there, until, parents)) from things
where key in (select value from json_each(?))
"""

LEASE = """
insert into things (key, owner, leased, is_there, parents)
select json_extract(value, '$[0]'), ?2, ?3, json_extract(value, '$[1]'), json_extract(value, '$[2]') from json_each(?1) where true
on conflict (key) do update set owner = excluded.owner, leased = excluded.leased,
    is_there = max(is_there, excluded.is_there), parents = case when excluded.is_there then excluded.parents else parents end
where owner is null or owner = excluded.owner or leased < ?4 or leased > ?4 + 86400
"""
"""The last condition: a clock that was set back must not keep the lease of a dead process for ever."""

OWNED = "select json_group_array(key) from things where owner = ?2 and key in (select value from json_each(?1))"

BELOW = """
insert or ignore into below select json_extract(value, '$[0]'), json_extract(value, '$[1]') from json_each(?)
"""

LEAVE = """
insert into things (key, version, is_there, parents)
select json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), json_extract(value, '$[3]')
from json_each(?) where true
on conflict (key) do update set version = excluded.version, is_there = excluded.is_there, parents = excluded.parents, owner = null
"""

LOOK_EVERY = 50_000
"""Events between two looks for ids that are old enough to forget: a look reads them all."""


PATIENCE = 30.0
"""Seconds to wait for others that have the file."""


class _Left(NamedTuple):
    """A thing that was left, and what of it is not written yet."""

    known: Known
    event: str
    taken: Callable[[], object]


class SqliteState:
    """Each step is a transaction, which survives the end of the process; `sync` makes them survive a loss of power."""

    def __init__(self, path: str | os.PathLike[str], *, remembered: float = REMEMBERED) -> None:
        self._lock = threading.Lock()
        self._owner = uuid.uuid4().hex
        self._remembered = remembered
        self._until_look = 0
        self._unsynced = False
        self._leased: set[str] = set()
        self._left: dict[str, _Left] = {}
        """By the name of the thing. Its lease is ours until it is written."""
        self._left_events: set[str] = set()
        self._later: deque[tuple[str, _Left]] = deque()
        """The same, until the next step takes it up: whoever leaves a thing does not wait for a transaction."""
        name = os.fspath(path)
        try:
            self._db = sqlite3.connect(name, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
            (format,) = self._db.execute("pragma user_version").fetchone()
            if format > FORMAT:
                raise ConsumerError(f"state: {name} is of a newer labelrelay (format {format}): install that, or use another file")
            _use_wal(self._db)
            self._db.execute("pragma synchronous = normal")
            self._db.execute("select json_group_array(value) from json_each('[]')")
            with self._db:
                self._db.execute("begin immediate")
                for statement in TABLES.split(";\n"):
                    self._db.execute(statement)
                self._db.execute(f"pragma user_version = {FORMAT}")
        except sqlite3.Error as error:
            raise ConsumerError(f"state: {name} cannot be used: {error}") from error

    @contextmanager
    def _turn(self) -> Generator[None, None, None]:
        """Waits for this thread's turn, and takes up what was left meanwhile."""
        with self._lock:
            while self._later:
                name, left = self._later.popleft()
                self._left[name] = left
                self._left_events.add(left.event)
            yield

    @contextmanager
    def _transaction(self) -> Generator[None, None, None]:
        """Waits for its turn before it reads, so that what it read is still so when it writes. What was left is written
        first."""
        self._unsynced = True
        self._db.execute("begin immediate")
        try:
            lost = self._write_left() if self._left else []
            yield
            self._db.execute("commit")
        except BaseException:
            # A full disk may have ended it already.
            if self._db.in_transaction:
                self._db.execute("rollback")
            raise
        if self._left:
            self._leased.difference_update(self._left)
            for name in lost:
                self._left[name].taken()
            self._left.clear()
            self._left_events.clear()

    def _write_left(self) -> list[str]:
        """Writes what was left. Returns the names of the things that somebody else took over."""
        owned = set(self._texts(OWNED, json.dumps(list(self._left)), self._owner))
        mine = [(name, left) for name, left in self._left.items() if name in owned]
        things = [(name, one.known.version, int(one.known.is_there), written_all(one.known.parents)) for name, one in mine]
        self._db.execute(LEAVE, (json.dumps(things),))
        self._remember([one.event for _, one in mine])
        return [name for name in self._left if name not in owned]

    def _texts(self, statement: str, *values: Any) -> list[Any]:
        """The array that is the answer."""
        found: list[Any] = json.loads(self._db.execute(statement, values).fetchone()[0])
        return found

    def was_handled(self, event: str) -> bool:
        with self._turn():
            self._settle_left([event])
            return self._db.execute("select 1 from events where event = ?", (event,)).fetchone() is not None

    def were_handled(self, events: Sequence[str]) -> set[str]:
        statement = "select json_group_array(event) from events where event in (select value from json_each(?))"
        with self._turn():
            self._settle_left(events)
            return set(self._texts(statement, json.dumps(events)))

    def _settle_left(self, events: Iterable[str]) -> None:
        """Writes what was left, if one of these events is in it: somebody else may have taken the thing over. Then the event
        is not remembered, and nobody may go by it."""
        if not self._left_events.isdisjoint(events):
            with self._transaction():
                pass

    def handled(self, event: str) -> None:
        with self._turn(), self._transaction():
            self._remember([event])

    def _remember(self, events: list[str]) -> None:
        now = time.time()
        # A text in JSON may end at its first NUL.
        alone = events if len(events) == 1 else [event for event in events if "\0" in event]
        for event in alone:
            self._db.execute("insert or replace into events values (?, ?)", (event, now))
        if len(alone) < len(events):
            rest = json.dumps([event for event in events if "\0" not in event])
            self._db.execute("insert or replace into events select value, ?2 from json_each(?1)", (rest, now))
        self._until_look -= len(events)
        if self._until_look < 0:
            self._until_look = LOOK_EVERY
            self._db.execute("delete from events where handled < ?", (now - self._remembered,))

    def enter(self, key: Key, parents: tuple[Key, ...], seconds: float, comes: bool) -> Mapping[Key, Known] | None:
        return self.enter_all([Wish(key, parents, comes)], seconds)[0]

    def enter_all(self, wishes: Sequence[Wish], seconds: float) -> Sequence[Mapping[Key, Known] | None]:
        if not wishes:
            return []
        names = [written(wish.key) for wish in wishes]
        with self._turn():
            if not self._left.keys().isdisjoint(names):
                # Between the end of a lease and the next one, another process must have its chance.
                with self._transaction():
                    pass
            with self._transaction():
                now = time.time()
                cache = self._read_with_parents(wishes)
                before = [cache[wish.key].parents if wish.key in cache else () for wish in wishes]
                leases = [
                    (name, int(wish.comes), written_all(wish.parents or held))
                    for name, wish, held in zip(names, wishes, before)
                ]
                leased = self._db.execute(LEASE, (json.dumps(leases), self._owner, now + seconds, now)).rowcount
                owned = set(names) if leased == len(names) else set(self._texts(OWNED, json.dumps(names), self._owner))
                below = [
                    (written(parent), name)
                    for name, wish, held in zip(names, wishes, before)
                    if name in owned and held != wish.parents
                    for parent in wish.parents
                ]
                if below:
                    self._db.execute(BELOW, (json.dumps(below),))
            self._leased |= owned

        def read(keys: Iterable[Key]) -> dict[Key, Known]:
            return {key: cache[key] for key in keys if key in cache}

        return [
            with_parents(wish.key, wish.parents, read) if name in owned else None for name, wish in zip(names, wishes)
        ]

    def _read_with_parents(self, wishes: Sequence[Wish]) -> dict[Key, Known]:
        """What is known of all these things and of all that hold them, however indirectly."""
        wanted = {key for wish in wishes for key in (wish.key, *wish.parents)}
        asked: set[Key] = set()
        found: dict[Key, Known] = {}
        while wanted:
            asked |= wanted
            rows = self._texts(READ, json.dumps([written(key) for key in wanted]))
            some = {
                key_of(name): Known(version, bool(is_there), until, keys_of(parents))
                for name, version, is_there, until, parents in rows
            }
            found.update(some)
            wanted = {parent for known in some.values() for parent in known.parents} - asked
        return found

    def leave(self, key: Key, known: Known | None, event: str | None = None) -> bool:
        name = written(key)
        with self._turn(), self._transaction():
            self._leased.discard(name)
            if known is None:
                self._db.execute("update things set owner = null where key = ? and owner = ?", (name, self._owner))
                return True
            parents = written_all(known.parents)
            done = self._db.execute(
                "update things set version = ?, is_there = ?, parents = ?, owner = null where key = ? and owner = ?",
                (known.version, known.is_there, parents, name, self._owner),
            )
            if done.rowcount == 0:
                return False
            if event is not None:
                self._remember([event])
            return True

    def leave_later(self, key: Key, known: Known, event: str, taken: Callable[[], object]) -> None:
        self._later.append((written(key), _Left(known, event, taken)))

    def keep(self, seconds: float) -> None:
        with self._turn(), self._transaction():
            until = time.time() + seconds
            self._db.execute(
                "update things set leased = ? where owner = ? and key in (select value from json_each(?))",
                (until, self._owner, json.dumps(list(self._leased))),
            )

    def remove(self, key: Key, until: str) -> None:
        with self._turn(), self._transaction():
            self._db.execute(
                "insert into things (key, until) values (?, ?) on conflict (key) do update set until = max(until, excluded.until)",
                (written(key), until),
            )

    def below(self, key: Key) -> list[Key]:
        with self._turn():
            names = self._texts("select json_group_array(key) from below where parent = ?", written(key))
            return [key_of(name) for name in names]

    def sync(self) -> None:
        with self._turn():
            if not self._unsynced and not self._left:
                return
            # One synced transaction takes everything before it to the disk: they share the journal.
            self._db.execute("pragma synchronous = full")
            try:
                with self._transaction():
                    self._db.execute("insert or replace into synced values (1, ?)", (time.time(),))
            finally:
                self._db.execute("pragma synchronous = normal")
            self._unsynced = False

    def close(self) -> None:
        with self._turn():
            try:
                with self._transaction():
                    self._db.execute(
                        "update things set owner = null where owner = ? and key in (select value from json_each(?))",
                        (self._owner, json.dumps(list(self._leased))),
                    )
            finally:
                self._db.close()


def _use_wal(db: sqlite3.Connection) -> None:
    """Where several start at the same moment with a new file, SQLite does not wait for this, whatever it was told."""
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            db.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= ends:
                raise
        time.sleep(0.01)
