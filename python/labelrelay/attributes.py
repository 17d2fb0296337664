"""The attributes of an envelope, without its body."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from ._json import clean
from .errors import LaterEnvelope, MalformedEnvelope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._json import Json

SPEC_VERSION = "1.0"


@dataclass(frozen=True, kw_only=True)
class Attributes:
    """Attributes of an event; `docs/envelope.md` describes each of them."""

    # No slots: `read_attributes` fills in those of an envelope in one step.

    id: str
    source: str
    type: str
    datasha256: str
    receivedtime: str
    specversion: str = SPEC_VERSION
    subject: str | None = None
    time: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    deliveryid: str | None = None
    project: str | None = None
    task: str | None = None
    partitionkey: str | None = None
    sequence: str | None = None
    typefrom: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None
    origin: str | None = None
    replayedtime: str | None = None
    dataref: str | None = None
    extensions: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    """Attributes that this package does not know: those of later versions, and of whoever passed the event on."""

    @property
    def kind(self) -> str:
        """Kind of thing that the event is about: the last word but one of `type`."""
        return self.type.rsplit(".", 2)[-2] if "." in self.type else ""

    @property
    def action(self) -> str:
        """The thing's change: the last word of `type`."""
        return self.type.rsplit(".", 1)[-1]


REQUIRED = ("id", "source", "type", "datasha256", "receivedtime")
OPTIONAL = (
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
    "deliveryid",
    "project",
    "task",
    "partitionkey",
    "sequence",
    "typefrom",
    "traceparent",
    "tracestate",
    "origin",
    "replayedtime",
    "dataref",
)
DATA = ("data", "data_base64")
TEXTS = frozenset(("specversion", *REQUIRED, *OPTIONAL))
KNOWN = TEXTS.union(DATA)


def _texts(named: dict[str, Json], event_id: str | None) -> dict[str, str]:
    """Those that are there. Raises `MalformedEnvelope` for one that is no text."""
    plain = cast("dict[str, str]", named)
    try:
        if all(map(str.isascii, plain.values())):  # nearly always, and told of all at once
            return plain
    except TypeError:
        pass  # one is no text
    texts: dict[str, str] = {}
    for name, value in named.items():
        if isinstance(value, str):
            texts[name] = clean(value)
        elif value is not None:
            raise MalformedEnvelope(f"the attribute {name} is no text", event_id)
    return texts


def read_attributes(members: Mapping[str, Json]) -> Attributes:
    """The attributes among the members of an envelope. Raises `MalformedEnvelope` and `LaterEnvelope`."""
    id = members.get("id")
    event_id = clean(id) if isinstance(id, str) else None
    specversion = members.get("specversion")
    if not isinstance(specversion, str):
        raise MalformedEnvelope("it has no specversion: this is no envelope", event_id)
    if specversion != SPEC_VERSION:
        raise LaterEnvelope(f"specversion is {specversion!r}, this package knows {SPEC_VERSION!r}", event_id)
    known = _texts({name: value for name, value in members.items() if name in TEXTS}, event_id)
    for name in REQUIRED:
        if name not in known:
            raise MalformedEnvelope(f"the attribute {name} is missing", event_id)
    if known.get("typefrom", "body") not in ("body", "header"):
        raise LaterEnvelope(f"typefrom is {known['typefrom']!r}, this package knows body and header", event_id)
    others: dict[str, str] = {}
    if not members.keys() <= KNOWN:
        unknown = [(name, value) for name, value in members.items() if name not in KNOWN]
        others = {clean(name): clean(value) for name, value in unknown if isinstance(value, str)}
    attributes = object.__new__(Attributes)
    # As its `__init__` does it, name by name. What is not there is `None`, the default of the class.
    attributes.__dict__.update(known, extensions=others)
    return attributes
