"""What AWS Lambda calls a function with: events of SQS, EventBridge Pipes over SQS, and Pub/Sub's pushes."""

from __future__ import annotations

import logging
from base64 import b64decode
from time import sleep
from typing import TYPE_CHECKING, Any, cast

from ._handling import Busy, Done, Held, Rejected, Unreadable
from ._sources import Message
from .errors import ConsumerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._handling import Handling
    from ._stats import Counters
    from .changes import Change

log = logging.getLogger("labelrelay")

RESERVE = 2.0
"""Seconds before the function's own end at which it answers."""


def seconds_left(context: object) -> float:
    """Seconds until the function is ended."""
    left: Any = getattr(context, "get_remaining_time_in_millis", None)
    return float(left()) / 1000 if left is not None else 60.0


class Invocation:
    """One call of the function."""

    def __init__(
        self,
        handling: Handling,
        handle: Callable[[Change], None],
        counters: Counters,
        dead_letter: str | None,
        context: object,
    ) -> None:
        self._handling = handling
        self._handle = handle
        self._counters = counters
        self._dead_letter = dead_letter
        self._context = context

    def answer(self, event: Mapping[str, Any] | list[Any]) -> dict[str, Any]:
        """Handles the event. Raises `ConsumerError` for one of another kind."""
        if isinstance(event, list):  # EventBridge Pipes
            return self._records(event)
        if isinstance(event.get("Records"), list):
            return self._records(event["Records"])
        if isinstance(event.get("message"), dict) and "subscription" in event:
            return self._push(event["message"])
        if "requestContext" in event or "httpMethod" in event:
            raise ConsumerError(
                "a request over HTTP is not handled: nothing says who sent it. Let its token be verified, and give"
                " lambda_handler the push itself, {'message': …, 'subscription': …}"
            )
        raise ConsumerError("the function was called with no event of SQS, of EventBridge Pipes or of a Pub/Sub push")

    def _records(self, records: list[Any]) -> dict[str, Any]:
        failed: list[dict[str, str]] = []
        for record in cast("list[dict[str, Any]]", records):
            if record.get("eventSource") != "aws:sqs" or not isinstance(record.get("body"), str):
                raise ConsumerError(f"a record is of {record.get('eventSource')!r}, and not of SQS")
            receives = int(record.get("attributes", {}).get("ApproximateReceiveCount", 0))
            if not self._is_done(Message(record, record["body"], receives)):
                failed.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failed}

    def _push(self, message: dict[str, Any]) -> dict[str, Any]:
        body = b64decode(message.get("data", ""))
        return {"statusCode": 204 if self._is_done(Message(None, body, 0)) else 503}

    def _is_done(self, message: Message) -> bool:
        """Handles one event; `False` if it is to come again."""
        self._counters.add("received")
        held = Held(message)
        while isinstance(outcome := self._handling.work(held, self._handle), Busy):
            if seconds_left(self._context) < RESERVE:
                log.warning("event %s: another process is handling %s; it comes again", held.name, outcome.key)
                self._counters.add("retried")
                return False
            sleep(0.1)
        if isinstance(outcome, Done):
            self._counters.add("acknowledged")
            return True
        if isinstance(outcome, Unreadable):
            name = type(outcome.error).__name__
            self._counters.add_unreadable(name)
            where = outcome.event or f"a message of {len(message.body)} bytes"
            log.error("event %s: %s: %s; it is left for the dead letters", where, name, outcome.error.reason)
            return False
        if isinstance(outcome, Rejected) and self._dead_letter is not None and message.receipt is not None:
            self._reject(message, outcome.reason)
            log.warning("event %s: to the dead letters: %s", outcome.event, outcome.reason)
            self._counters.add("rejected")
            self._counters.add("acknowledged")
            return True
        log.warning("event %s: %s; it comes again after the queue's visibility timeout", outcome.event, outcome.reason)
        self._counters.add("retried")
        return False

    def _reject(self, message: Message, reason: str) -> None:
        from ._source_sqs import connect, queue_url, send_dead_letter

        assert self._dead_letter is not None
        url, region = queue_url(self._dead_letter)
        record = message.receipt
        attributes = {
            name: {"DataType": one["dataType"], "StringValue": one["stringValue"]}
            for name, one in record.get("messageAttributes", {}).items()
            if "stringValue" in one
        }
        group = record.get("attributes", {}).get("MessageGroupId", "labelrelay")
        send_dead_letter(connect(region), url, message.body, attributes, reason, group)
