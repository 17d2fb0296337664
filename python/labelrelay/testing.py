"""Tries handlers on recorded events, without a queue.

    from labelrelay.testing import deliver, sample

    assert deliver(relay, sample("label-studio/brush")).outcome == "done"
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ._held import Busy, Done, Held, Rejected, Unreadable
from ._sources import Message
from .state import MemoryState

if TYPE_CHECKING:
    from .changes import Change
    from .consumer import Consumer
    from .state import State

_SAMPLES = Path(__file__).parent / "samples"


@dataclass(frozen=True, slots=True)
class Delivered:
    """An event that was handled, or was not."""

    outcome: Literal["done", "again", "rejected", "unreadable"]
    """`done`: it is acknowledged. `again`: it comes again. `rejected`: a handler sent it to the dead letters. `unreadable`:
    it is left for them."""
    reason: str
    """Why, unless it is done."""
    changes: tuple[Change, ...]
    """Changes with which the handlers were called, those that failed too."""


def samples() -> list[str]:
    """Names of all samples."""
    return sorted(str(path.relative_to(_SAMPLES).with_suffix("").as_posix()) for path in _SAMPLES.rglob("*.json"))


def sample(name: str) -> bytes:
    """A recorded event, as a queue gives it. `samples` lists them."""
    if name not in samples():
        raise KeyError(f"{name!r} is no sample; there are {', '.join(samples())}")
    return (_SAMPLES / f"{name}.json").read_bytes()


def deliver(consumer: Consumer, message: bytes | str, *, state: State | None = None) -> Delivered:
    """Hands an event to the handlers of `consumer`, by the rules by which `run` does.

    The consumer's own state and queue are not touched: with one `MemoryState` for several calls, repeats and stale
    versions are known.
    """
    changes: list[Change] = []

    def handle(change: Change) -> None:
        changes.append(change)
        consumer.handle(change)

    held = Held(Message(None, message, 1))
    outcome = consumer.handling_over(MemoryState() if state is None else state).work(held, handle)
    make = partial(Delivered, changes=tuple(changes))
    if isinstance(outcome, Done):
        return make("done", "")
    if isinstance(outcome, Busy):
        return make("again", f"another process is handling {outcome.key}")
    if isinstance(outcome, Unreadable):
        return make("unreadable", f"{type(outcome.error).__name__}: {outcome.error}")
    return make("rejected" if isinstance(outcome, Rejected) else "again", outcome.reason)
