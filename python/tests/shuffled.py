"""Deliveries that come in another order than they were sent in, and some of them twice."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from embedded_suite import SECRET

if TYPE_CHECKING:
    import random

    from embedded_suite import Serving

WINDOW = 8
"""Deliveries among which the next one is chosen."""

AGAIN = 0.2
"""Share of the deliveries that come twice."""


class Shuffled(ThreadingHTTPServer):
    """Takes Label Studio's deliveries, and passes them on in another order."""

    daemon_threads = True

    def __init__(self, serving: Serving, dice: random.Random) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.serving, self.dice = serving, dice
        self.lock = threading.Lock()
        self.pending: list[bytes] = []
        self.taken = self.sent = 0
        self.coming = 0
        """Deliveries that were answered, or are about to be, and are not taken yet."""
        self.took = threading.Condition()
        self.failure: BaseException | None = None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take(self, body: bytes) -> None:
        with self.lock:
            self.taken += 1
            self.pending += [body] * (1 + (self.dice.random() < AGAIN))
            self.pass_on(WINDOW)

    def pass_on(self, kept: int) -> None:
        while len(self.pending) > kept:
            at = self.dice.randrange(min(WINDOW, len(self.pending)))
            self.serving.send(self.pending.pop(at))
            self.sent += 1

    def empty(self) -> None:
        # Label Studio has its answer before a delivery is taken. One that is left behind would never be passed on.
        with self.took:
            assert self.took.wait_for(lambda: self.coming == 0, 180)
        with self.lock:
            self.pass_on(0)
        if self.failure is not None:
            raise self.failure


class Passing(BaseHTTPRequestHandler):
    server: Shuffled

    def do_POST(self) -> None:
        with self.server.took:
            self.server.coming += 1
        try:
            self.answer_and_take()
        finally:
            with self.server.took:
                self.server.coming -= 1
                self.server.took.notify_all()

    def answer_and_take(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_signed = self.headers["Authorization"] == f"Bearer {SECRET}"
        self.send_response(200 if is_signed else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()
        # Label Studio does not wait for what follows.
        self.wfile.flush()
        try:
            assert is_signed, self.headers["Authorization"]
            self.server.take(body)
        except BaseException as error:
            self.server.failure = error

    def log_message(self, *_: object) -> None:
        pass
