"""Queues through the program's own `queue pipe`, one process for each."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import threading
from base64 import b64decode
from collections import deque
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, cast

from ._sources import Message, SourceStopped
from .errors import ConsumerError

if TYPE_CHECKING:
    from collections.abc import Sequence


log = logging.getLogger("labelrelay")

PIPE = 1 << 20
"""Bytes between the two processes, where the system gives so many. Each read costs this process a wait for its turn among
its threads."""


class _Pending:
    """A request whose answer has not come yet."""

    __slots__ = ("answer", "came", "deliveries", "request")

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request
        self.answer: dict[str, Any] | None = None
        self.deliveries: list[Message] = []
        self.came = threading.Event()


class PipedSource:
    """A queue that one process reads and settles for this one. Several threads may ask it at the same time."""

    batch = 10
    receivers = 64
    longest = 12 * 3600.0
    counts = True

    def __init__(self, name: str, program: str | None) -> None:
        self.name = name
        self._program = program
        self._starting = threading.Lock()
        self._writing = threading.Lock()
        """Keeps the requests in the order of `_pending`. The reader needs none of it: while a write waits for the program,
        the program may wait for its answers to be read."""
        self._lock = threading.Lock()
        self._damaged: list[str] = []
        """Words for damaged messages whose answer was cut off, for the next receive."""
        self._numbers = 0
        self._pending: dict[int, _Pending] = {}
        """By the number of the request, in the order in which they were sent."""
        self._process: subprocess.Popen[bytes] | None = None
        self._end: str | None = None
        self._last_words: deque[str] = deque(maxlen=5)

    def _arguments(self) -> list[str]:
        """What follows `queue pipe`."""
        raise NotImplementedError

    def _environment(self) -> dict[str, str] | None:
        """The environment of the process; this one's if it is `None`."""
        return None

    def _directory(self) -> str | None:
        """The directory of the process. Raises `ConsumerError`."""
        return None

    def open(self) -> None:
        directory = self._directory()
        try:
            # Signals of a terminal are for this process, which settles what it has and then ends the other one.
            started = subprocess.Popen(
                [self._program or _program(), "queue", "pipe", *self._arguments()],
                cwd=directory,
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=PIPE,
                start_new_session=os.name != "nt",
            )
        except OSError as error:
            self._directory()  # it may have gone meanwhile
            raise ConsumerError(f"the program labelrelay cannot be started: {error}") from error
        _enlarge(started.stdout)
        with self._lock:
            self._process, self._end = started, None
        self._errors = threading.Thread(target=self._read_errors, name="labelrelay-pipe-errors", daemon=True)
        self._errors.start()
        threading.Thread(target=self._read_answers, name="labelrelay-pipe", daemon=True).start()
        about = cast("dict[str, Any]", self._ask({"op": "queue"}).answer)
        self.counts = bool(about.get("limits_receives", True))

    def _read_errors(self) -> None:
        """Keeps the last words of the process, for whoever asks it next."""
        process = self._running()
        assert process.stderr is not None
        for line in process.stderr:
            self._last_words.append(line.decode("utf-8", "replace").strip())

    def _read_answers(self) -> None:
        process = self._running()
        assert process.stdout is not None
        try:
            while line := process.stdout.readline():
                self._take(json.loads(_whole(line)), process.stdout)
        except Exception as error:
            # Nothing is lost: what it handed out and did not bring comes again.
            log.error("%s: an answer of `labelrelay queue pipe` was cut off or is none: %s", self.name, error)
            process.kill()
        finally:
            self._errors.join()
            code = process.wait()
            said = "; ".join(self._last_words)
            with self._lock:
                self._end = f"`labelrelay queue pipe` ended with code {code}{': ' + said if said else ''}"
                waiting = list(self._pending.values())
                self._pending.clear()
            for pending in waiting:
                pending.came.set()

    def _take(self, answer: dict[str, Any], out: IO[bytes]) -> None:
        deliveries: list[Message] = []
        try:
            count = answer.get("deliveries", 0)
            if count:
                deliveries = _read_deliveries(out, count)
        except Exception:
            with self._lock:
                self._damaged += answer.get("damaged", [])
            raise
        with self._lock:
            # What is no request is refused without a number: the oldest one, since nothing is sent in vain.
            number: int = answer["id"] if "id" in answer else min(self._pending)
            pending = self._pending.pop(number)
        pending.answer = answer
        pending.deliveries = deliveries
        pending.came.set()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ConsumerError(f"{self.name}: not open")
        return self._process

    def _ask(self, request: dict[str, Any]) -> _Pending:
        pending = _Pending(request)
        with self._writing:
            with self._lock:
                # Of the process whose end is looked for: another thread may start the next one at any moment.
                process = self._running()
                is_sent = self._end is None
                if is_sent:
                    self._numbers += 1
                    request["id"] = self._numbers
                    self._pending[self._numbers] = pending
            line = json.dumps(request).encode() + b"\n"
            if is_sent:
                assert process.stdin is not None
                try:
                    process.stdin.write(line)
                    process.stdin.flush()
                except (OSError, ValueError):
                    pass  # it ended; its last words come
        if is_sent:
            pending.came.wait()
        if pending.answer is None:
            if process.returncode == 0:
                raise SourceStopped(self._end)
            raise ConsumerError(f"{self.name}: {self._end}")
        if "error" in pending.answer:
            raise ConsumerError(f"{self.name}: {pending.answer['error']}")
        return pending

    def receive(self, most: int, visibility: float, wait: float) -> tuple[list[Message], list[str]]:
        with self._starting:
            if self._end is not None and self._running().returncode != 0:
                # It was ended by something else. What it handed out can be settled through another one.
                self.open()
        pending = self._ask(
            {"op": "receive", "max": most, "visibility_ms": round(visibility * 1000), "wait_ms": round(wait * 1000)}
        )
        answer = cast("dict[str, Any]", pending.answer)
        with self._lock:
            damaged, self._damaged = [*self._damaged, *answer.get("damaged", [])], []
        # With the last ones, the end is told when it is asked again.
        if answer.get("stopping") and not pending.deliveries and not damaged:
            raise SourceStopped("`labelrelay queue pipe` was told to end")
        return pending.deliveries, damaged

    def wake(self) -> None:
        """A receive of another queue cannot be ended early."""

    def _settle(self, op: str, messages: Sequence[Message], **more: int | str) -> int:
        receipts = [message.receipt for message in messages]
        answer = cast("dict[str, Any]", self._ask({"op": op, "receipts": receipts, **more}).answer)
        # Some queues give others with each extension.
        for message, receipt in zip(messages, answer.get("receipts", ())):
            message.receipt = receipt
        outcomes = answer["outcomes"]
        if "failed" in outcomes:
            raise ConsumerError(f"{self.name}: {answer.get('problem')}")
        return sum(outcome in ("stale", "malformed") for outcome in outcomes)

    def ack(self, messages: Sequence[Message]) -> int:
        return self._settle("ack", messages)

    def retry(self, messages: Sequence[Message], delay: float) -> None:
        self._settle("retry", messages, delay_ms=round(delay * 1000))

    def extend(self, messages: Sequence[Message], visibility: float) -> None:
        self._settle("extend", messages, visibility_ms=round(visibility * 1000))

    def reject(self, message: Message, reason: str) -> None:
        # A process makes dead letters of what it has handed out itself.
        if self._settle("reject", [message], reason=reason[:1000].encode("utf-8", "replace").decode()):
            raise ConsumerError(f"{self.name}: it is not held any more, and no dead letter")

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        try:
            process.stdin.close()
        except OSError:
            pass  # it ended before
        process.wait()


