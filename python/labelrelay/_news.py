"""Which changes are news: the rules of "Applying changes" in `docs/changes.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._time import version as version_of
from .changes import Order
from .state import UNKNOWN, Known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._held import Under
    from .changes import Changed, Key, Removed


def dated(change: Changed) -> str | None:
    """The version that a change is compared by. A completion has none of its own, and the id of its task may be given again:
    so the receipt of its event stands for it."""
    if change.version is None and change.key.kind == "completion":
        received = version_of(change.attributes.receivedtime)
        return None if received is None else received[0]
    return change.version


def is_news(change: Changed, known: Mapping[Key, Known]) -> bool:
    """Tells whether a thing came, or is newer than what is known of it and of all that hold it."""
    version = dated(change) or ""
    # `with_parents` found everything that holds it, however indirectly.
    if any(version <= one.until for one in known.values() if one.until):
        return False
    mine = known.get(change.key, UNKNOWN)
    if not mine.is_there or not version or mine.version is None:
        return True
    if version != mine.version:
        return version > mine.version
    return change.order is Order.UNKNOWN or change.attributes.replayedtime is not None


def after(change: Changed, known: Known) -> Known:
    """What is known of a thing once its change is handled."""
    version = dated(change)
    if known.is_there and (version is None or (known.version or "") > version):
        version = known.version
    return Known(version, True, known.until, change.parents or known.parents)


def is_gone(change: Removed, known: Known, under: Under | None) -> bool:
    """Tells whether a removal is news: of what is not there any more, only a removal of its own is. `under` is what held it,
    where the removal follows from that one's."""
    if under is not None and not (known.is_there and is_held(known, under)):
        return False
    return not known.is_there or is_of_before(change, known)


def has_gone(change: Removed, known: Known, under: Under | None) -> bool:
    """Tells whether a thing went with what held it before this. Something that it held may be left: a handler failed then, or
    the process ended."""
    if under is None or known.is_there:
        return False
    return is_held(known, under) and is_of_before(change, known)


def is_held(known: Known, under: Under) -> bool:
    """Tells whether a thing goes with what held it."""
    first = under.first
    if under.holder not in known.parents:
        return False
    # It says itself that another one of that kind holds it: the id of what held it was given again there.
    return first == under.holder or not any(it.kind == first.kind and it != first for it in known.parents)


def is_of_before(change: Removed, known: Known) -> bool:
    """Tells whether what is known is no newer than the removal."""
    return (known.version or "") <= change.until
