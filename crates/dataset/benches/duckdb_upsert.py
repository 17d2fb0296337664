"""Upserts the rows of the SQLite file that is named into DuckDB, as `fold.rs` does into SQLite: so many annotations, with
what belongs to them, in a transaction. Prints the seconds that DuckDB took."""

import sqlite3
import sys
import tempfile
import time

import duckdb
import pyarrow

TYPES = {
    "INTEGER": ("BIGINT", pyarrow.int64()),
    "REAL": ("DOUBLE", pyarrow.float64()),
    "TEXT": ("VARCHAR", pyarrow.string()),
    "BLOB": ("BLOB", pyarrow.binary()),
}

ROWS = {
    "annotations": "SELECT * FROM annotations WHERE row > ? AND row <= ?",
    "regions": "SELECT * FROM regions WHERE annotation > ? AND annotation <= ?",
    "tasks": """SELECT * FROM tasks
        WHERE (source, task_id) IN (SELECT source, task_id FROM annotations WHERE row > ? AND row <= ?)""",
}

path, batch = sys.argv[1], int(sys.argv[2])
source = sqlite3.connect(path)

with tempfile.TemporaryDirectory() as folder:
    target = duckdb.connect(f"{folder}/bare.duckdb")
    schemas = {}
    for table in ROWS:
        columns = source.execute("SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid", [table]).fetchall()
        schemas[table] = pyarrow.schema([(name, TYPES[kind][1]) for name, kind, _ in columns])
        declared = [f'"{name}" {TYPES[kind][0]}' for name, kind, _ in columns]
        key = [f'"{name}"' for name, _, place in columns if place]
        target.execute(f"CREATE TABLE {table}({', '.join(declared)}, PRIMARY KEY({', '.join(key)}))")
    (last,) = source.execute("SELECT max(row) FROM annotations").fetchone()
    took = 0.0
    for first in range(0, last, batch):
        rows = {}
        for table, statement in ROWS.items():
            found = source.execute(statement, [first, first + batch]).fetchall()
            columns = list(zip(*found)) or [[] for _ in schemas[table]]
            rows[table] = pyarrow.table([list(column) for column in columns], schema=schemas[table])
        begun = time.perf_counter()
        target.begin()
        for table, these in rows.items():
            target.register("these", these)
            target.execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM these")
            target.unregister("these")
        target.commit()
        took += time.perf_counter() - begun
    print(took)
