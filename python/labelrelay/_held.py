"""Messages that are not settled yet, and the outcomes that settle them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, Union

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._sources import Message
    from .changes import Change, Key
    from .errors import EventError
    from .event import Event
    from .state import Known


@dataclass(frozen=True, slots=True)
class Done:
    """Every change was handled, or is stale."""

    event: str


@dataclass(frozen=True, slots=True)
class Again:
    """The event is to come again."""

    event: str
    reason: str
    after: float | None = None
    is_its_own: bool = True
    """The event, or the handler of it, is what failed: where the consumer counts, only these make a dead letter of it."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A handler has no use for the event."""

    event: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The event, or its body, cannot be read."""

    event: str | None
    error: EventError


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else is handling this thing: another thread of this process, or another process."""

    key: Key
    is_here: bool


Outcome: TypeAlias = Union[Done, Again, Rejected, Unreadable]


@dataclass(frozen=True, slots=True)
class Under:
    """Things whose removal takes another along."""

    holder: Key
    """What held it."""
    first: Key
    """What the event is about: it held that, however indirectly, or is it."""


@dataclass(slots=True)
class Todo:
    """A change that is not handled yet."""

    change: Change
    under: Under | None = None
    """Of a removal that follows from another."""


@dataclass(slots=True, eq=False)
class Held:
    """A message that was received and is not settled, and how far it is."""

    message: Message
    event: Event | None = None
    name: str = ""
    """Names the event among those that were handled: its id, and when it was sent again."""
    todo: deque[Todo] = field(default_factory=deque["Todo"])
    followed: set[Key] = field(default_factory=set["Key"])
    """Things that are gone, and what they held is in `todo`, or was."""
    entered: Mapping[Key, Known] | None = None
    """What was known when the thing of the first change was taken, if that was done ahead."""
    entered_at: float = 0.0
    """Time of the monotonic clock at which that was done."""
    has_waited: bool = False
    """Another event had its thing meanwhile, which may have been this one, sent twice."""
    failure: Exception | None = None
    is_blameless: bool = False
    """What failed is the state, and neither the event nor its handler."""
    was_taken: Key | None = None
    """The thing that another process took over before its lease was ended here."""
    is_settled: bool = False
    """Nothing may extend it any more: that would undo the delay of a retry."""
    hidden_until: float = 0.0
    """Time of the monotonic clock until which nobody else receives the message."""


def name_of(event: Event) -> str:
    """Names an event among those that were handled."""
    attributes = event.attributes
    return attributes.id + (f"@{attributes.replayedtime}" if attributes.replayedtime else "")


def described(error: BaseException) -> str:
    """An exception in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def taken_over(key: Key) -> str:
    """Words for a lease that ran out."""
    return f"another process took over {key.kind} {key.id}: this one was slow to keep it"
