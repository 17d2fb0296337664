"""Events a second: `python throughput.py embedded PROGRAM [COUNT]`, `python throughput.py sqs QUEUE_URL [COUNT] [THREADS] [PROGRAM]`.

`embedded` starts `serve` in a folder of its own and fills its queue by deliveries. `sqs` compares with a bare loop of boto3: the same batch, the same threads, and nothing done with a message. Once the consumer has boto3 as well, and once, if `PROGRAM` is named, that reads the queue for it.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import labelrelay
from in_memory import annotation


def filled_up(body: bytes, size: int = 1024) -> str:
    """An event of so many bytes."""
    missing = size - len(body)
    return body.decode().replace('"id":"', '"id":"' + "0" * max(0, missing), 1)


class Sqs:
    def __init__(self, url: str, count: int, threads: int, program_path: str | None = None) -> None:
        self.boto3: Any = import_module("boto3")
        self.url, self.count, self.threads, self.program_path = url, count, threads, program_path
        self.client = self.boto3.client("sqs", config=import_module("botocore.config").Config(max_pool_connections=64))
        self.dead: str = self.client.create_queue(QueueName="throughput-dead")["QueueUrl"]

    def fill(self) -> None:
        bodies = [filled_up(annotation(number, task=number)) for number in range(self.count)]
        for start in range(0, self.count, 10):
            entries = [{"Id": str(at), "MessageBody": body} for at, body in enumerate(bodies[start : start + 10])]
            self.client.send_message_batch(QueueUrl=self.url, Entries=entries)

    def bare(self) -> float:
        left = self.count
        lock = threading.Lock()

        def loop() -> None:
            nonlocal left
            while left > 0:
                answer = self.client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
                messages = answer.get("Messages", ())
                if messages:
                    entries = [{"Id": str(at), "ReceiptHandle": one["ReceiptHandle"]} for at, one in enumerate(messages)]
                    self.client.delete_message_batch(QueueUrl=self.url, Entries=entries)
                    with lock:
                        left -= len(messages)

        return self.timed(loop)

    def timed(self, loop: Any) -> float:
        threads = [threading.Thread(target=loop) for _ in range(self.threads)]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.count / (time.perf_counter() - begun)

    def consumer(self) -> float:
        return self.consumed(labelrelay.Consumer(self.url, dead_letter=self.dead, client="official"))

    def program(self) -> float:
        return self.consumed(labelrelay.Consumer(self.url, dead_letter=self.dead, client="program", program=self.program_path))

    def consumed(self, relay: labelrelay.Consumer) -> float:
        begun: list[float] = []

        @relay.on("annotation")
        def keep(change: labelrelay.Change) -> None:
            if not begun:
                begun.append(time.perf_counter())  # a bare loop's client is made before, too

        def watch() -> None:
            while relay.stats.acknowledged < self.count:
                time.sleep(0.01)
            begun.append(time.perf_counter())
            relay.stop()

        threading.Thread(target=watch, daemon=True).start()
        relay.run(concurrency=self.threads, wait=0)
        return self.count / (begun[1] - begun[0])


def sqs(url: str, count: str = "3000", threads: str = "4", program: str | None = None) -> None:
    queue = Sqs(url, int(count), int(threads), program)
    names = ["bare", "consumer"] + (["program"] if program else [])
    rates: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(3):
        for name in names:
            queue.fill()
            rates[name].append(getattr(queue, name)())
    best = {name: max(of) for name, of in rates.items()}
    ratios = {name: round(best[name] / best["bare"], 2) for name in names[1:]}
    print(json.dumps({**{name: [round(rate) for rate in of] for name, of in rates.items()}, "of_bare": ratios}))


def embedded(program: str, count: str = "20000") -> None:
    from embedded_suite import SECRET, Serving

    import os

    os.environ["SECRET"] = SECRET
    with tempfile.TemporaryDirectory() as name:
        serving = Serving(program, Path(name), 5)
        for number in range(int(count)):
            made = {"id": number, "result": [], "updated_at": f"2026-11-20T12:00:00.{number + 1:06}Z", "text": "x" * 420}
            serving.deliver({"action": "ANNOTATION_CREATED", "annotation": made, "task": {"id": 1}, "project": {"id": 1}})
        for state in (None, f"sqlite:{name}/seen.db"):
            with_program = labelrelay.Consumer(name, program=program, state=state)
            sizes: list[int] = []
            with_program.on("annotation")(lambda change: sizes.append(1))
            begun = time.perf_counter()
            with_program.run(concurrency=4, until_idle=1)
            seconds = time.perf_counter() - begun - 1
            print(json.dumps({"state": "memory" if state is None else "sqlite", "events": len(sizes), "per_second": round(len(sizes) / seconds)}))
            if state is None:
                for number in range(int(count)):
                    made = {"id": number, "result": [], "updated_at": f"2026-11-20T12:01:00.{number + 1:06}Z", "text": "x" * 420}
                    serving.deliver({"action": "ANNOTATION_UPDATED", "annotation": made, "task": {"id": 1}, "project": {"id": 1}})
        serving.stop()


if __name__ == "__main__":
    if sys.argv[1] == "sqs":
        sqs(*sys.argv[2:])
    else:
        embedded(*sys.argv[2:])
