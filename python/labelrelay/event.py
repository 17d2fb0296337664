"""An event of the queue, read without any I/O."""

from __future__ import annotations

from binascii import Error as Base64Error
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, cast

from ._json import DeepFault, Fault, clean, envelope, read, text_of
from ._pointer import place_of
from .attributes import DATA, KNOWN, Attributes, read_attributes
from .errors import (
    BodyClaimed,
    BytesLost,
    DigestMismatch,
    EnvelopeClaimed,
    EventError,
    LaterEnvelope,
    MalformedEnvelope,
    NotJson,
    TooDeep,
    UnknownPayload,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._json import Json
    from .changes import Change


def parse(
    body: bytes | bytearray | memoryview | str | Mapping[str, object],
    *,
    attributes: Attributes | Mapping[str, str] | None = None,
) -> Event:
    """Reads a message of the queue: an envelope, or the sender's body if its event's `attributes` are given.

    Of the body only as much is read as is needed to find its end. What is wrong with it is said by `Event.payload`,
    `Event.changes` and `Event.verify`, so that an event whose body nobody can read still says which event it is.

    A `dict` has lost the sender's bytes: then `Event.raw` and `Event.verify` raise `BytesLost`.

    Raises `MalformedEnvelope` and `LaterEnvelope`, `EnvelopeClaimed` if the message is a pointer to the envelope (a
    consumer that was given the blob store fetches it), and `TooDeep` if the caller's stack has no room left.
    """
    try:
        return _parse(body, attributes)
    except RecursionError:
        raise TooDeep(_NO_ROOM) from None


_NO_ROOM = "the caller's stack has no room left to read it"


def _parse(body: object, attributes: Attributes | Mapping[str, str] | None) -> Event:
    if attributes is not None:
        known = attributes if isinstance(attributes, Attributes) else _read_given(attributes)
        if isinstance(body, (bytes, bytearray, memoryview)):
            return Event(known, raw=bytes(cast("bytes", body)))
        if isinstance(body, str):
            return Event(known, raw=_encoded(body, known.id))
        return Event(known, payload=dict(cast("dict[str, Json]", body)) if isinstance(body, Mapping) else cast("Json", body))
    if isinstance(body, (bytes, bytearray, memoryview)):
        try:
            text = text_of(bytes(cast("bytes", body)))
        except Fault as fault:
            raise MalformedEnvelope(str(fault)) from None
        return _from_text(text)
    if isinstance(body, str):
        return _from_text(body)
    if not isinstance(body, Mapping):
        raise MalformedEnvelope("it is no JSON object")
    return _from_members(dict(cast("Mapping[str, Json]", body)), None)


def _read_given(attributes: Mapping[str, str]) -> Attributes:
    given: dict[str, Json] = {"specversion": "1.0", **attributes}
    return read_attributes({name: value for name, value in given.items() if name not in DATA})


def _encoded(text: str, event_id: str | None) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        # An escape is plain ASCII: half a pair as a character comes from whoever decoded the message.
        raise BytesLost("half of a surrogate pair stands in the text: it was not decoded as UTF-8", event_id) from None


def _from_text(text: str) -> Event:
    place = None if text.startswith("{") else place_of(text)
    if place is not None:
        raise EnvelopeClaimed(f"the envelope is at {place}: fetch it, and read that", None, place)
    try:
        members, data = envelope(text)
    except Fault as fault:
        raise MalformedEnvelope(f"it is no JSON object: {fault}") from None
    values = dict(members)
    if len(values) != len(members):
        seen: set[str] = set()
        for name, _ in members:
            if name in seen and name in KNOWN:
                raise MalformedEnvelope(f"it has {name} twice", _id_in(values))
            seen.add(name)
    return _from_members(values, data)


def _id_in(values: Mapping[str, Json]) -> str | None:
    id = values.get("id")
    return clean(id) if isinstance(id, str) else None


def _from_members(values: dict[str, Json], data: str | None) -> Event:
    """The event of an envelope's members; `data` is the text of the one of that name, if there is a text."""
    attributes = read_attributes(values)
    base64 = values.get("data_base64")
    if "data" in values and base64 is not None:
        raise MalformedEnvelope("data and data_base64 exclude each other", attributes.id)
    if "data" in values:
        payload = values["data"]
        return Event(attributes, None if data is None else _encoded(data, attributes.id), payload)
    if isinstance(base64, str):
        return Event(attributes, raw=_decoded(base64, attributes.id))
    if base64 is not None:
        raise MalformedEnvelope("data_base64 is no text", attributes.id)
    if attributes.dataref is None:
        raise MalformedEnvelope("it has neither data, data_base64 nor dataref", attributes.id)
    return Event(attributes)


def _decoded(text: str, event_id: str) -> bytes:
    from base64 import b64decode, b64encode

    try:
        raw = b64decode(text, validate=True)
        # Python takes bits after the end, and more than one form of it.
        if b64encode(raw).decode("ascii") == text:
            return raw
    except (Base64Error, ValueError):
        pass
    raise MalformedEnvelope("data_base64 is not base64", event_id)


class _Missing:
    """Stands for a payload that is not known yet. (`None` is one.)"""


_MISSING = _Missing()


class Event:
    """An event: its attributes, the sender's bytes, and the changes that it brings."""

    __slots__ = ("_changes", "_fault", "_payload", "_raw", "attributes")

    def __init__(self, attributes: Attributes, raw: bytes | None = None, payload: Json | _Missing = _MISSING) -> None:
        self.attributes = attributes
        self._raw = raw
        self._payload = payload
        self._changes: tuple[Change, ...] | None = None
        self._fault: tuple[type[EventError], str] | None = None

    def __repr__(self) -> str:
        # A body holds tokens and personal data.
        return f"<labelrelay.Event {self.attributes.type} {self.attributes.subject} {self.attributes.id}>"

    @property
    def id(self) -> str:
        """The event's id: the same for a repeat."""
        return self.attributes.id

    @property
    def is_claimed(self) -> bool:
        """Tells whether the body is in the blob store, and not here."""
        return self._raw is None and isinstance(self._payload, _Missing)

    @property
    def raw(self) -> bytes:
        """The sender's bytes, exactly. Raises `BodyClaimed` and `BytesLost`."""
        if self._raw is not None:
            return self._raw
        if isinstance(self._payload, _Missing):
            dataref = self.attributes.dataref or ""
            raise BodyClaimed(f"its body is at {dataref}: fetch it, and give it to with_body", self.id, dataref)
        raise BytesLost(
            "it was given as a dict, without the sender's bytes: give parse the text of the message", self.id
        )

    @property
    def payload(self) -> Json:
        """The body as `json.loads` would give it, with `Number` where a number is too large for Python.

        Raises `NotJson`, `TooDeep` and `BodyClaimed`.
        """
        if isinstance(self._payload, _Missing):
            raw = self.raw
            if self._fault is None:
                try:
                    self._payload = read(text_of(raw))
                except Fault as fault:
                    # Kept as its text: an exception would keep the caller's whole stack alive.
                    kind = TooDeep if isinstance(fault, DeepFault) else NotJson
                    self._fault = (kind, f"its body cannot be read: {fault}")
            if self._fault is not None:
                error, reason = self._fault
                raise error(reason, self.id)
        return cast("Json", self._payload)

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes that it brings, one for each thing that it names; `docs/changes.md` says how.

        Raises `LaterEnvelope`, `UnknownPayload`, `PayloadMissing`, and what `payload` raises.
        """
        if self._changes is None:
            try:
                self._changes = self._read_changes()
            except RecursionError:
                raise TooDeep(_NO_ROOM, self.id) from None
        return self._changes

    def _read_changes(self) -> tuple[Change, ...]:
        attributes = self.attributes
        if attributes.origin not in (None, "reconcile", "derived"):
            # It decides how the body is read, so one that is not known must not pass for one that is.
            reason = f"origin is {attributes.origin!r}, this package knows reconcile and derived"
            raise LaterEnvelope(reason, attributes.id)
        schema = attributes.dataschema
        if schema is not None and schema not in SCHEMAS:
            raise UnknownPayload(f"the shape {schema} is not known", attributes.id)
        if schema is None and attributes.action == "unrecognized":
            _ = self.payload  # a body that is no JSON is told by an error of its own
            raise UnknownPayload("the relay did not know its shape either; it was verified", attributes.id)
        if attributes.type.startswith("io.labelstud."):
            return _label_studio()(self.payload, attributes)
        if attributes.type.startswith("com.labelbox."):
            return _labelbox()(self.payload, attributes)
        raise UnknownPayload(f"the type {attributes.type} is not known", attributes.id)

    def verify(self) -> None:
        """Raises `DigestMismatch` if the body is not what the sender sent. Raises `BodyClaimed` and `BytesLost`."""
        digest = _sha256()(self.raw)
        if digest != self.attributes.datasha256:
            raise DigestMismatch(f"its body has SHA-256 {digest}, datasha256 is {self.attributes.datasha256}", self.id)

    def with_body(self, body: bytes) -> Event:
        """The same event with a body that was fetched from the blob store. Raises `DigestMismatch`."""
        event = Event(self.attributes, raw=bytes(body))
        event.verify()
        return event


# What most programs never need, or only later, is imported when it is used first. An `import` costs each event, too.


@cache
def _label_studio() -> Callable[[Json, Attributes], tuple[Change, ...]]:
    from ._label_studio import changes_of

    return changes_of


@cache
def _labelbox() -> Callable[[Json, Attributes], tuple[Change, ...]]:
    from ._labelbox import changes_of

    return changes_of


@cache
def _sha256() -> Callable[[bytes], str]:
    from hashlib import sha256

    return lambda data: sha256(data).hexdigest()


SCHEMAS = frozenset(
    f"urn:labelrelay:schema:{name}:1"
    for name in (
        "label-studio-project",
        "label-studio-task",
        "label-studio-task-completed",
        "label-studio-annotation",
        "label-studio-label-link",
        "label-studio-review",
        "label-studio-training",
        "labelbox-label",
        "labelbox-label-v2",
        "labelbox-review",
        "labelbox-workflow",
        "labelbox-model-run",
    )
)
"""The shapes that this package knows."""
