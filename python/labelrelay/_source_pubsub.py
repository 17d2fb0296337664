"""A subscription of Pub/Sub, by the official client."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ._official import client
from ._sources import Message
from .errors import ConsumerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._sources import Settings

REASON = "labelrelay-reason"
"""Attribute of a dead letter that says why it is one."""

_URL = re.compile(r"pubsub://([A-Za-z0-9._~+:-]+)/([A-Za-z][A-Za-z0-9._~+-]{2,254})").fullmatch


def _resource(url: str, what: str, kind: str) -> str:
    parts = _URL(url)
    if parts is None:
        raise ConsumerError(f"{what}{url!r} is no {kind} of Pub/Sub; write pubsub://PROJECT/{kind.upper()}")
    return f"projects/{parts[1]}/{kind}s/{parts[2]}"


class PubsubSource:
    """Pulls; a stream of messages would decide by itself how many it holds."""

    batch = 100
    receivers = 4
    longest = 600.0
    counts = True

    def __init__(self, url: str, settings: Settings) -> None:
        self.name = url
        self._subscription = _resource(url, "", "subscription")
        dead = settings.dead_letter
        self._topic = _resource(dead, "dead_letter: ", "topic") if dead is not None else None
        self._subscriber: Any = None
        self._publisher: Any = None

    def open(self) -> None:
        pubsub = client("google.cloud.pubsub_v1")
        self._errors = client("google.api_core.exceptions")
        self._subscriber = pubsub.SubscriberClient()
        # Pub/Sub says how often it delivered a message only where there is a policy, and without one an event that fails
        # would come for ever.
        cure = "give the subscription a dead-letter policy (gcloud pubsub subscriptions update --dead-letter-topic=TOPIC)"
        try:
            found = self._subscriber.get_subscription(request={"subscription": self._subscription})
        except Exception as error:
            may = "the consumer needs pubsub.subscriptions.get (roles/pubsub.viewer)"
            raise ConsumerError(f"{self.name}: its dead-letter policy cannot be read: {error}; {may}") from error
        topic = found.dead_letter_policy.dead_letter_topic or None
        if topic is None:
            raise ConsumerError(f"{self.name} has no topic for dead letters, so an event that fails would come for ever: {cure}")
        self._topic = self._topic or topic
        self._publisher = pubsub.PublisherClient()

    def receive(self, most: int, visibility: float, wait: float) -> tuple[list[Message], list[str]]:
        try:
            answer = self._subscriber.pull(
                request={"subscription": self._subscription, "max_messages": max(1, most)},
                timeout=max(1.0, wait),
                retry=None,
            )
        except (self._errors.DeadlineExceeded, self._errors.RetryError):
            return [], []
        messages = [
            Message(
                (one.ack_id, dict(one.message.attributes), one.message.ordering_key), one.message.data, one.delivery_attempt
            )
            for one in answer.received_messages
        ]
        if messages:
            # Until now the subscription's own deadline holds, which may be ten seconds.
            self.extend(messages, visibility)
        return messages, []

    def wake(self) -> None:
        """A pull cannot be ended early."""

    def ack(self, messages: Sequence[Message]) -> int:
        self._subscriber.acknowledge(
            request={"subscription": self._subscription, "ack_ids": [one.receipt[0] for one in messages]}
        )
        return 0

    def retry(self, messages: Sequence[Message], delay: float) -> None:
        self.extend(messages, delay)

    def extend(self, messages: Sequence[Message], visibility: float) -> None:
        self._subscriber.modify_ack_deadline(
            request={
                "subscription": self._subscription,
                "ack_ids": [one.receipt[0] for one in messages],
                "ack_deadline_seconds": max(0, min(600, round(visibility))),
            }
        )

    def reject(self, message: Message, reason: str) -> None:
        _, attributes, _ = message.receipt
        # 1,024 bytes are allowed.
        attributes[REASON] = (reason or "rejected").encode("utf-8", "replace")[:1000].decode("utf-8", "ignore")
        body = message.body.encode() if isinstance(message.body, str) else message.body
        self._publisher.publish(self._topic, body, **attributes).result(timeout=60)
        self.ack([message])

    def close(self) -> None:
        subscriber, self._subscriber = self._subscriber, None
        if subscriber is not None:
            subscriber.close()
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.stop()
            publisher.transport.close()
