"""Code in the documents runs as it is printed."""

from __future__ import annotations

from typing import Any

import pytest
from plain import CHANGES, FIXTURES

ROOT = FIXTURES.parents[1]


def code_in(document: str) -> str:
    _, _, rest = (ROOT / document).read_text(encoding="utf-8").partition("```python\n")
    return rest.partition("```")[0]


def test_the_example_of_changes(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(code_in("docs/changes.md"), names)
    for fixture in ("ls_annotation_created", "ls_annotations_deleted", "ls_annotation_named", "lb_v2_deleted"):
        names["handle"]((CHANGES / f"{fixture}.json").read_bytes())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "there /label-studio annotation 2 20261121T094710.371842000Z ['box', 'box']"
    assert lines[1] == "gone /label-studio annotation 3 body"
    assert lines[-1] == "gone /labelbox label clvo7b02m01p807znd5bwfr2v header"
    assert len(lines) == 1 + 10 + 1


def test_the_example_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(code_in("crates/cli/README.md"), names)
    names["handle"]((CHANGES / "ls_task_deleted.json").read_bytes())
    assert capsys.readouterr().out.startswith("Key(source='/label-studio', kind='task', id='1') Removed(")
