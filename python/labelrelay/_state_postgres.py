"""State in PostgreSQL, for any number of hosts."""

from __future__ import annotations

import itertools
import json
import threading
import uuid
from typing import TYPE_CHECKING, Any

from ._official import client
from ._written import key_of, keys_of, written
from .errors import ConsumerError
from .state import REMEMBERED, Known, with_parents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .changes import Key

# `collate "C"`: versions compare by their bytes, and not as a language sorts.
TABLES = """
create table if not exists labelrelay_things (
    key text collate "C" primary key, version text collate "C", is_there boolean not null default false,
    until text collate "C" not null default '', parents text not null default '[]',
    owner text, leased timestamptz not null default '-infinity');
create table if not exists labelrelay_below (
    parent text collate "C", key text collate "C", primary key (parent, key));
create table if not exists labelrelay_events (event text collate "C" primary key, handled timestamptz not null);
create index if not exists labelrelay_events_handled on labelrelay_events (handled);
"""

ARE_THERE = """
select count(*) = 3 from pg_catalog.pg_tables where schemaname = current_schema()
    and tablename in ('labelrelay_things', 'labelrelay_below', 'labelrelay_events')
"""
"""Whether the tables are where this user would make them."""

MISSING_RIGHTS = """
select string_agg(grants, '; ' order by grants) from (
    select format('GRANT %s ON %I.%I TO %I', string_agg(privilege, ', ' order by privilege), current_schema(), name,
        current_user) as grants
    from (values
        ('labelrelay_things', 'SELECT'), ('labelrelay_things', 'INSERT'), ('labelrelay_things', 'UPDATE'),
        ('labelrelay_below', 'SELECT'), ('labelrelay_below', 'INSERT'),
        ('labelrelay_events', 'SELECT'), ('labelrelay_events', 'INSERT'), ('labelrelay_events', 'UPDATE'),
        ('labelrelay_events', 'DELETE')) as needed (name, privilege)
    where not has_table_privilege(format('%I.%I', current_schema(), name), privilege)
    group by name) as missing
"""
"""What has to be granted to this user; null if nothing has."""

LEASE = """
insert into labelrelay_things as t (key, owner, leased, is_there, parents)
values (%(key)s, %(owner)s, now() + %(seconds)s * interval '1 second', %(comes)s, %(parents)s)
on conflict (key) do update set owner = excluded.owner, leased = excluded.leased,
    is_there = t.is_there or excluded.is_there,
    parents = case when excluded.is_there then excluded.parents else t.parents end
where t.owner is null or starts_with(t.owner, %(process)s) or t.leased < now()
"""

LOOK_EVERY = 1000
"""Events between two looks for ids that are old enough to forget."""


