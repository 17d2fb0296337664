"""Keeps a table of PostgreSQL as the platform has it: a row for each annotation or label that is there.

    pip install 'labelrelay[postgres]'
    python postgres_table.py . postgresql://HOST/DATABASE

The first argument is the queue, as for `labelrelay.Consumer`. What the consumer remembers is in the same database, so any
number of these may run, on any number of hosts.

Some events only name what was changed, and of some nobody can tell whether they are the newest. With LABEL_STUDIO_URL and
LABEL_STUDIO_API_KEY, Label Studio is asked then. Without, the former go to the dead letters, and of the latter the last one
that came counts.
"""

from __future__ import annotations

import json
import os
import sys
import threading

import labelrelay
import psycopg

TABLE = """
create table if not exists annotations (
    source text, kind text, id text, version text, task text, project text, author text,
    skipped boolean, ground_truth boolean, labels text[], raw json, primary key (source, kind, id))
"""

REPLACE = """
insert into annotations values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (source, kind, id) do update set (version, task, project, author, skipped, ground_truth, labels, raw) =
    (excluded.version, excluded.task, excluded.project, excluded.author, excluded.skipped, excluded.ground_truth,
     excluded.labels, excluded.raw)
"""


def consumer(queue: str, database: str, fetch: labelrelay.LabelStudio | None = None) -> labelrelay.Consumer:
    relay = labelrelay.Consumer(queue, state=database, fetch=fetch)
    own = threading.local()  # a connection for each thread

    def db() -> psycopg.Connection:
        if getattr(own, "db", None) is None or own.db.closed:
            own.db = psycopg.connect(database, autocommit=True)
        return own.db

    @relay.on("annotation", "label")
    def keep(change: labelrelay.Change) -> None:
        is_sure = isinstance(change, labelrelay.Removed) or (change.record and change.order is labelrelay.Order.NEWER)
        if fetch is not None and not is_sure and change.key.kind in fetch.KINDS:
            change = change.refetch()
        if isinstance(change, labelrelay.Removed):
            db().execute("delete from annotations where (source, kind, id) = (%s, %s, %s)", change.key)
        elif change.record is None:
            raise labelrelay.Reject("the event only names it")
        else:
            made = change.annotation
            labels = [label for region in made.regions for label in region.labels]
            # A number too large for Python is a `labelrelay.Number`: its digits are kept as a text.
            raw = json.dumps(made.raw, default=lambda number: number.text)
            known = (made.task, made.project, made.author, made.skipped, made.ground_truth)
            db().execute(REPLACE, (*change.key, change.version, *known, labels, raw))

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(TABLE)
    return relay


if __name__ == "__main__":
    url = os.environ.get("LABEL_STUDIO_URL")
    fetch = labelrelay.LabelStudio(url, os.environ["LABEL_STUDIO_API_KEY"]) if url else None
    consumer(*sys.argv[1:3], fetch).run()
