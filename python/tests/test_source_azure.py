"""Storage Queue, where the service refuses single messages. The integration tests have the rest, over Azurite."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import labelrelay
import pytest
from labelrelay import _source_azure
from labelrelay._source_azure import AzureSource, _Receipt
from labelrelay._sources import Message, Settings


class Refused(Exception):
    """The service's answer to a receipt that is none."""

    def __init__(self, words: str, status_code: int | None = None) -> None:
        super().__init__(words)
        self.status_code = status_code


class Missing(Refused):
    """Its answer to one that is no longer good."""


class Queue:
    def __init__(self) -> None:
        self.hidden: list[str] = []
        self.deleted: list[str] = []

    def update_message(self, id: str, receipt: str, *, visibility_timeout: int) -> Any:
        self._look_at(receipt)
        self.hidden.append(id)
        return SimpleNamespace(pop_receipt="next")

    def delete_message(self, id: str, receipt: str) -> None:
        self._look_at(receipt)
        self.deleted.append(id)

    def _look_at(self, receipt: str) -> None:
        if receipt == "refused":
            raise Refused(receipt)
        if receipt == "missing":
            raise Missing(receipt)
        if receipt == "unanswered":
            raise ConnectionError(receipt)


def over(*receipts: str) -> tuple[AzureSource, Queue, list[Message]]:
    source, queue = AzureSource("azure-queue://account/events", Settings(None, None)), Queue()
    source._queue, source._missing, source._refused = queue, Missing, Refused
    messages = [Message(_Receipt(str(at), one, "", threading.Lock()), b"", 1) for at, one in enumerate(receipts)]
    return source, queue, messages


def test_one_that_is_refused_takes_no_other_along() -> None:
    source, queue, messages = over("good", "refused", "missing", "good")
    with pytest.raises(Refused, match="refused"):
        source.extend(messages, 60)
    assert queue.hidden == ["0", "3"]
    with pytest.raises(Refused, match="refused"):
        source.retry(messages, 0)
    assert queue.hidden == ["0", "3", "0", "3"]


def test_those_that_others_received_again_are_counted() -> None:
    source, queue, messages = over("good", "missing", "good")
    assert source.ack(messages) == 1
    assert queue.deleted == ["0", "2"]


def test_a_service_that_does_not_answer_is_not_asked_for_each() -> None:
    source, queue, messages = over("good", "unanswered", "good")
    with pytest.raises(ConnectionError):
        source.extend(messages, 60)
    assert queue.hidden == ["0"]


@pytest.mark.parametrize(
    ("events", "poison", "words"),
    [
        (None, None, ""),
        (Refused("denied", 403), Refused("denied", 403), ""),
        (Missing("none", 404), None, "azure-queue://account/events: there is no such queue"),
        (None, Missing("none", 404), "no queue events-poison for dead letters; make it"),
        (Refused("no credentials"), None, "cannot be looked at: Refused: no credentials"),
        (ConnectionError("no network"), None, "cannot be looked at: ConnectionError: no network"),
    ],
)
def test_a_queue_that_is_not_there_is_told_at_the_start(
    events: Exception | None, poison: Exception | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def queue(name: str) -> Any:
        error = poison if name.endswith("-poison") else events

        def get_queue_properties() -> None:
            if error is not None:
                raise error

        return SimpleNamespace(get_queue_properties=get_queue_properties)

    errors = SimpleNamespace(ResourceNotFoundError=Missing, HttpResponseError=Refused, QueueServiceClient=None)
    monkeypatch.setattr(_source_azure, "client", lambda _: errors)
    monkeypatch.setattr(_source_azure, "service", lambda *_: SimpleNamespace(get_queue_client=queue))
    source = AzureSource("azure-queue://account/events", Settings(None, None))
    if words:
        with pytest.raises(labelrelay.ConsumerError, match=words):
            source.open()
    else:
        source.open()
