"""State in a SQLite file, for the processes of one host."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING

from .changes import Key
from .errors import ConsumerError
from .state import REMEMBERED, Known, with_parents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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

LEASE = """
insert into things (key, owner, leased, is_there, parents) values (?1, ?2, ?3, ?5, ?6)
on conflict (key) do update set owner = excluded.owner, leased = excluded.leased,
    is_there = max(is_there, excluded.is_there), parents = case when excluded.is_there then excluded.parents else parents end
where owner is null or owner = excluded.owner or leased < ?4 or leased > ?4 + 86400
"""
"""The last condition: a clock that was set back must not keep the lease of a dead process for ever."""

LOOK_EVERY = 50_000
"""Events between two looks for ids that are old enough to forget: a look reads them all."""


class SqliteState:
    """Each step is a transaction, which survives the end of the process; `sync` makes them survive a loss of power."""

    def __init__(self, path: str | os.PathLike[str], *, remembered: float = REMEMBERED) -> None:
        self._lock = threading.Lock()
        self._owner = uuid.uuid4().hex
        self._remembered = remembered
        self._until_look = 0
        self._unsynced = False
        self._leased: set[str] = set()
        name = os.fspath(path)
        try:
            self._db = sqlite3.connect(name, timeout=30, isolation_level=None, check_same_thread=False)
            (format,) = self._db.execute("pragma user_version").fetchone()
            if format > FORMAT:
                raise ConsumerError(f"state: {name} is of a newer labelrelay (format {format}): install that, or use another file")
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = normal")
            with self._db:
                self._db.execute("begin immediate")
                for statement in TABLES.split(";\n"):
                    self._db.execute(statement)
                self._db.execute(f"pragma user_version = {FORMAT}")
        except sqlite3.Error as error:
            raise ConsumerError(f"state: {name} cannot be used: {error}") from error

    def was_handled(self, event: str) -> bool:
        with self._lock:
            return self._db.execute("select 1 from events where event = ?", (event,)).fetchone() is not None

    def handled(self, event: str) -> None:
        with self._lock, self._transaction():
            self._remember(event)

    def _transaction(self) -> _Transaction:
        self._unsynced = True
        return _Transaction(self._db)

    def _remember(self, event: str) -> None:
        now = time.time()
        self._db.execute("insert or replace into events values (?, ?)", (event, now))
        self._until_look -= 1
        if self._until_look < 0:
            self._until_look = LOOK_EVERY
            self._db.execute("delete from events where handled < ?", (now - self._remembered,))

    def enter(self, key: Key, parents: tuple[Key, ...], seconds: float, comes: bool) -> Mapping[Key, Known] | None:
        now = time.time()
        name = written(key)
        with self._lock, self._transaction():
            found = with_parents(key, parents, self._read)
            before = found[key].parents if key in found else ()
            after = written_all(parents or before)
            if self._db.execute(LEASE, (name, self._owner, now + seconds, now, comes, after)).rowcount == 0:
                return None
            self._leased.add(name)
            if before != parents:
                self._db.executemany(
                    "insert or ignore into below values (?, ?)", [(written(parent), name) for parent in parents]
                )
            return found

    def _read(self, keys: Iterable[Key]) -> dict[Key, Known]:
        names = [written(key) for key in keys]
        marks = ",".join("?" * len(names))
        rows = self._db.execute(f"select key, version, is_there, until, parents from things where key in ({marks})", names)
        return {
            key_of(name): Known(version, bool(is_there), until, keys_of(parents))
            for name, version, is_there, until, parents in rows
        }

    def leave(self, key: Key, known: Known | None, event: str | None = None) -> bool:
        name = written(key)
        with self._lock, self._transaction():
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
                self._remember(event)
            return True

    def keep(self, seconds: float) -> None:
        with self._lock, self._transaction():
            until = time.time() + seconds
            self._db.executemany(
                "update things set leased = ? where key = ? and owner = ?",
                [(until, name, self._owner) for name in self._leased],
            )

    def remove(self, key: Key, until: str) -> None:
        with self._lock, self._transaction():
            self._db.execute(
                "insert into things (key, until) values (?, ?) on conflict (key) do update set until = max(until, excluded.until)",
                (written(key), until),
            )

    def below(self, key: Key) -> list[Key]:
        with self._lock:
            rows = self._db.execute("select key from below where parent = ?", (written(key),))
            return [key_of(name) for (name,) in rows]

    def sync(self) -> None:
        with self._lock:
            if not self._unsynced:
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
        with self._lock:
            self._db.executemany(
                "update things set owner = null where key = ? and owner = ?",
                [(name, self._owner) for name in self._leased],
            )
            self._db.close()


class _Transaction:
    """Waits for its turn before it reads, so that what it read is still so when it writes."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("begin immediate")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._db.execute("commit" if kind is None else "rollback")


@lru_cache(10_000)
def written(key: Key) -> str:
    """A key as text: ASCII, for every database."""
    return json.dumps(key)


def key_of(name: str) -> Key:
    """The key that was written so."""
    return Key(*json.loads(name))


@lru_cache(10_000)
def written_all(keys: tuple[Key, ...]) -> str:
    """Several keys as text."""
    return json.dumps(keys)


@lru_cache(10_000)
def keys_of(names: str) -> tuple[Key, ...]:
    """The keys that were written so."""
    return tuple(Key(*key) for key in json.loads(names)) if names != "[]" else ()
