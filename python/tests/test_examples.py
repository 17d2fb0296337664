"""The examples of consumers do what they say."""

from __future__ import annotations

import json
import runpy
import sys
import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from in_memory import InMemory, at, envelope, task_deleted
from labelrelay import Changed, LabelStudio, parse
from labelrelay.state import MemoryState
from labelrelay.testing import deliver, sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labelrelay import Key

EXAMPLES = Path(__file__).parents[2] / "examples/consumers"


def example(name: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name=name)


def test_training_begins_when_enough_is_new(tmp_path: Path) -> None:
    module, log = example("train_after"), tmp_path / "trained"
    command = [sys.executable, "-c", f"open({str(log)!r}, 'a').write('trained\\n')"]
    relay = module["consumer"](str(tmp_path), module["Training"](tmp_path, command, 2))
    state = MemoryState()
    for name in ("annotation", "annotation-updated", "annotation"):
        assert deliver(relay, sample(f"label-studio/{name}"), state=state).outcome == "done"
    trained = 0 if not log.exists() else len(log.read_text().splitlines())
    assert deliver(relay, sample("label-studio/annotations-created"), state=state).outcome == "done"
    assert len(log.read_text().splitlines()) > trained


def test_a_training_that_fails_begins_again(tmp_path: Path) -> None:
    module = example("train_after")
    relay = module["consumer"](str(tmp_path), module["Training"](tmp_path, [sys.executable, "-c", "raise SystemExit(1)"], 1))
    delivered = deliver(relay, sample("label-studio/annotation"))
    assert delivered.outcome == "again"
    assert "CalledProcessError" in delivered.reason


class Slack(BaseHTTPRequestHandler):
    """Takes messages as Slack does, and is sometimes too busy."""

    texts: list[str]
    busy = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.busy:
            self.send_response(429)
            self.send_header("Retry-After", "7")
        else:
            self.texts.append(json.loads(body)["text"])
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def slack() -> Iterator[tuple[str, type[Slack]]]:
    handler = type("OfThisTest", (Slack,), {"texts": []})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", handler
        server.shutdown()
        thread.join()


def completed(task: int) -> bytes:
    """A derived event, as `serve` writes it."""
    body = json.dumps({"task": task, "project": 1, "annotation": 1})
    attributes = {
        "specversion": "1.0",
        "id": f"completed-{task}",
        "source": "/label-studio",
        "type": "io.labelstud.task.completed",
        "datacontenttype": "application/json",
        "dataschema": "urn:labelrelay:schema:label-studio-task-completed:1",
        "subject": f"task/{task}",
        "receivedtime": "2026-11-21T12:00:00.000000Z",
        "origin": "derived",
        "datasha256": sha256(body.encode()).hexdigest(),
    }
    return f"{json.dumps(attributes)[:-1]},\"data\":{body}}}".encode()


def test_slack_hears_of_a_completed_task(slack: tuple[str, type[Slack]], tmp_path: Path) -> None:
    url, handler = slack
    relay = example("slack_on_completed")["consumer"](str(tmp_path), url)
    assert deliver(relay, completed(17)).outcome == "done"
    assert handler.texts == ["Task 17 of label-studio is completed."]
    handler.busy = True
    assert deliver(relay, completed(18)).outcome == "again"
    assert deliver(relay, sample("label-studio/annotation")).outcome == "done"
    assert len(handler.texts) == 1, "other events are not told"


def test_a_table_has_what_the_platform_has(postgres: str) -> None:
    names = ("brush", "annotations-created", "annotation", "annotation-updated", "annotation")
    queue = InMemory([sample(f"label-studio/{name}") for name in names])
    psycopg, updated, brush = import_module("psycopg"), annotation_of("annotation-updated"), annotation_of("brush")
    relay = example("postgres_table")["consumer"](queue, postgres)
    relay.run(concurrency=1, until_idle=1)
    query = "select id, version, labels, raw->'result' from annotations where kind = 'annotation'"
    with psycopg.connect(postgres) as db:
        rows = {id: (version, labels, result) for id, version, labels, result in db.execute(query)}
    assert rows[updated.key.id][0] == updated.version
    raw: Any = updated.annotation.raw
    assert rows[updated.key.id][2] == raw["result"]
    assert brush.key.id in rows
    assert "Car" in rows[brush.key.id][1]
    # Its holder goes, and so does it.
    queue.send(task_deleted(int(updated.annotation.task or 0), 0.5, received="2099-01-01T00:00:00.5Z"))
    relay.run(concurrency=1, until_idle=1)
    assert relay.stats.acknowledged == len(queue.acknowledged) == len(names) + 1
    with psycopg.connect(postgres) as db:
        assert updated.key.id not in {id for (id,) in db.execute("select id from annotations")}


def test_a_table_asks_for_what_an_event_does_not_say(postgres: str) -> None:
    updated, psycopg = annotation_of("annotation-updated"), import_module("psycopg")
    named = {"action": "ANNOTATION_UPDATED", "annotation": {"id": int(updated.key.id), "updated_at": at(59.5)}}
    body = envelope({**named, "task": {"id": 7}, "project": {"id": 1}}, "io.labelstud.annotation.updated")
    consumer = example("postgres_table")["consumer"]

    class Platform(LabelStudio):
        def __call__(self, key: Key) -> bytes | None:
            return None if self.token_is("gone") else json.dumps(updated.annotation.raw).encode()

        def token_is(self, token: str) -> bool:
            return self._token == token

    def ids() -> set[str]:
        with psycopg.connect(postgres) as db:
            return {id for (id,) in db.execute("select id from annotations")}

    delivered = deliver(consumer(".", postgres), body)
    assert (delivered.outcome, delivered.reason) == ("rejected", "the event only names it")
    assert deliver(consumer(".", postgres, Platform("http://127.0.0.1:9", "there")), body).outcome == "done"
    assert updated.key.id in ids()
    assert deliver(consumer(".", postgres, Platform("http://127.0.0.1:9", "gone")), body).outcome == "done"
    assert updated.key.id not in ids()


def annotation_of(name: str) -> Changed:
    change = parse(sample(f"label-studio/{name}")).changes[0]
    assert isinstance(change, Changed)
    return change