def _enlarge(pipe: IO[bytes] | None) -> None:
    """Makes room for an answer of many events, on Linux."""
    try:
        import fcntl

        if pipe is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)
    except (ImportError, OSError):
        pass  # another system, or a user who has many pipes: it is slower


def _read_deliveries(out: IO[bytes], count: int) -> list[Message]:
    """Messages of two lines each. All that can be done for many at once is."""
    lines = list(islice(out, 2 * count))
    # Only the last one can be cut off.
    if len(lines) < 2 * count or not lines[-1].endswith(b"\n"):
        raise EOFError(f"{len(lines)} lines of {2 * count}, or no end of the last one")
    heads = json.loads(b"[%s]" % b",".join(lines[::2]))
    if len(heads) != count:
        raise ValueError(f"{len(heads)} receipts for {count} messages")
    # The line as it came: a body may be large, and is copied no more than it must be.
    return [
        Message(
            head["receipt"],
            b64decode(body) if head.get("base64") else body,
            head.get("receive_count", 0),
            head.get("offloaded_bytes"),
        )
        for head, body in zip(heads, lines[1::2])
    ]


def _whole(line: bytes) -> bytes:
    """A line with its end. Raises `EOFError` for one that was cut off: its beginning may look like a whole message."""
    if not line.endswith(b"\n"):
        raise EOFError(f"{len(line)} bytes and no end of the line")
    return line


def _program() -> str:
    """The program of this installation. A clone of the project has none, and takes the one on the PATH."""
    from ._program import find_program

    try:
        return find_program()
    except FileNotFoundError:
        from shutil import which

        found = which("labelrelay")
        if found is None:
            raise
        return found
