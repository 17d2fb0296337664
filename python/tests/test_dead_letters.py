"""Settings of dead letters, as the clouds' queues are asked for them: an event that fails must not come for ever."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import labelrelay
import pytest
from labelrelay import _source_pubsub, _source_sqs
from labelrelay._source_pubsub import PubsubSource
from labelrelay._source_sqs import SqsSource
from labelrelay._sources import Settings

QUEUE, DEAD = "sqs://eu-central-1/123456789012/labels", "sqs://eu-central-1/123456789012/dead"
POLICY = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": "arn:aws:sqs:eu-central-1:123456789012:own", "maxReceiveCount": 5})}


class Sqs:
    """Answers as SQS does."""

    def __init__(self, attributes: dict[str, str] | None) -> None:
        self.attributes = attributes
        self.waits: list[int] = []

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        if self.attributes is None:
            raise PermissionError("AccessDenied")
        return {"Attributes": self.attributes} if self.attributes else {}

    def receive_message(self, *, WaitTimeSeconds: int, **_: Any) -> dict[str, Any]:
        self.waits.append(WaitTimeSeconds)
        return {}


@pytest.mark.parametrize(
    ("attributes", "dead_letter", "counts", "words"),
    [
        (POLICY, None, True, ""),
        (POLICY, DEAD, True, ""),
        ({}, DEAD, False, ""),
        (None, DEAD, False, ""),
        ({}, None, None, "no queue for dead letters"),
        (None, None, None, "cannot be found"),
    ],
)
def test_sqs_counts_only_with_a_redrive_policy(
    attributes: dict[str, str] | None, dead_letter: str | None, counts: bool | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs = Sqs(attributes)
    monkeypatch.setattr(_source_sqs, "connect", lambda _: sqs)
    source = SqsSource(QUEUE, Settings(dead_letter=dead_letter, program=None))
    if counts is None:
        with pytest.raises(labelrelay.ConsumerError, match=words):
            source.open()
        return
    source.open()
    assert source.counts is counts
    named = "dead" if dead_letter else "own"
    assert source._dead_letter == f"https://sqs.eu-central-1.amazonaws.com/123456789012/{named}", "it is not asked for"
    source.receive(1, 60, 0.3)
    source.receive(1, 60, 0)
    assert sqs.waits == [1, 0], "a short wait is no hot loop"


@pytest.mark.parametrize(
    ("topic", "dead_letter", "words"),
    [
        ("projects/p/topics/dead", None, ""),
        ("projects/p/topics/dead", "pubsub://p/other", ""),
        ("", "pubsub://p/other", "come for ever"),
        ("", None, "come for ever"),
        (None, "pubsub://p/other", "roles/pubsub.viewer"),
    ],
)
def test_a_subscription_without_a_policy_is_refused(
    topic: str | None, dead_letter: str | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get_subscription(**_: Any) -> Any:
        if topic is None:
            raise PermissionError("denied")
        return SimpleNamespace(dead_letter_policy=SimpleNamespace(dead_letter_topic=topic))

    subscriber = SimpleNamespace(get_subscription=get_subscription)
    pubsub = SimpleNamespace(SubscriberClient=lambda: subscriber, PublisherClient=lambda: None)
    monkeypatch.setattr(_source_pubsub, "client", lambda _: pubsub)
    source = PubsubSource("pubsub://p/labels", Settings(dead_letter=dead_letter, program=None))
    if words:
        with pytest.raises(labelrelay.ConsumerError, match=words):
            source.open()
    else:
        source.open()
        assert source._topic == ("projects/p/topics/other" if dead_letter else topic)


def test_a_connection_string_of_another_account_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from labelrelay import _azure

    class Service:
        def __init__(self, url: str, _: object = None, name: str | None = None) -> None:
            self.url, self.account_name = url, name

        @classmethod
        def from_connection_string(cls, text: str) -> Service:
            return cls(text)

    monkeypatch.setattr(_azure, "client", lambda _: SimpleNamespace(DefaultAzureCredential=object))
    for connection, is_used in [
        ("https://labels.queue.core.windows.net", True),
        ("http://127.0.0.1:10001/labels", True),
        ("https://labelsold.queue.core.windows.net", False),
    ]:
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection)
        assert (_azure.service(Service, "queue", "labels").url == connection) is is_used