class PostgresState:
    """Each statement is a transaction of its own: what one process wrote, the next statement of any other sees."""

    def __init__(self, url: str, *, remembered: float = REMEMBERED) -> None:
        self._psycopg = client("psycopg")
        self._url = url
        self._lock = threading.Lock()
        self._process = f"{uuid.uuid4().hex}-"
        self._numbers = itertools.count()
        self._remembered = remembered
        self._until_look = 0
        # Things that this process has leased, each with the owner of its lease: a statement may come late whose connection
        # was lost, and what gives back an old lease must not end the next one of the same thing.
        self._leased: dict[str, str] = {}
        try:
            self._db: Any = self._psycopg.connect(url, autocommit=True)
            missing = self._make_tables()
        except self._psycopg.Error as error:
            raise ConsumerError(f"state: PostgreSQL cannot be used: {error}") from error
        if missing is not None:
            self._db.close()
            raise ConsumerError(f"state: this user may not use its tables in PostgreSQL: {missing}")

    def _make_tables(self) -> str | None:
        """Makes the tables where there are none. Returns what has to be granted to this user to use them."""
        # PostgreSQL asks for the right to make tables before it looks whether there is one to make.
        if not self._db.execute(ARE_THERE).fetchone()[0]:
            with self._db.transaction():
                # Two that begin together would both make the tables.
                self._db.execute("select pg_advisory_xact_lock(5220726)")
                self._db.execute(TABLES)
        grants: str | None = self._db.execute(MISSING_RIGHTS).fetchone()[0]
        return grants

    def _run(self, statement: str, values: Any = None) -> Any:
        if self._db.closed:
            self._db = self._psycopg.connect(self._url, autocommit=True)
        try:
            return self._db.execute(statement, values)
        except self._psycopg.OperationalError:
            # The connection is of no use any more; whoever asks next gets another.
            self._db.close()
            raise

    def was_handled(self, event: str) -> bool:
        with self._lock:
            return self._run("select 1 from labelrelay_events where event = %s", (event,)).fetchone() is not None

    def handled(self, event: str) -> None:
        with self._lock:
            self._run(
                "insert into labelrelay_events values (%s, now()) on conflict (event) do update set handled = now()", (event,)
            )
            self._until_look -= 1
            if self._until_look < 0:
                self._until_look = LOOK_EVERY
                self._run(
                    "delete from labelrelay_events where handled < now() - %s * interval '1 second'", (self._remembered,)
                )

    def enter(self, key: Key, parents: tuple[Key, ...], seconds: float, comes: bool) -> Mapping[Key, Known] | None:
        name = written(key)
        with self._lock:
            before = self._read([key]).get(key)
            held_before = before.parents if before is not None else ()
            if held_before != parents:
                for parent in parents:
                    self._run("insert into labelrelay_below values (%s, %s) on conflict do nothing", (written(parent), name))
            owner = f"{self._process}{next(self._numbers)}"
            values = {
                "key": name,
                "owner": owner,
                "process": self._process,
                "seconds": seconds,
                "comes": comes,
                "parents": json.dumps(parents or held_before),
            }
            # Before: a statement that failed may have been done all the same.
            self._leased[name] = owner
            if self._run(LEASE, values).rowcount == 0:
                del self._leased[name]
                return None
            # Once more, after the lease: whoever had it before may have written.
            found = with_parents(key, parents, self._read)
            mine = found[key]
            if before is None and mine.version is None and not mine.until:
                del found[key]
            elif before is not None and (mine.version, mine.until) == (before.version, before.until):
                found[key] = before  # without what the lease itself wrote
            return found

    def _read(self, keys: Iterable[Key]) -> dict[Key, Known]:
        names = [written(key) for key in keys]
        rows = self._run(
            "select key, version, is_there, until, parents from labelrelay_things where key = any(%s)", (names,)
        ).fetchall()
        return {
            key_of(name): Known(version, is_there, until, keys_of(parents)) for name, version, is_there, until, parents in rows
        }

    def leave(self, key: Key, known: Known | None, event: str | None = None) -> bool:
        name = written(key)
        with self._lock:
            # First: if what follows fails, nobody keeps the lease, and it runs out.
            owner = self._leased.pop(name, None)
            if owner is None:
                return known is None
            if known is None:
                self._run("update labelrelay_things set owner = null where key = %s and owner = %s", (name, owner))
                return True
            done = self._run(
                "update labelrelay_things set version = %s, is_there = %s, parents = %s,"
                " owner = null where key = %s and owner = %s",
                (known.version, known.is_there, json.dumps(known.parents), name, owner),
            )
            if done.rowcount == 0:
                return False
        if event is not None:
            self.handled(event)
        return True

    def keep(self, seconds: float) -> None:
        with self._lock:
            self._run(
                "update labelrelay_things set leased = now() + %s * interval '1 second'"
                " where key = any(%s) and owner = any(%s)",
                (seconds, list(self._leased), list(self._leased.values())),
            )

    def remove(self, key: Key, until: str) -> None:
        with self._lock:
            self._run(
                "insert into labelrelay_things as t (key, until) values (%s, %s)"
                " on conflict (key) do update set until = greatest(t.until, excluded.until)",
                (written(key), until),
            )

    def below(self, key: Key) -> list[Key]:
        with self._lock:
            rows = self._run("select key from labelrelay_below where parent = %s", (written(key),)).fetchall()
            return [key_of(name) for (name,) in rows]

    def sync(self) -> None:
        """Each statement is on the server's disk when it returns."""

    def close(self) -> None:
        with self._lock:
            if not self._db.closed:
                self._run(
                    "update labelrelay_things set owner = null where key = any(%s) and owner = any(%s)",
                    (list(self._leased), list(self._leased.values())),
                )
                self._db.close()
