"""Changes: what an event says of each thing that it names."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, TypeAlias, Union

from ._time import version
from .errors import UnknownPayload
from .records import Annotation

if TYPE_CHECKING:
    from .attributes import Attributes
    from .records import Record
    from .refetch import Fetch


class Key(NamedTuple):
    """Names a thing: the source that it is in, its kind, and its id on the platform."""

    source: str
    kind: str
    id: str


class Order(Enum):
    """Comparison of two versions of one thing."""

    NEWER = "newer"
    """The greater version is the newer one, and equal versions are the same."""

    UNKNOWN = "unknown"
    """There is no version, or it is in whole seconds, so that equal ones may differ, or the platform does not say what
    happened. Where a comparison does not settle it, ask the platform."""


class By(Enum):
    """Who says that a thing is gone."""

    BODY = "body"
    """The body, which the sender's credential covers."""
    HEADER = "header"
    """A header too, which nobody signed: let it destroy nothing that you cannot get back."""
    PARENT = "parent"
    """The removal of several things, or of what held it."""
    PULL = "pull"
    """The platform's API, which no longer has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A thing that is there, in this version."""

    key: Key
    version: str | None
    """Compares as a string; `None` if the platform gives none."""
    order: Order
    parents: tuple[Key, ...]
    """Keys of the things that hold it, nearest first, as far as the body says."""
    record: Record | None
    """Its contents; `None` if the body only names it."""
    attributes: Attributes = field(repr=False, compare=False)
    """Those of the event."""
    fetch: Fetch | None = field(default=None, repr=False, compare=False)
    """Asks the platform, if the consumer was told how."""

    is_removal: ClassVar[Literal[False]] = False

    @property
    def annotation(self) -> Annotation:
        """The record of an annotation or label. Raises `UnknownPayload` if this is none, or the body only names it."""
        if isinstance(self.record, Annotation):
            return self.record
        problem = "the body only names it" if self.record is None else f"it is of kind {self.key.kind}"
        raise UnknownPayload(f"{self.key.kind} {self.key.id} has no annotation: {problem}", self.attributes.id)

    def refetch(self) -> Change:
        """The thing as the platform has it now. Raises `RefetchError`, and what the reader raises."""
        from .refetch import refetched

        return refetched(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A thing that is gone, with everything that has it among its `parents`, in every version up to `until`."""

    key: Key
    by: By
    parents: tuple[Key, ...]
    attributes: Attributes = field(repr=False, compare=False)
    """Those of the event."""
    fetch: Fetch | None = field(default=None, repr=False, compare=False)
    """Asks the platform, if the consumer was told how."""

    is_removal: ClassVar[Literal[True]] = True

    @property
    def until(self) -> str:
        """The version of a thing that was made when the relay received the removal. A later version is another thing
        with the same id: on SQLite, Label Studio gives the id of its newest task or annotation again.
        """
        made = version(self.attributes.receivedtime)
        # A time that is none hides nothing that was removed: `~` is after every version.
        return made[0] if made else "~"

    def takes(self, key: Key, parents: tuple[Key, ...] = (), version: str | None = None) -> bool:
        """Tells whether the thing `key`, held by `parents`, is gone with this in this `version`."""
        return (key == self.key or self.key in parents) and (version or "") <= self.until

    def refetch(self) -> Change:
        """The thing as the platform has it now. Raises `RefetchError`, and what the reader raises."""
        from .refetch import refetched

        return refetched(self)


Change: TypeAlias = Union[Changed, Removed]
