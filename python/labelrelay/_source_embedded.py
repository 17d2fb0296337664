"""The embedded queue, through the program's own `queue pipe`: the schema of its file is nobody else's business."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import threading
from collections import deque
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, cast

from ._sources import Message, SourceStopped
from .errors import ConsumerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._sources import Settings


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


class EmbeddedSource:
    """One process, whose requests are answered in their order."""

    batch = 1000
    receivers = 1
    longest = 12 * 3600.0
    counts = True

    def __init__(self, url: str, settings: Settings) -> None:
        if settings.dead_letter is not None:
            raise ConsumerError("dead_letter: the embedded queue has dead letters of its own; leave it out")
        self.name = url
        self._directory = url if not url.startswith("sqlite:") else None
        if self._directory is not None and not os.path.isdir(self._directory):
            raise ConsumerError(f"{url!r} is no directory; write the one in which `labelrelay serve` runs, or sqlite:FILE")
        self._program = settings.program
        self._writing = threading.Lock()
        """Keeps the requests in the order of `_pending`. The reader needs none of it: while a write waits for the program,
        the program may wait for its answers to be read."""
        self._lock = threading.Lock()
        self._damaged: list[str] = []
        """Words for damaged messages whose answer was cut off, for the next receive."""
        self._pending: deque[_Pending] = deque()
        self._process: subprocess.Popen[bytes] | None = None
        self._end: str | None = None
        self._last_words: deque[str] = deque(maxlen=5)

    def open(self) -> None:
        try:
            program = self._program or _program()
            words = [program, "queue", "pipe"]
            if self._directory is None:
                words += ["--queue", self.name]
            # Signals of a terminal are for this process, which settles what it has and then ends the other one.
            self._process = subprocess.Popen(
                words,
                cwd=self._directory,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=PIPE,
                start_new_session=os.name != "nt",
            )
        except OSError as error:
            if self._directory is not None and not os.path.isdir(self._directory):
                raise ConsumerError(f"{self._directory!r} is no directory any more: start the consumer where the queue is now") from None
            raise ConsumerError(f"the program labelrelay cannot be started: {error}") from error
        _enlarge(self._process.stdout)
        self._end = None
        self._errors = threading.Thread(target=self._read_errors, name="labelrelay-pipe-errors", daemon=True)
        self._errors.start()
        threading.Thread(target=self._read_answers, name="labelrelay-pipe", daemon=True).start()
        self._ask({"op": "receive", "max": 0})

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
                waiting = list(self._pending)
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
            pending = self._pending.popleft()
        pending.answer = answer
        pending.deliveries = deliveries
        pending.came.set()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ConsumerError(f"{self.name}: not open")
        return self._process

    def _ask(self, request: dict[str, Any]) -> _Pending:
        process = self._running()
        assert process.stdin is not None
        pending = _Pending(request)
        line = json.dumps(request).encode() + b"\n"
        with self._writing:
            with self._lock:
                is_sent = self._end is None
                if is_sent:
                    self._pending.append(pending)
            if is_sent:
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
        try:
            # Any line ends a wait.
            self._ask({"op": "receive", "max": 0})
        except (ConsumerError, SourceStopped):
            pass  # it ended, and nobody waits

    def _settle(self, op: str, messages: Sequence[Message], **more: int | str) -> int:
        receipts = [message.receipt for message in messages]
        answer = cast("dict[str, Any]", self._ask({"op": op, "receipts": receipts, **more}).answer)
        return sum(outcome in ("stale", "malformed") for outcome in answer["outcomes"])

    def ack(self, messages: Sequence[Message]) -> int:
        return self._settle("ack", messages)

    def retry(self, messages: Sequence[Message], delay: float) -> None:
        self._settle("retry", messages, delay_ms=round(delay * 1000))

    def extend(self, messages: Sequence[Message], visibility: float) -> None:
        self._settle("extend", messages, visibility_ms=round(visibility * 1000))

    def reject(self, message: Message, reason: str) -> None:
        self._settle("reject", [message], reason=reason[:1000].encode("utf-8", "replace").decode())

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
    return [Message(head["receipt"], body, head["receive_count"]) for head, body in zip(heads, lines[1::2])]


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
