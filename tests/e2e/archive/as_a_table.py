"""Reads an archive in this folder by the statements that a document prints, and says in JSON what is in it."""

import datetime
import decimal
import hashlib
import json
import pathlib
import re
import sys

import duckdb

document = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
blocks = re.findall(r"^```sql\n(.*?)^```$", document, re.DOTALL | re.MULTILINE)
as_table, as_bytes = (text for text in blocks if "FROM read_" in text)
(either,) = re.findall(r"`(coalesce\(data, .*?)`", document)


def values(text):
    """What JSON says, with every digit of its numbers."""
    return json.loads(text, parse_float=decimal.Decimal)


db = duckdb.connect()
days = db.execute(as_table).fetchall()
rows = db.execute(
    f"SELECT id, source, date::VARCHAR, datasha256, epoch_ms(receivedtime), {either} AS body FROM events ORDER BY id"
).fetchall()
bodies = db.execute(as_bytes).fetchall()
digests = {id: hashlib.sha256(body).hexdigest() for id, _, body in bodies}
assert len(digests) == len(bodies) == len(rows), (len(digests), len(bodies), len(rows))
signed = {id: body for id, _, body in bodies}
for id, _, date, datasha256, received_ms, body in rows:
    received = datetime.datetime.fromtimestamp(received_ms / 1000, datetime.timezone.utc)
    assert received.date().isoformat() == date, (id, received, date)
    assert digests[id] == datasha256, id
    # DuckDB writes it anew: the same values, not the same bytes.
    assert values(body) == values(signed[id]), (id, body)
print(
    json.dumps(
        {
            "days": [[source, date.isoformat(), count] for source, date, count in days],
            "events": [[id, source, date, digests[id]] for id, source, date, *_ in rows],
        }
    )
)
