"""A consumer over what AWS's extended client of SQS sends: `python extended_suite.py QUEUE_URL DEAD_LETTER_URL BUCKET`. The
end-to-end tests run it, in the environment that has that client."""

from __future__ import annotations

import json
import sys
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import labelrelay
from in_memory import annotation, envelope

if TYPE_CHECKING:
    from labelrelay import Change


def large(id: int, bytes: int) -> bytes:
    """An annotation whose task has so many bytes of text."""
    payload = {
        "action": "ANNOTATION_CREATED",
        "annotation": {"id": id, "result": [], "updated_at": "2026-11-20T12:00:00.5Z", "task": 7},
        "task": {"id": 7, "data": {"text": "é" * (bytes // 2)}},
        "project": {"id": 1},
    }
    return envelope(payload, "io.labelstud.annotation.created")


def main(queue: str, dead: str, bucket: str) -> None:
    sqs: Any = import_module("sqs_extended_client").SQSExtendedClientSession().client("sqs")
    sqs.large_payload_support = bucket
    sqs.always_through_s3 = True

    def send(body: bytes, key: str) -> None:
        # The client takes the object's key from this attribute.
        attributes = {"S3Key": {"DataType": "String", "StringValue": key}}
        sqs.send_message(QueueUrl=queue, MessageBody=body.decode(), MessageAttributes=attributes)

    send(large(1, 1 << 20), "claims/1")
    send(large(2, 6_000_000), "claims/2")
    sqs.use_legacy_attribute = True
    send(annotation(3, task=3), "claims/3")
    send(annotation(4, task=4), "elsewhere/4")
    send(annotation(5, task=5), "claims/5")
    sqs.s3_client.put_object(Bucket=bucket, Key="claims/5", Body=annotation(5, task=5) + b" ")
    sqs.always_through_s3 = False
    sqs.send_message(QueueUrl=queue, MessageBody=annotation(6, task=6).decode())

    relay = labelrelay.Consumer(
        queue,
        dead_letter=dead,
        blob_stores=[f"s3://{bucket}/claims"],
        visibility=10,
        backoff=(0.1, 0.2),
        max_receives=2,
    )
    handled: list[str] = []

    @relay.on("annotation")
    def keep(change: Change) -> None:
        handled.append(change.key.id)

    def watch() -> None:
        ends = time.monotonic() + 180
        while time.monotonic() < ends and (len(handled) < 4 or relay.stats.rejected < 2):
            time.sleep(0.05)
        relay.stop()

    threading.Thread(target=watch).start()
    relay.run(concurrency=4, wait=2)
    assert sorted(handled) == ["1", "2", "3", "6"], handled
    assert set(relay.stats.unreadable) == {"ClaimRefused", "ClaimDamaged"}, relay.stats

    # A dead letter is the pointer, as it was sent: the same client reads it again.
    found: dict[str, str] = {}
    while messages := sqs.receive_message(
        QueueUrl=dead, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=600
    ).get("Messages"):
        for message in messages:
            reason = message["MessageAttributes"]["labelrelay-reason"]["StringValue"]
            found[message["Body"]] = reason
    assert len(found) == 2, found
    assert "ClaimRefused" in found[annotation(4, task=4).decode()], found
    assert "ClaimDamaged" in found[annotation(5, task=5).decode() + " "], found
    print(json.dumps({"handled": len(handled), "dead": len(found)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
