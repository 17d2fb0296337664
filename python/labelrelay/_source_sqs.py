"""SQS, by the official client."""

from __future__ import annotations

import json
import logging
import re
from math import ceil
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ._official import client
from ._pointer import SIZES, size_in
from ._sources import Message
from ._sqs_answers import read_at_once
from .errors import ConsumerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._sources import Settings

log = logging.getLogger("labelrelay")

CURE = "write the URL that AWS prints, https://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE, or sqs://REGION/ACCOUNT/QUEUE"

REASON = "labelrelay-reason"
"""Attribute of a dead letter that says why it is one."""

_REGION = re.compile(r"(?:[a-z]+-){2,3}[0-9]").fullmatch
_NAME = re.compile(r"[A-Za-z0-9_-]{1,75}(?:\.fifo)?").fullmatch


def queue_url(setting: str) -> tuple[str, str | None]:
    """The URL of a queue, and its region, if it says one. Raises `ConsumerError`."""
    plain = setting.partition("?")[0].rstrip("/")
    if plain.startswith("sqs://"):
        region, _, path = plain[len("sqs://") :].partition("/")
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        plain = f"https://sqs.{region}.{suffix}/{path}"
    parts = urlsplit(plain)
    words = parts.path.strip("/").split("/")
    if not parts.hostname or len(words) < 2 or not words[-2] or not _NAME(words[-1]) or "@" in parts.netloc:
        raise ConsumerError(f"{setting.partition('?')[0]!r} is not the URL of an SQS queue; {CURE}")
    regions = [label for label in parts.hostname.split(".") if _REGION(label)]
    if setting.startswith("sqs://") and not regions:
        raise ConsumerError(f"{setting.partition('?')[0]!r} names no region; {CURE}")
    return plain, regions[0] if regions else None


def connect(region: str | None) -> Any:
    """A client. Each thread may use it."""
    config = client("botocore.config").Config(
        # A receive waits for 20 seconds, so a silence of 30 is a fault.
        read_timeout=30,
        connect_timeout=5,
        # As many as 80 threads may want, and the 40 that acknowledge for them. More are closed after each call, with a warning.
        max_pool_connections=128,
        retries={"mode": "standard", "max_attempts": 3},
        # A tenth of what a call costs. What is asked for is written below, and by nobody else.
        parameter_validation=False,
        # Another tenth: botocore's own would be put together anew for every call. It adds its version to this one.
        user_agent="labelrelay",
    )
    sqs: Any = client("boto3").client("sqs", region_name=region, config=config)
    if hasattr(sqs, "large_payload_support"):
        # AWS's extended client puts itself in the place of boto3's own wherever it is imported. It would follow pointers
        # without asking which stores may be read, and hand out receipts that only it can settle.
        sqs = client("botocore.session").get_session().create_client("sqs", region_name=region, config=config)
    read_at_once(sqs)
    return sqs


