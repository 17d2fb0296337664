"""A consumer over a real queue: `python queue_suite.py KIND …`. The end-to-end tests run it, in the environment that has
the queue's official client.

    queue_suite.py sqs QUEUE_URL DEAD_LETTER_URL
    queue_suite.py pubsub PROJECT
    queue_suite.py azure ACCOUNT QUEUE

`LABELRELAY_TEST_STATE` names the state; without it, that is memory.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from base64 import b64decode, b64encode
from importlib import import_module
from typing import TYPE_CHECKING, Any

import labelrelay
from in_memory import annotation

if TYPE_CHECKING:
    from collections.abc import Callable

    from labelrelay import Change


class Sqs:
    ends_itself = True

    def __init__(self, queue: str, dead: str) -> None:
        self.client: Any = import_module("boto3").client("sqs")
        self.url, self.dead = queue, dead

    def send(self, bodies: list[bytes]) -> None:
        for start in range(0, len(bodies), 10):
            entries = [{"Id": str(at), "MessageBody": body.decode()} for at, body in enumerate(bodies[start : start + 10])]
            self.client.send_message_batch(QueueUrl=self.url, Entries=entries)

    def settings(self) -> dict[str, Any]:
        return {"url": self.url}  # the queue's own redrive policy names its dead letters

    def dead_letters(self) -> list[tuple[bytes, str]]:
        found: list[tuple[bytes, str]] = []
        while True:
            answer = self.client.receive_message(
                QueueUrl=self.dead, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=1
            )
            if not answer.get("Messages"):
                return found
            for one in answer["Messages"]:
                reason = one.get("MessageAttributes", {}).get("labelrelay-reason", {}).get("StringValue", "")
                found.append((one["Body"].encode(), reason))
                self.client.delete_message(QueueUrl=self.dead, ReceiptHandle=one["ReceiptHandle"])


class Pubsub:
    ends_itself = True

    def __init__(self, project: str) -> None:
        pubsub: Any = import_module("google.cloud.pubsub_v1")
        self.publisher, self.subscriber = pubsub.PublisherClient(), pubsub.SubscriberClient()
        self.project = project
        self.topics = [f"projects/{project}/topics/{name}" for name in ("events", "events-dead")]
        self.subscriptions = [f"projects/{project}/subscriptions/{name}" for name in ("events", "events-dead")]
        for topic in self.topics:
            self.publisher.create_topic(request={"name": topic})
        for topic, subscription in zip(self.topics, self.subscriptions):
            more = {"dead_letter_policy": {"dead_letter_topic": self.topics[1], "max_delivery_attempts": 5}}
            request = {"name": subscription, "topic": topic, "ack_deadline_seconds": 10}
            self.subscriber.create_subscription(request={**request, **(more if topic == self.topics[0] else {})})

    def send(self, bodies: list[bytes]) -> None:
        for future in [self.publisher.publish(self.topics[0], body) for body in bodies]:
            future.result(60)

    def settings(self) -> dict[str, Any]:
        return {"url": f"pubsub://{self.project}/events"}

    def _pull(self, subscription: str) -> list[Any]:
        errors: Any = import_module("google.api_core.exceptions")
        try:
            answer = self.subscriber.pull(request={"subscription": subscription, "max_messages": 100}, timeout=10, retry=None)
        except errors.DeadlineExceeded:
            return []
        return list(answer.received_messages)

    def dead_letters(self) -> list[tuple[bytes, str]]:
        found: list[tuple[bytes, str]] = []
        while some := self._pull(self.subscriptions[1]):
            found += [(one.message.data, one.message.attributes.get("labelrelay-reason", "")) for one in some]
            ids = [one.ack_id for one in some]
            self.subscriber.acknowledge(request={"subscription": self.subscriptions[1], "ack_ids": ids})
        return found


class Azure:
    ends_itself = False

    def __init__(self, account: str, queue: str) -> None:
        storage: Any = import_module("azure.storage.queue")
        service = storage.QueueServiceClient.from_connection_string(os.environ["AZURE_STORAGE_CONNECTION_STRING"])
        self.url = f"azure-queue://{account}/{queue}"
        self.queue, self.poison = service.get_queue_client(queue), service.get_queue_client(f"{queue}-poison")

    def send(self, bodies: list[bytes]) -> None:
        for body in bodies:
            self.queue.send_message(b64encode(body).decode())

    def settings(self) -> dict[str, Any]:
        return {"url": self.url}

    def dead_letters(self) -> list[tuple[bytes, str]]:
        found: list[tuple[bytes, str]] = []
        for one in self.poison.receive_messages():
            body = b64decode(one.content)
            members = json.loads(body) if body.startswith(b"{") else {}
            found.append((body, members.get("deadreason", "")))
            self.poison.delete_message(one)
        return found




QUEUES: dict[str, Callable[..., Any]] = {"sqs": Sqs, "pubsub": Pubsub, "azure": Azure}


def main(kind: str, *arguments: str) -> None:
    queue = QUEUES[kind](*arguments)
    good = [annotation(number, number + 0.5, task=number) for number in range(1, 41)]
    damaged = annotation(100, task=100).replace(b'"datasha256":"', b'"datasha256":"0')
    odd = [annotation(200, task=200), annotation(300, task=300), annotation(400, task=400), damaged, b"no envelope"]
    queue.send([*good[:20], *odd, *good[20:]])
    settings = queue.settings()
    relay = labelrelay.Consumer(
        settings.pop("url"),
        state=os.environ.get("LABELRELAY_TEST_STATE"),
        visibility=6,
        backoff=(0.1, 1.0),
        max_receives=3,
        **settings,
    )
    handled: list[str] = []
    times: list[float] = []

    @relay.on("annotation")
    def keep(change: Change) -> None:
        if change.key.id == "200":
            raise labelrelay.Reject("no use for it")
        if change.key.id == "300":
            times.append(time.monotonic())
            if len(times) == 1:
                raise labelrelay.Retry(after=1)
        if change.key.id == "400":
            time.sleep(13)  # twice the visibility timeout
        handled.append(change.key.id)

    def watch() -> None:
        # Nothing comes for a while may also mean that something is hidden.
        ends = time.monotonic() + 300
        while time.monotonic() < ends and (len(handled) < 42 or sum(relay.stats.unreadable.values()) < 6):
            time.sleep(0.1)
        time.sleep(1)
        relay.stop()

    threading.Thread(target=watch).start()
    relay.run(concurrency=4, wait=2)
    assert sorted(handled, key=int) == [*map(str, range(1, 41)), "300", "400"], handled
    assert times[1] - times[0] >= 0.9, times
    stats = relay.stats
    # Those that a handler was done with, and those that the consumer itself put among the dead letters.
    rejected_here = 1 if queue.ends_itself else 3
    assert stats.rejected == rejected_here, stats
    assert 42 + rejected_here <= stats.acknowledged <= 42 + rejected_here + stats.repeats, stats
    assert set(stats.unreadable) == {"DigestMismatch", "MalformedEnvelope"}, stats
    dead: list[tuple[bytes, str]] = queue.dead_letters()
    rejected = [reason for body, reason in dead if odd[0][1:] in body]
    assert rejected == ["no use for it"], dead
    unreadable = [reason for body, reason in dead if damaged[1:] in body or odd[4] in body]
    assert len(dead) == 1 + len(unreadable), dead
    if not queue.ends_itself:
        assert sorted(reason.partition(": ")[2].partition(":")[0] for reason in unreadable if reason) == ["DigestMismatch"], dead
        assert len(unreadable) == 2, "what is no envelope has no place for its reason"
    else:
        # The queue makes dead letters of them in its own time, each once, and says no reason.
        assert len(unreadable) <= 2, dead
        assert not any(unreadable), dead
    print(json.dumps({"handled": len(handled), "acknowledged": stats.acknowledged, "dead": len(dead)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
