"""Errors of reading: each says which event it was, and what was wrong with it.

None of them is a `ValueError` or a `KeyError`, so that a handler's own faults are never taken for one.
"""

from __future__ import annotations


class EventError(Exception):
    """An event, or a part of one, that cannot be read. The bytes stay on the queue: nothing is lost by it."""

    def __init__(self, reason: str, event_id: str | None = None) -> None:
        super().__init__(reason, event_id)
        self.reason = reason
        self.event_id = event_id

    def __str__(self) -> str:
        return self.reason if self.event_id is None else f"event {self.event_id}: {self.reason}"


class MalformedEnvelope(EventError):
    """The message is no envelope: no JSON object, or without what every envelope has."""


class LaterEnvelope(EventError):
    """The envelope is of a later version than this package knows. A newer package reads it."""


class EnvelopeClaimed(EventError):
    """The message is a pointer to the envelope in S3, as AWS's extended clients of SQS write it: `dataref` says where."""

    def __init__(self, reason: str, event_id: str | None = None, dataref: str = "") -> None:
        super().__init__(reason, event_id)
        self.args = (reason, event_id, dataref)
        self.dataref = dataref


class BodyClaimed(EventError):
    """The body is in the blob store: `dataref` says where. Fetch it, and give it to `Event.with_body`."""

    def __init__(self, reason: str, event_id: str | None = None, dataref: str = "") -> None:
        super().__init__(reason, event_id)
        self.args = (reason, event_id, dataref)
        self.dataref = dataref


class BytesLost(EventError):
    """The sender's bytes were lost before `parse`: it was given a `dict`, or text that was not decoded as UTF-8."""


class DigestMismatch(EventError):
    """The body is not what the sender sent: its SHA-256 is not `datasha256`."""


class NotJson(EventError):
    """The body is no JSON, as RFC 8259 has it, in UTF-8."""


class TooDeep(EventError):
    """The body is nested deeper than 500 levels."""


class UnknownPayload(EventError):
    """The body has no shape that this package knows. It was verified; a newer package may know it."""


class PayloadMissing(EventError):
    """The body names nothing: *Send payload* is off in the platform's webhook."""


class MaskUnreadable(EventError):
    """A mask cannot be decoded: its run lengths are damaged, or it would have more pixels than was allowed."""


class ClaimRefused(EventError):
    """The body, or the whole envelope, is in a blob store that this consumer was not told to read, whatever the message
    says."""


class ClaimGone(EventError):
    """The blob store no longer has the body, or the whole envelope."""


class ClaimDamaged(EventError):
    """The blob store's envelope is not as large as the message says."""


class ConsumerError(Exception):
    """A consumer cannot start, or go on: a setting, a program or a queue that is not there."""


class RefetchError(Exception):
    """The platform was not asked, or gave no answer."""


class Reject(Exception):
    """Raised by a handler: the event is of no use, and goes to the dead letters with this reason."""

    def __init__(self, reason: str = "rejected") -> None:
        super().__init__(reason)
        self.reason = reason


class Retry(Exception):
    """Raised by a handler: the event is to come again, `after` so many seconds.

    Without `after` it comes again as after any other exception. Each time counts against the queue's own limit of
    receives.
    """

    def __init__(self, after: float | None = None, reason: str = "asked for again") -> None:
        if after is not None and not 0 <= after < float("inf"):
            raise ValueError(f"after is {after!r}: give the seconds to wait")
        super().__init__(after, reason)
        self.after = after
        self.reason = reason

    def __str__(self) -> str:
        return self.reason
