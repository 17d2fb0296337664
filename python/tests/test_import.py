"""The package costs a program nothing that it does not use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import labelrelay
import pytest

PACKAGE = Path(labelrelay.__file__).parents[1]


def seconds(code: str) -> float:
    """Processor time of a Python that runs `code`: what others do at the same time does not count."""
    resource = pytest.importorskip("resource")
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE), "PYTHONDONTWRITEBYTECODE": ""}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return float(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


@pytest.mark.parametrize(
    ("code", "most"),
    [
        ("import labelrelay", 1.5),
        # `dataclasses` and `json` are three quarters of it. (A machine that starts Python in 15 ms: 50 ms is 3.3.)
        ("from labelrelay import parse, Changed, Removed, Box; parse", 8),
    ],
)
def test_importing_it_takes_little_more_than_starting_python(code: str, most: float) -> None:
    seconds(code)  # compiles it
    bare = sorted(seconds("pass") for _ in range(9))[4]
    taken = sorted(seconds(code) for _ in range(9))[4]
    print(f"{code}: {taken * 1000:.1f} ms of processor time, {bare * 1000:.1f} for nothing")
    assert taken < bare * most


def test_nothing_is_imported_before_it_is_used() -> None:
    code = """
import sys
before = set(sys.modules)
import labelrelay
assert set(sys.modules) - before == {"labelrelay"}, set(sys.modules) - before
labelrelay.find_program
assert "json" not in sys.modules and "dataclasses" not in sys.modules
labelrelay.Mask
assert "numpy" not in sys.modules
"""
    seconds(code)


def test_every_name_is_there() -> None:
    for name in labelrelay.__all__:
        if name != "__version__":  # only an installed package has one
            assert getattr(labelrelay, name) is not None
    assert dir(labelrelay) == labelrelay.__all__
    with pytest.raises(AttributeError):
        getattr(labelrelay, "nothing")
