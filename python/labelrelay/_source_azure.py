"""A queue of Azure Storage, by the official client."""

from __future__ import annotations

import json
import re
import threading
from base64 import b64decode, b64encode
from dataclasses import dataclass
from time import sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ._azure import service
from ._held import described
from ._official import client
from ._sources import Message
from .errors import ConsumerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._sources import Settings

_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,62}").fullmatch
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}").fullmatch

REASON = "deadreason"
"""Attribute of a dead letter that says why it is one."""

MOST_BYTES = 64 * 1024
"""Bytes of a message, as it is sent."""


@dataclass(slots=True)
class _Receipt:
    id: str
    receipt: str
    text: str
    lock: threading.Lock
    """An extension gives another receipt: nothing else may use the old one meanwhile."""
    is_over: bool = False


class AzureSource:
    """It has no dead letters of its own: the consumer counts, and puts them into the queue's name with `-poison`."""

    batch = 32
    receivers = 8
    longest = 7 * 86_400.0
    counts = False

    def __init__(self, url: str, settings: Settings) -> None:
        self.name = url.partition("?")[0]
        self._url = url
        parts = urlsplit(url)
        if parts.scheme == "azure-queue":
            self._account, queue = parts.netloc, parts.path.strip("/")
        else:
            self._account, queue = "", parts.path.strip("/").rpartition("/")[2]
        if not _NAME(queue) or (parts.scheme == "azure-queue" and not _ACCOUNT(self._account)):
            raise ConsumerError(f"{self.name!r} is no queue of Azure Storage; write azure-queue://ACCOUNT/QUEUE")
        dead = settings.dead_letter or f"{queue}-poison"
        dead = dead.rpartition("/")[2] if dead.startswith("azure-queue://") else dead
        if not _NAME(dead):
            raise ConsumerError(f"dead_letter: {dead!r} is no name of a queue in the same account")
        self._names = queue, dead
        self._queue: Any = None
        self._poison: Any = None

    def open(self) -> None:
        storage = client("azure.storage.queue")
        errors = client("azure.core.exceptions")
        self._missing = errors.ResourceNotFoundError
        self._refused = errors.HttpResponseError
        if self._account:
            account = service(storage.QueueServiceClient, "queue", self._account)
        else:
            bare, _, query = self._url.partition("?")
            credential = None if query else client("azure.identity").DefaultAzureCredential()
            account = storage.QueueServiceClient(bare.rpartition("/")[0] + (f"?{query}" if query else ""), credential)
        self._queue, self._poison = (account.get_queue_client(name) for name in self._names)
        self._look_for(self._queue, f"{self.name}: there is no such queue")
        make = f"make it (az storage queue create --name {self._names[1]}), or give Consumer another name as dead_letter"
        self._look_for(self._poison, f"{self.name}: there is no queue {self._names[1]} for dead letters; {make}")

    def _look_for(self, queue: Any, words: str) -> None:
        """Raises `ConsumerError` with these words if there is no such queue: every receive would fail, or every reject."""
        try:
            queue.get_queue_properties()
        except self._missing as error:
            raise ConsumerError(words) from error
        except Exception as error:
            # Whoever may receive or send may not be allowed to look.
            if getattr(error, "status_code", None) != 403:
                raise ConsumerError(f"{self.name} cannot be looked at: {described(error)}") from error

    def receive(self, most: int, visibility: float, wait: float) -> tuple[list[Message], list[str]]:
        # It has no long poll. A look costs as much as any other request, so an empty queue is looked at seldom.
        pages = self._queue.receive_messages(
            messages_per_page=max(1, min(32, most)), max_messages=max(1, min(32, most)), visibility_timeout=round(visibility)
        )
        messages = [
            Message(_Receipt(one.id, one.pop_receipt, one.content, threading.Lock()), _decoded(one.content), one.dequeue_count)
            for one in pages
        ]
        if not messages and wait > 0:
            sleep(min(wait, 1.0))
        return messages, []

    def wake(self) -> None:
        """It waits for a second at most."""

    def _each(self, call: Callable[[_Receipt], bool], messages: Sequence[Message]) -> int:
        """Calls for every message: one that is refused takes no other along. A service that does not answer is not asked for
        each. Returns for how many the answer was no."""
        refused: list[Exception] = []
        noes = 0
        for message in messages:
            try:
                noes += not call(message.receipt)
            except self._refused as error:
                refused.append(error)
        if refused:
            raise refused[0]
        return noes

    def ack(self, messages: Sequence[Message]) -> int:
        return self._each(self._delete, messages)

    def _delete(self, receipt: _Receipt) -> bool:
        with receipt.lock:
            receipt.is_over = True
            try:
                self._queue.delete_message(receipt.id, receipt.receipt)
            except self._missing:
                return False
            return True

    def retry(self, messages: Sequence[Message], delay: float) -> None:
        self._each(lambda receipt: self._give_back(receipt, delay), messages)

    def _give_back(self, receipt: _Receipt, delay: float) -> bool:
        is_hidden = self._hide(receipt, delay)
        receipt.is_over = True
        return is_hidden

    def _hide(self, receipt: _Receipt, seconds: float) -> bool:
        """Hides a message for so long; `False` if it is not ours any more."""
        with receipt.lock:
            if not receipt.is_over:
                try:
                    changed = self._queue.update_message(
                        receipt.id, receipt.receipt, visibility_timeout=max(0, round(seconds))
                    )
                    receipt.receipt = changed.pop_receipt
                except self._missing:
                    receipt.is_over = True  # others received it again
            return not receipt.is_over

    def extend(self, messages: Sequence[Message], visibility: float) -> None:
        self._each(lambda receipt: self._hide(receipt, visibility), messages)

    def reject(self, message: Message, reason: str) -> None:
        self._poison.send_message(_with_reason(message, reason), time_to_live=-1)
        self.ack([message])

    def close(self) -> None:
        for made in (self._queue, self._poison):
            if made is not None:
                made.close()
        self._queue = self._poison = None


def _with_reason(message: Message, reason: str) -> str:
    """The text of a message that says why it is a dead letter: by an attribute of the envelope, since a message of this
    queue has none. Everything behind the first bracket stays as it is."""
    text: str = message.receipt.text
    body = message.body
    if isinstance(body, str) or not body.startswith(b"{"):
        return text
    said = b'{"%s":%s,%s' % (REASON.encode(), json.dumps(reason[:1000]).encode(), body[1:])
    whole = b64encode(said).decode()
    return whole if len(whole) <= MOST_BYTES else text


def _decoded(text: str) -> bytes | str:
    """The envelope. What is no base64 is handed on as it is, and named as what it is: no envelope."""
    try:
        raw = b64decode(text, validate=True)
    except ValueError:
        return text
    return raw if b64encode(raw).decode() == text else text
