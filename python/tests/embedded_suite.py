"""Consumers over the embedded queue, beside a `serve` that takes deliveries: `python embedded_suite.py PROGRAM [SEED]`.

Two worker processes share a state. They are killed at random, deliveries come shuffled and 20 % of them twice, and in the
end their copy is what the platform has. Then one poisoned event among 1,000. The end-to-end tests run it.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import labelrelay
from label_studio_model import Platform

SECRET = "a-secret-of-label-studio-0123456789"

CONFIG = """
queue = "sqlite:queue.db"
# Nothing is late because a machine is busy.
deadline_ms = 30000
[embedded_queue]
max_receives = {max_receives}
derive = false
[[source]]
name = "label-studio"
provider = "label-studio"
secret = "env:SECRET"
"""


class NeverAgain(Platform):
    """Label Studio on PostgreSQL: no id is given again. Times are those of the clock, by which the relay goes."""

    ids = 0

    def new_id(self, things: dict[int, dict[str, Any]]) -> int:
        self.ids += 1
        return self.ids

    def now(self) -> str:
        now = datetime.now(timezone.utc)
        return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond or 1:06}Z"


class Serving:
    """`serve` in a folder of its own."""

    def __init__(self, program: str, folder: Path, max_receives: int, of_the_source: str = "") -> None:
        self.folder = folder
        # At once: another program may be reading it.
        written = folder / "labelrelay.toml.new"
        written.write_text(CONFIG.format(max_receives=max_receives) + of_the_source)
        written.rename(folder / "labelrelay.toml")
        self.log = (folder / "serve.log").open("ab")
        # One that was killed has left its own.
        (folder / "ready").unlink(missing_ok=True)
        words = [program, "serve", "--listen", "127.0.0.1:0", "--ready-file", "ready"]
        self.process = subprocess.Popen(words, cwd=folder, env={"SECRET": SECRET}, stdout=self.log, stderr=self.log)
        ready = folder / "ready"
        try:
            until("serve is ready", lambda: ready.exists() and ready.read_text().strip() != "")
        except BaseException:
            end([self.process])
            raise
        self.connection = HTTPConnection(ready.read_text().strip())

    def deliver(self, body: dict[str, Any]) -> None:
        self.send(json.dumps(body).encode())

    def send(self, body: bytes) -> None:
        headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
        self.connection.request("POST", "/label-studio", body, headers)
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status

    def kill(self) -> None:
        end([self.process])
        self.connection.close()
        self.log.close()

    def stop(self) -> None:
        self.connection.close()
        self.process.terminate()
        assert self.process.wait() == 0
        self.log.close()


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    """Ends what a suite that failed would leave running."""
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()


def until(what: str, holds: Any, patience: float = 180) -> None:
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < patience, f"never: {what}"
        time.sleep(0.02)


def stats(program: str, folder: Path) -> dict[str, int]:
    out = subprocess.run([program, "queue", "stats", "--json"], cwd=folder, env={"SECRET": SECRET}, capture_output=True, check=True)
    counted: dict[str, int] = json.loads(out.stdout)
    return counted


def work(program: str, folder: str) -> None:
    """One worker: keeps a copy in a database."""
    os.environ["SECRET"] = SECRET
    faulthandler.register(signal.SIGUSR1)  # for whoever looks why it waits
    things = sqlite3.connect(f"{folder}/things.db", check_same_thread=False, timeout=60, isolation_level=None)
    relay = labelrelay.Consumer(
        folder, state=f"sqlite:{folder}/seen.db", program=program, visibility=2, backoff=(0.1, 1.0)
    )

    @relay.on("task", "annotation")
    def keep(change: labelrelay.Change) -> None:
        if isinstance(change, labelrelay.Removed):
            things.execute("delete from things where kind = ? and id = ?", change.key[1:])
        elif change.record is not None:
            things.execute("replace into things values (?, ?, ?)", [*change.key[1:], json.dumps(change.record.raw)])
        time.sleep(0.002)

    relay.run(concurrency=4, wait=1)


class Workers:
    """Two processes that keep one copy, and are killed now and then: these here, or those of another program."""

    def __init__(self, program: str, folder: Path, dice: random.Random, worker: str | None = None) -> None:
        self.program, self.folder, self.dice = program, folder, dice
        self.kills = 0
        with sqlite3.connect(folder / "things.db") as things:
            things.execute("pragma journal_mode = wal")
            things.execute("create table things (kind, id, raw, primary key (kind, id))")
        self.words = [worker, str(folder)] if worker else [sys.executable, __file__, "work", program, str(folder)]
        self.processes = [subprocess.Popen(self.words) for _ in range(2)]

    def kill_one(self) -> None:
        victim = self.dice.randrange(2)
        self.processes[victim].kill()
        self.processes[victim].wait()
        self.processes[victim] = subprocess.Popen(self.words)
        self.kills += 1

    def wait_until_all_is_acknowledged(self) -> None:
        try:
            until("all is acknowledged", lambda: self.left() == 0)
        except AssertionError:
            print(stats(self.program, self.folder), [worker.poll() for worker in self.processes], file=sys.stderr)
            if self.words[0] == sys.executable:
                for worker in self.processes:
                    worker.send_signal(signal.SIGUSR1)
            time.sleep(1)
            raise

    def left(self) -> int:
        now = stats(self.program, self.folder)
        return now["ready"] + now["in_flight"]

    def stop(self) -> None:
        for worker in self.processes:
            worker.send_signal(signal.SIGTERM)
            # One that was started a moment ago has not said yet what the signal means to it.
            assert worker.wait() in (0, -signal.SIGTERM)

    def things(self) -> dict[str, dict[str, Any]]:
        """What is in the copy: of each kind the JSON by id."""
        with sqlite3.connect(self.folder / "things.db", timeout=60) as things:
            rows = list(things.execute("select kind, id, raw from things"))
        return {kind: {id: json.loads(raw) for of, id, raw in rows if of == kind} for kind in ("task", "annotation")}


def killed_at_random(program: str, seed: int) -> None:
    dice = random.Random(seed)
    platform = NeverAgain(dice)
    while len(platform.bodies) < 400:
        platform.act()
    bodies = [body for body, _ in platform.bodies]
    bodies += dice.sample(bodies, len(bodies) // 5)
    order = sorted(range(len(bodies)), key=lambda at: (at if at < 400 else dice.random() * 400) + dice.random() * 8)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        serving = Serving(program, folder, 100)
        started = [serving.process]
        try:
            workers = Workers(program, folder, dice)
            started = workers.processes
            for at in order:
                serving.deliver(bodies[at])
                if dice.random() < 0.03:
                    time.sleep(dice.random() * 0.4)
                    workers.kill_one()
            # Chance alone leaves it at fewer once in some thousand runs.
            while workers.kills < 4:
                workers.kill_one()
            workers.wait_until_all_is_acknowledged()
            workers.stop()
            assert stats(program, folder)["dead"] == 0
            serving.stop()
            found = workers.things()
        finally:
            end([*started, serving.process])
    assert found["task"] == {str(id): task for id, task in platform.tasks.items()}
    assert found["annotation"] == {str(id): one for id, one in platform.annotations.items()}
    count = len(found["task"]) + len(found["annotation"])
    print(f"seed {seed}: {len(order)} deliveries, {workers.kills} workers killed, {count} things, as the platform has them")


def one_poisoned(program: str) -> None:
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    log = logging.getLogger("labelrelay")
    log.addHandler(Lines())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        serving = Serving(program, folder, 2)
        try:
            for number in range(1, 1001):
                annotation = {"id": number, "result": [], "updated_at": f"2026-11-20T12:00:00.{number:06}Z"}
                body = {"action": "ANNOTATION_CREATED", "annotation": annotation, "task": {"id": 1}, "project": {"id": 1}}
                # Without its payload: nobody can tell what it is about.
                serving.deliver(body if number != 500 else {"action": "ANNOTATION_CREATED"})
            os.environ["SECRET"] = SECRET
            relay = labelrelay.Consumer(folder, program=program, backoff=(0.2, 0.2))
            handled: list[str] = []
            relay.on("*")(lambda change: handled.append(change.key.id))
            relay.run(until_idle=5)
            now = stats(program, folder)
            serving.stop()
        finally:
            end([serving.process])
    assert len(handled) == 999
    assert (now["acknowledged"], now["ready"], now["in_flight"], now["dead"]) == (999, 0, 0, 1), now
    assert len(lines) == 1, lines
    assert "PayloadMissing" in lines[0]
    assert relay.stats.unreadable == {"PayloadMissing": 2}
    print("one poisoned among 1,000:", lines[0])


def rejected(program: str) -> None:
    reason = "no use for it: \ud800 é\n" * 100
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        serving = Serving(program, folder, 5)
        try:
            made = {"id": 7, "result": [], "updated_at": "2026-11-20T12:00:00.000001Z"}
            serving.deliver({"action": "ANNOTATION_CREATED", "annotation": made, "task": {"id": 1}, "project": {"id": 1}})
            os.environ["SECRET"] = SECRET
            relay = labelrelay.Consumer(folder, program=program)

            @relay.on("*")
            def reject(change: labelrelay.Change) -> None:
                raise labelrelay.Reject(reason)

            relay.run(until_idle=1)
            words = [program, "events", "list", "--dead", "--json"]
            out = subprocess.run(words, cwd=folder, env={"SECRET": SECRET}, capture_output=True, check=True).stdout
            serving.stop()
        finally:
            end([serving.process])
    dead = [json.loads(line) for line in out.splitlines()]
    assert [one["reason"] for one in dead] == [reason.replace("\ud800", "?")[:1000]], dead
    print("one rejected, with its reason")


if __name__ == "__main__":
    if sys.argv[1] == "work":
        work(*sys.argv[2:])
    else:
        one_poisoned(sys.argv[1])
        rejected(sys.argv[1])
        killed_at_random(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1)
