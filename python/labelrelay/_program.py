"""Finds the program of the installation that this module belongs to, and no other on the PATH."""

from __future__ import annotations

import os
import sys
import sysconfig
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "labelrelay" + (sysconfig.get_config_var("EXE") or "")


def find_program() -> str:
    """The path of the program `labelrelay`.

    Raises FileNotFoundError if the installation has lost it.
    """
    looked: list[str] = []
    for path in _places():
        if os.path.isfile(path):
            return path
        if path not in looked:
            looked.append(path)
    raise FileNotFoundError(
        "the program labelrelay is not in this installation; looked at %s. "
        "Install it again: pip install --force-reinstall labelrelay" % ", ".join(looked)
    )


def _places() -> Iterator[str]:
    from importlib.metadata import PackageNotFoundError, distribution

    package = os.path.dirname(os.path.abspath(__file__))
    # `pip install --target` puts it into `bin` beside the package, and its record names another place.
    yield os.path.join(os.path.dirname(package), "bin", NAME)
    try:
        for file in distribution("labelrelay").files or ():
            if file.name == NAME:
                yield os.path.abspath(str(file.locate()))
    except PackageNotFoundError:
        pass
    yield os.path.join(sysconfig.get_path("scripts"), NAME)


def run() -> NoReturn:
    """Becomes the program, with the arguments of this process."""
    try:
        program = find_program()
    except FileNotFoundError as error:
        sys.exit("labelrelay: %s" % error)
    arguments = [program] + sys.argv[1:]
    if os.name != "nt":
        os.execv(program, arguments)
    # Windows cannot replace a process: this one waits, and an interrupt is for the program.
    import signal
    import subprocess

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(subprocess.call(arguments))
