"""Asks a platform: a server that answers as Label Studio's API does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import labelrelay
import pytest
from in_memory import InMemory, annotation, at
from labelrelay import By, Changed, LabelStudio, Removed
from labelrelay.testing import deliver

PERSONAL = "a.b.c"


class Api(BaseHTTPRequestHandler):
    asked: list[tuple[str, str | None]]
    good = {"Token secret"}

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        if self.path == "/api/tasks/9/":
            return self.answer(302, None, Location="http://127.0.0.1:9/")
        if self.headers["Authorization"] not in self.good:
            return self.answer(401, {})
        if self.path != "/api/annotations/5/":
            return self.answer(404, {} if self.path == "/api/tasks/8/" else {"status_code": 404, "detail": "Not found."})
        return self.answer(200, {"id": 5, "task": 7, "result": [], "updated_at": at(8.5)})

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert (self.path, sent) == ("/api/token/refresh/", {"refresh": PERSONAL})
        Api.good = {f"Bearer {len(self.asked)}"}
        self.answer(200, {"access": str(len(self.asked))})

    def answer(self, status: int, body: object, **headers: str) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    Api.asked, Api.good = [], {"Token secret"}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def refetched(fetch: Any, id: int) -> labelrelay.Change:
    relay = labelrelay.Consumer(InMemory(), fetch=fetch)
    found: list[labelrelay.Change] = []
    relay.on("*")(lambda change: found.append(change.refetch()))
    outcome = deliver(relay, annotation(id))
    assert outcome.outcome == "done", outcome
    (one,) = found
    return one


def test_the_platform_says_what_is_there(url: str) -> None:
    now = refetched(LabelStudio(url, "secret"), 5)
    assert isinstance(now, Changed)
    assert now.version == "20261120T120008.500000000Z"
    assert now.annotation.task == "7"
    gone = refetched(LabelStudio(url, "secret"), 6)
    assert isinstance(gone, Removed)
    assert gone.by is By.PULL
    assert gone.until > "2026"


def test_a_personal_token_is_exchanged_and_exchanged_again(url: str) -> None:
    platform = LabelStudio(url, PERSONAL)
    assert isinstance(refetched(platform, 5), Changed)
    Api.good = set()  # it ran out
    assert isinstance(refetched(platform, 5), Changed)
    assert "c" not in repr(platform).replace("redacted", "")


def test_errors_are_named(url: str) -> None:
    key = labelrelay.Key("/label-studio", "annotation", "5")
    for fetch, asked, words in [
        (LabelStudio(url, "wrong"), key, "401"),
        (LabelStudio(url, "secret"), key._replace(kind="review"), "no review"),
        (LabelStudio(url, "secret"), key._replace(kind="task", id="9"), "302"),
        (LabelStudio(url, "secret"), key._replace(kind="task", id="8"), "404"),
        (LabelStudio("http://127.0.0.1:9", "secret"), key, "does not answer"),
    ]:
        with pytest.raises(labelrelay.RefetchError, match=words):
            fetch(asked)
    relay = labelrelay.Consumer(InMemory())
    relay.on("*")(lambda change: change.refetch())
    assert "fetch" in deliver(relay, annotation()).reason
