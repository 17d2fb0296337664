"""What AWS Lambda calls a function with: events of SQS, EventBridge Pipes over SQS, and Pub/Sub's pushes."""

from __future__ import annotations

import logging
from base64 import b64decode
from dataclasses import dataclass
from time import sleep
from typing import TYPE_CHECKING, Any, cast

from ._held import Busy, Done, Held, Rejected, Unreadable, described
from ._pointer import size_in
from ._sources import Message
from .errors import ConsumerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._handling import Handling
    from ._held import Outcome
    from ._stats import Counters
    from .changes import Change

log = logging.getLogger("labelrelay")

RESERVE = 2.0
"""Seconds before the function's own end at which it answers."""


def seconds_left(context: object) -> float:
    """Seconds until the function is ended."""
    left: Any = getattr(context, "get_remaining_time_in_millis", None)
    return float(left()) / 1000 if left is not None else 60.0


@dataclass(frozen=True, slots=True)
class _Record:
    id: str
    group: str | None
    """Group of a FIFO queue, whose messages keep their order."""
    held: Held


class Invocation:
    """One call of the function."""

    def __init__(
        self,
        handling: Handling,
        handle: Callable[[Change], None],
        counters: Counters,
        dead_letter: str | None,
        context: object,
        sync: Callable[[], None],
    ) -> None:
        self._sync = sync
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
        waiting: list[_Record] = []
        for record in cast("list[dict[str, Any]]", records):
            if record.get("eventSource") != "aws:sqs" or not isinstance(record.get("body"), str):
                raise ConsumerError(f"a record is of {record.get('eventSource')!r}, and not of SQS")
            attributes = record.get("attributes", {})
            size = size_in(record.get("messageAttributes") or {}, "stringValue")
            message = Message(record, record["body"], int(attributes.get("ApproximateReceiveCount", 0)), size)
            # A group of a standard queue has no order.
            is_fifo = str(record.get("eventSourceARN", "")).endswith(".fifo")
            group = attributes.get("MessageGroupId") if is_fifo else None
            waiting.append(_Record(record["messageId"], group, Held(message)))
        self._counters.add("received", len(waiting))
        failed = self._failed(waiting)
        if not self._is_synced():
            failed = {one.id for one in waiting}
        return {"batchItemFailures": [{"itemIdentifier": one.id} for one in waiting if one.id in failed]}

    def _failed(self, waiting: list[_Record]) -> set[str]:
        """Handles records, those that have to wait for somebody else last. Returns the ids of those that failed."""
        failed: set[str] = set()
        broken: set[str] = set()
        """Groups of a FIFO queue of which a message failed: a later one must not overtake it."""
        is_first = True
        while waiting:
            busy: list[_Record] = []
            for one in waiting:
                # One record is tried in any case: a function of two seconds would do nothing else.
                outcome: Outcome | Busy | None = None
                if one.group in broken:
                    self._put_off(one, "a message before it in its group failed")
                elif not is_first and seconds_left(self._context) < RESERVE:
                    self._put_off(one, "the function's time is over")
                elif one.group is not None and any(one.group == other.group for other in busy):
                    busy.append(one)
                    continue
                else:
                    outcome = self._handling.work(one.held, self._handle)
                is_first = False
                if isinstance(outcome, Busy):
                    busy.append(one)
                elif outcome is None or not self._is_done(one.held.message, outcome):
                    failed.add(one.id)
                    if one.group is not None:
                        broken.add(one.group)
            if busy:
                sleep(0.1)
            waiting = busy
        return failed

    def _put_off(self, record: _Record, reason: str) -> None:
        log.warning("message %s: %s; it comes again", record.id, reason)
        self._counters.add("retried")

    def _push(self, message: dict[str, Any]) -> dict[str, Any]:
        self._counters.add("received")
        body = b64decode(message.get("data", ""))
        one = _Record(str(message.get("messageId")), None, Held(Message(None, body, 0)))
        failed = self._failed([one])
        return {"statusCode": 204 if self._is_synced() and not failed else 503}

    def _is_synced(self) -> bool:
        """Makes durable what is remembered. Nothing is acknowledged before."""
        try:
            self._sync()
        except Exception as error:
            log.error("the state could not be made durable, and all comes again: %s", described(error))
            return False
        return True

    def _is_done(self, message: Message, outcome: Outcome) -> bool:
        """Counts what became of an event; `False` if it is to come again."""
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
            try:
                self._reject(message, outcome.reason)
            except Exception as error:  # one that cannot be sent must not make the others come again
                log.error("event %s: no dead letter could be sent, it comes again: %s", outcome.event, described(error))
                self._counters.add("retried")
                return False
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
