"""Samples that Labelbox's documents and SDK print, of every kind of annotation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from labelrelay import Box, Other, Span, Track
from labelrelay._labelbox_label import Marks, read_annotations, read_v1
from plain import FIXTURES

SAMPLES = FIXTURES / "labelbox" / "annotations"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def marks(name: str) -> Marks:
    """Contents of a sample: of the annotations of a label, or of one object or answer."""
    if name.startswith("v1_"):
        return read_v1(json.dumps(sample(name)[-1]["Label"]))
    held = sample(name)
    held = held.get("annotations", held)
    if name.startswith(("docs_", "notebook_")):
        is_answer = any("answer" in member for member in held)
        held = {"classifications" if is_answer else "objects": [held]}
    return read_annotations(held, None)


NAMES = sorted(path.stem for path in SAMPLES.glob("*.json"))

KINDS = {
    "docs_image_bounding_box": ["Box"],
    "docs_image_polygon": ["Polygon"],
    "docs_image_polyline": ["Line"],
    "docs_dicom_polyline": ["Line"],
    "docs_text_entity": ["Span"],
    "docs_text_entity_2023": ["Span"],
    "docs_v1_text_entity": ["Span"],
    "docs_conversational_text_entity": ["Other"],
    "docs_v1_conversational_text_entity": ["Other"],
    "docs_document_bounding_box": ["Other"],
    "docs_v1_geospatial_point": ["Other"],
    "docs_v1_geospatial_rectangle": ["Other"],
    "docs_v1_tiled_box": ["Box"],
    "docs_v1_video_bounding_box": ["Box"],
    "docs_v1_video_point": ["Keypoint"],
    "docs_v1_dicom_frame": ["Other"],
    "notebook_composite_mask": ["Other"],
    "sdk_audio": [],
    "sdk_conversation": ["Other"],
    "sdk_dicom": ["Other"],
    "sdk_document": ["Other", "Other"],
    "sdk_image": ["Polygon", "Box", "Line"],
    "sdk_label_of_video": ["Track"],
    "sdk_text": ["Span"],
    "v1_highly_nested_image": ["Polygon", "Mask", "Keypoint"],
    "v1_image": ["Box"] * 4 + ["Mask"] + ["Polygon"] * 2 + ["Keypoint"] + ["Line"] * 2,
    "v1_pdf": ["Other", "Other"],
    "v1_text": ["Span"] * 4,
    "v1_tiled_image": ["Polygon", "Keypoint", "Line", "Box"],
    "v1_video": ["Other"],
}


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_becomes_what_it_is(name: str) -> None:
    read = marks(name)
    found = [type(region).__name__ for region in read.regions]
    if name in KINDS:
        assert found == KINDS[name]
    # The others are answers, and choices between messages.
    assert name in KINDS or set(found) <= {"Other"}
    for answer in read.classifications:
        assert answer.name and answer.values, "no question without an answer is in the samples"


def test_an_entity_ends_behind_its_last_character() -> None:
    [span] = marks("docs_text_entity").regions
    assert isinstance(span, Span) and (span.start, span.end, span.text) == (10, 21, "um dolor si")
    assert span.verified is None
    [span] = marks("sdk_text").regions
    assert isinstance(span, Span) and (span.start, span.end, span.text) == (112, 129, "research suggests")


def test_a_box_is_in_pixels_as_it_is() -> None:
    [box] = marks("docs_image_bounding_box").regions
    assert isinstance(box, Box) and box.xywh == (2096.0, 1264.0, 144.0, 425.0)


def test_a_video_is_tracks_and_answers_of_frames() -> None:
    read = marks("sdk_label_of_video")
    [track] = read.regions
    assert isinstance(track, Track) and [number for number, _ in track.frames] == [13, 18, 19]
    assert {(answer.region, answer.frame) for answer in read.classifications} >= {(track.id, 13), (track.id, 18)}


def test_lists_of_questions_within_lists_are_read() -> None:
    read = marks("v1_highly_nested_image")
    nose = [(answer.name, answer.values) for answer in read.classifications if answer.region == read.regions[2].id]
    assert nose[0] == ("description", ("wet", "dry")) and len(nose) == 3


def test_questions_below_answers_say_what_led_to_them() -> None:
    written = json.loads((FIXTURES / "changes" / "bodies" / "annotations_v2.json").read_text(encoding="utf-8"))
    answers = [
        (answer.name, answer.values, answer.parent) for answer in read_annotations(written, None).classifications
    ]
    assert answers[:2] == [("Ripe", ("Yes",), ()), ("How", ("Very", "Soft"), ("Ripe", "Yes"))]


def test_answers_far_below_others_hold_no_long_lists() -> None:
    asked: list[Any] = [{"name": "q", "answer": {"name": "a", "classifications": [{}]}}] * 50_000
    for _ in range(150):
        asked = [{"name": "q", "answer": {"name": "a", "classifications": asked}}]
    read = read_annotations({"classifications": asked}, None)
    assert (len(read.classifications), len(read.regions)) == (17, 1)
    assert len(read.classifications[16].parent) == 32
    # Nothing is lost: what is not read is in the question that stands above all of it.
    held: Any = read.regions[0].raw
    for _ in range(150 - 18):
        [held] = held["answer"]["classifications"]
    assert len(held["answer"]["classifications"]) == 50_000


def test_unread_members_are_there() -> None:
    [groups] = marks("sdk_dicom").regions
    assert isinstance(groups, Other) and groups.type == "groups" and groups.raw == sample("sdk_dicom")["groups"]
    [skipped] = read_v1("Skip").regions
    assert isinstance(skipped, Other) and skipped.raw == "Skip"
    [elsewhere] = read_v1('{"frames": "https://api.example.org/frames"}').regions
    assert isinstance(elsewhere, Other) and elsewhere.type == "frames"
