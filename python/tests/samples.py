"""The samples in the package are fixtures: `python samples.py` writes them."""

from __future__ import annotations

from pathlib import Path

import labelrelay
from plain import CHANGES

FOLDER = Path(labelrelay.__file__).parent / "samples"

SAMPLES = {
    "label-studio/annotation": "ls_annotation_created",
    "label-studio/annotation-updated": "ls_annotation_updated",
    "label-studio/annotation-deleted": "ls_annotation_deleted",
    "label-studio/annotations-created": "ls_annotations_created",
    "label-studio/annotations-deleted": "ls_annotations_deleted",
    "label-studio/audio": "ls_annotation_audio",
    "label-studio/brush": "ls_annotation_drawn_brush",
    "label-studio/every-kind": "ls_result_of_every_kind",
    "label-studio/keypoint": "ls_annotation_keypoint",
    "label-studio/project": "ls_project_created",
    "label-studio/skipped": "ls_annotation_skipped",
    "label-studio/task": "ls_task_created",
    "label-studio/task-deleted": "ls_task_deleted",
    "label-studio/tasks-imported": "ls_tasks_imported",
    "label-studio/text": "ls_annotation_text",
    "label-studio/training": "ls_training_started",
    "labelbox/label": "lb_v1_created",
    "labelbox/label-deleted": "lb_v1_deleted",
    "labelbox/label-every-kind": "lb_v1_every_kind",
    "labelbox/review": "lb_review",
    "labelbox/row": "lb_v2_created",
    "labelbox/row-every-kind": "lb_v2_every_kind",
    "labelbox/workflow": "lb_workflow_move",
}


def contents(fixture: str) -> bytes:
    return (CHANGES / f"{fixture}.json").read_bytes()


if __name__ == "__main__":
    for name, fixture in SAMPLES.items():
        path = FOLDER / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents(fixture))
