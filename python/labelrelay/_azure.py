"""Clients of Azure's storage, and who they are."""

from __future__ import annotations

import os
from urllib.parse import urlsplit
from typing import Any

from ._official import client


def service(kind: Any, name: str, account: str) -> Any:
    """A service client of `account`: by AZURE_STORAGE_CONNECTION_STRING if that is set and names this account, else by the
    identity of the machine, of the workload or of whoever is logged in."""
    connection = os.environ.get("AZURE_STORAGE_CONNECTION_STRING")
    if connection:
        made = kind.from_connection_string(connection)
        # The emulator's account is in the path.
        parts = urlsplit(str(made.url))
        names = ((parts.hostname or "").partition(".")[0], parts.path.strip("/").partition("/")[0])
        if made.account_name == account or account in names:
            return made
    identity = client("azure.identity").DefaultAzureCredential()
    return kind(f"https://{account}.{name}.core.windows.net", identity)
