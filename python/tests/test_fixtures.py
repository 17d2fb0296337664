"""Each fixture, in both directions: what it becomes, and that nothing of it was made up."""

from __future__ import annotations

import json
from typing import Any

import labelrelay
import pytest
from labelrelay import BytesLost, Changed, Event, EventError, Key, Order
from plain import CHANGES, expected_of, outcome, read

EXPECTED = ".changes.json"
NAMES = sorted(path.name.removesuffix(EXPECTED) for path in CHANGES.glob(f"*{EXPECTED}"))


def readable() -> list[str]:
    return [name for name in NAMES if isinstance(read(name), Event)]


def event_of(name: str) -> Event:
    event = read(name)
    assert isinstance(event, Event)
    return event


def changes_of(event: Event) -> tuple[labelrelay.Change, ...]:
    try:
        return event.changes
    except EventError:
        return ()


def test_every_envelope_has_its_changes_and_the_other_way_round() -> None:
    envelopes = {path.name.removesuffix(".json") for path in CHANGES.glob("*.json") if not path.name.endswith(EXPECTED)}
    assert envelopes == set(NAMES)
    assert len(NAMES) > 100


@pytest.mark.parametrize("name", NAMES)
def test_an_event_becomes_these_changes(name: str) -> None:
    expected: dict[str, Any] = json.loads((CHANGES / f"{name}{EXPECTED}").read_text(encoding="utf-8"))
    assert expected_of(name) == expected


@pytest.mark.parametrize("name", readable())
def test_however_the_message_is_given(name: str) -> None:
    message = (CHANGES / f"{name}.json").read_bytes()
    expected = outcome(event_of(name))
    assert outcome(labelrelay.parse(message.decode())) == expected
    assert outcome(labelrelay.parse(bytearray(message))) == expected
    assert outcome(labelrelay.parse(memoryview(message))) == expected
    loaded = labelrelay.parse(json.loads(message))
    assert outcome(loaded) == expected
    if "data" in json.loads(message):
        with pytest.raises(BytesLost):
            _ = loaded.raw
        with pytest.raises(BytesLost):
            loaded.verify()


@pytest.mark.parametrize("name", [name for name in readable() if not event_of(name).is_claimed])
def test_the_body_and_the_attributes_apart(name: str) -> None:
    event = event_of(name)
    assert outcome(labelrelay.parse(event.raw, attributes=event.attributes)) == outcome(event)
    message = json.loads((CHANGES / f"{name}.json").read_bytes())
    assert outcome(labelrelay.parse(event.raw, attributes=message)) == outcome(event)


@pytest.mark.parametrize("name", [name for name in readable() if name not in ("data_not_last", "white_space")])
def test_raw_is_what_the_sender_sent(name: str) -> None:
    event = event_of(name)
    if event.is_claimed:
        event = event.with_body((CHANGES / f"{name}.body").read_bytes())
    _, mark, data = (CHANGES / f"{name}.json").read_bytes().partition(b',"data":')
    if mark:
        assert event.raw == data[:-1]
    if name == "digest_mismatch":
        with pytest.raises(labelrelay.DigestMismatch):
            event.verify()
    else:
        event.verify()


def test_raw_has_neither_more_nor_less_where_the_envelope_was_written_anew() -> None:
    assert event_of("data_not_last").raw == b'{"id": 5}'
    event_of("white_space").verify()


SEVERAL_KINDS = {
    "training": "project",
    "completion": "task",
    "workflow": "data_row",
}
"""Kinds of changes that no subject has: what the subject is then."""


OF_A_LABEL = ("lb_review_of_label", "lb_review_scored_label", "lb_review_label_in_string")
"""Reviews whose subject is a label: what is in a string, the relay does not read."""


@pytest.mark.parametrize("name", readable())
def test_it_agrees_with_what_the_relay_says(name: str) -> None:
    event = event_of(name)
    attributes = event.attributes
    for change in (changes := changes_of(event)):
        assert change.key.source == attributes.source
        kind = attributes.kind
        assert change.key.kind in (kind, "completion", "data_row"), change.key
        holder = (attributes.partitionkey or "").removeprefix(attributes.source[1:] + "/")
        named = [f"{key.kind}/{key.id}" for key in (change.key, *change.parents)]
        if "/" in holder and len(changes) == 1 and name != "data_not_last":
            assert holder in [*named, *(key.replace("data_row", "task") for key in named)], (holder, named)
    if len(changes) != 1 or attributes.subject is None or name in ("data_not_last", "ls_edge_lone_surrogate_id"):
        return
    [change] = changes
    if name not in OF_A_LABEL and not name.startswith("lb_v2_two_projects"):
        kind = SEVERAL_KINDS.get(change.key.kind, change.key.kind)
        assert f"{kind}/{change.key.id}" == attributes.subject
        if isinstance(change, Changed):
            assert change.version == attributes.sequence


def test_a_removal_takes_along_what_it_held() -> None:
    [gone] = event_of("ls_task_deleted").changes
    assert isinstance(gone, labelrelay.Removed)
    [kept] = event_of("ls_annotation_created").changes
    assert gone.key in kept.parents
    assert gone.takes(kept.key, kept.parents) and gone.takes(gone.key)
    assert not gone.takes(Key(gone.key.source, "annotation", "9"), ())
    [project] = event_of("ls_project_deleted").changes
    assert isinstance(project, labelrelay.Removed) and project.takes(kept.key, kept.parents)


def test_the_order_of_versions_is_that_of_strings() -> None:
    [earlier] = event_of("ls_annotation_created").changes
    [later] = event_of("ls_annotation_updated").changes
    assert isinstance(earlier, Changed) and isinstance(later, Changed)
    assert earlier.key == later.key and earlier.order is later.order is Order.NEWER
    assert (earlier.version or "") < (later.version or "")


def test_an_annotation_that_is_only_named_has_no_record_and_says_so() -> None:
    [named] = event_of("ls_annotation_named").changes
    assert isinstance(named, Changed)
    with pytest.raises(labelrelay.UnknownPayload, match="only names it"):
        _ = named.annotation


def test_bodies_and_tokens_are_not_printed() -> None:
    event = event_of("ls_project_created")
    token = event.payload
    assert isinstance(token, dict) and isinstance(token["project"], dict)
    secret = token["project"]["token"]
    assert isinstance(secret, str) and secret
    assert secret not in repr(event) and secret not in repr(event.changes)
