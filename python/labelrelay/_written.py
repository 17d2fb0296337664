"""Keys as text, for the states that keep them in a database."""

from __future__ import annotations

import json
from functools import lru_cache

from .changes import Key


@lru_cache(10_000)
def written(key: Key) -> str:
    """A key as text: ASCII, for every database."""
    return json.dumps(key)


def key_of(name: str) -> Key:
    """The key that was written so."""
    return Key(*json.loads(name))


@lru_cache(10_000)
def written_all(keys: tuple[Key, ...]) -> str:
    """Several keys as text."""
    return json.dumps(keys)


@lru_cache(10_000)
def keys_of(names: str) -> tuple[Key, ...]:
    """The keys that were written so."""
    return tuple(Key(*key) for key in json.loads(names)) if names != "[]" else ()