def send_dead_letter(sqs: Any, url: str, body: bytes | str, attributes: dict[str, Any], reason: str, group: str) -> None:
    """Puts a message on the queue for dead letters."""
    # Ten are allowed. Without its size, a pointer would be none to AWS's extended clients.
    first = sorted(attributes, key=lambda name: name not in SIZES)[:9]
    kept = {
        name: {part: value for part, value in attributes[name].items() if part in ("DataType", "StringValue", "BinaryValue")}
        for name in first
    }
    # SQS takes the characters that XML allows.
    text = re.sub(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", reason)[:1000] or "rejected"
    kept[REASON] = {"DataType": "String", "StringValue": text}
    more: dict[str, Any] = {"MessageGroupId": group} if url.endswith(".fifo") else {}
    if more:
        from hashlib import sha256

        whole = body.encode() if isinstance(body, str) else body
        more["MessageDeduplicationId"] = sha256(whole + reason.encode("utf-8", "replace")).hexdigest()
    sqs.send_message(
        QueueUrl=url, MessageBody=body if isinstance(body, str) else body.decode(), MessageAttributes=kept, **more
    )


class SqsSource:
    """A standard or FIFO queue."""

    batch = 10
    receivers = 64
    longest = 12 * 3600.0
    counts = True
    """`False` where the queue has no redrive policy: an event that fails would come for ever."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url, self._region = queue_url(url)
        self._given = queue_url(settings.dead_letter)[0] if settings.dead_letter is not None else None
        self._dead_letter = self._given
        self.name = url.partition("?")[0]
        self._asked_for = ["ApproximateReceiveCount", *(["MessageGroupId"] if self._url.endswith(".fifo") else [])]
        self._sqs: Any = None

    def open(self) -> None:
        self._sqs = connect(self._region)
        try:
            found = self._queue_of_dead_letters()
        except Exception as error:
            if self._given is None:
                cure = "give Consumer the URL of a queue as dead_letter"
                raise ConsumerError(f"{self.name}: its queue for dead letters cannot be found: {error}; {cure}") from error
            log.warning("%s: its redrive policy cannot be read, so the consumer counts by itself: %s", self.name, error)
            found = None
        self.counts = found is not None
        self._dead_letter = self._given or found
        if self._dead_letter is None:
            cure = "give Consumer the URL of a queue as dead_letter"
            raise ConsumerError(f"{self.name} has no queue for dead letters, and a handler may reject an event: {cure}")

    def _queue_of_dead_letters(self) -> str | None:
        """The queue of the redrive policy."""
        answer = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["RedrivePolicy"])
        policy = answer.get("Attributes", {}).get("RedrivePolicy")
        if not policy:
            return None
        arn: str = json.loads(policy)["deadLetterTargetArn"]
        account, name = arn.split(":")[-2:]
        # In the same region, as AWS wants it. To ask for its URL would need a permission on it that nothing else needs.
        return f"{self._url.rsplit('/', 2)[0]}/{account}/{name}"

    def receive(self, most: int, visibility: float, wait: float) -> tuple[list[Message], list[str]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=max(1, min(10, most)),
            VisibilityTimeout=round(visibility),
            WaitTimeSeconds=min(20, ceil(wait)),
            AttributeNames=self._asked_for,
            MessageAttributeNames=["All"],
        )
        messages = [
            Message(
                one,
                one["Body"],
                int(one.get("Attributes", {}).get("ApproximateReceiveCount", 0)),
                size_in(one.get("MessageAttributes", {}), "StringValue"),
            )
            for one in answer.get("Messages", ())
        ]
        return messages, []

    def wake(self) -> None:
        """A receive of SQS cannot be ended early."""

    def ack(self, messages: Sequence[Message]) -> int:
        return self._each(self._sqs.delete_message_batch, messages)

    def _each(self, call: Any, messages: Sequence[Message], **more: Any) -> int:
        failed = 0
        for start in range(0, len(messages), 10):
            entries = [
                {"Id": str(at), "ReceiptHandle": message.receipt["ReceiptHandle"], **more}
                for at, message in enumerate(messages[start : start + 10])
            ]
            answer = call(QueueUrl=self._url, Entries=entries)
            failed += len(answer.get("Failed", ()))
        return failed

    def retry(self, messages: Sequence[Message], delay: float) -> None:
        self.extend(messages, delay)

    def extend(self, messages: Sequence[Message], visibility: float) -> None:
        seconds = min(int(self.longest), max(0, round(visibility)))
        self._each(self._sqs.change_message_visibility_batch, messages, VisibilityTimeout=seconds)

    def reject(self, message: Message, reason: str) -> None:
        assert self._dead_letter is not None
        attributes = message.receipt.get("MessageAttributes", {})
        group = message.receipt.get("Attributes", {}).get("MessageGroupId", "labelrelay")
        send_dead_letter(self._sqs, self._dead_letter, message.body, attributes, reason, group)
        self.ack([message])

    def close(self) -> None:
        sqs, self._sqs = self._sqs, None
        if sqs is not None:
            sqs.close()
