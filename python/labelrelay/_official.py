"""Official clients of the clouds, imported when a setting needs them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .errors import ConsumerError

_EXTRAS = {"boto3": "aws", "botocore": "aws", "google": "google", "azure": "azure", "psycopg": "postgres"}


def client(module: str) -> Any:
    """The module of that name. Raises `ConsumerError`, which says how to install it."""
    try:
        return import_module(module)
    except ImportError as error:
        extra = _EXTRAS[module.partition(".")[0]]
        raise ConsumerError(f"{module} is needed: pip install 'labelrelay[{extra}]' ({error})") from error
