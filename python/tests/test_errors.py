"""Each fault has an error of its own, which names the event."""

from __future__ import annotations

import pickle

import labelrelay
import pytest
from labelrelay import EventError
from plain import CHANGES

CASES = {
    "later_specversion": (labelrelay.LaterEnvelope, "specversion is '1.1', this package knows '1.0'"),
    "later_origin": (labelrelay.LaterEnvelope, "origin is 'dreamt'"),
    "later_schema": (
        labelrelay.UnknownPayload,
        "the shape urn:labelrelay:schema:label-studio-annotation:2 is not known",
    ),
    "later_type": (labelrelay.UnknownPayload, "the type io.labelstud.annotation.archived is not known"),
    "ls_claimed": (labelrelay.BodyClaimed, "its body is at file:///var/claims/events/2026/11/body"),
    "ls_edge_not_utf8": (labelrelay.NotJson, "its body cannot be read: it is not UTF-8 (at byte"),
    "ls_edge_not_a_number": (labelrelay.NotJson, "its body cannot be read: "),
    "ls_nested_501": (labelrelay.TooDeep, "its body cannot be read: it is nested deeper than 500 levels"),
    "ls_no_payload": (labelrelay.PayloadMissing, "switch on Send payload"),
    "ls_task_without_id": (labelrelay.UnknownPayload, "the body names a task without an id"),
    "lb_unrecognized": (labelrelay.UnknownPayload, "it was verified"),
    "malformed_data_twice": (labelrelay.MalformedEnvelope, "it has data twice"),
    "malformed_both_data": (labelrelay.MalformedEnvelope, "data and data_base64 exclude each other"),
    "malformed_no_data": (labelrelay.MalformedEnvelope, "neither data, data_base64 nor dataref"),
    "malformed_base64": (labelrelay.MalformedEnvelope, "data_base64 is not base64"),
    "malformed_id_of_other_type": (labelrelay.MalformedEnvelope, "the attribute id is no text"),
    "malformed_no_id": (labelrelay.MalformedEnvelope, "the attribute id is missing"),
    "malformed_cut": (labelrelay.MalformedEnvelope, "it is no JSON object"),
    "malformed_more": (labelrelay.MalformedEnvelope, "something follows the object"),
    "malformed_not_a_number": (labelrelay.MalformedEnvelope, "NaN is no JSON"),
}

WITHOUT_ID = (
    "malformed_id_of_other_type",
    "malformed_no_id",
    "malformed_cut",
    "malformed_more",
    "malformed_not_a_number",
)


@pytest.mark.parametrize("name", CASES)
def test_a_fault_has_its_own_error(name: str) -> None:
    kind, reason = CASES[name]
    message = (CHANGES / f"{name}.json").read_bytes()
    with pytest.raises(EventError) as told:
        _ = labelrelay.parse(message).changes
    error = told.value
    assert type(error) is kind and reason in error.reason
    assert (error.event_id is None) == (name in WITHOUT_ID)
    assert not isinstance(error, (ValueError, LookupError, RecursionError))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind and str(again) == str(error) and vars(again) == vars(error)


def test_an_error_is_raised_again_and_names_the_claim() -> None:
    event = labelrelay.parse((CHANGES / "ls_claimed.json").read_bytes())
    for _ in range(2):
        with pytest.raises(labelrelay.BodyClaimed) as told:
            _ = event.payload
        assert told.value.dataref == event.attributes.dataref
    with pytest.raises(labelrelay.DigestMismatch):
        event.with_body(b"{}")


def test_a_pointer_to_an_envelope_is_told_from_what_is_none() -> None:
    """The same as the test of the crate."""
    kind = "software.amazon.payloadoffloading.PayloadS3Pointer"
    message = f'["{kind}",{{"s3BucketName":"bucket","s3Key":"claims/1"}}]'
    for form in (message, message.encode()):
        with pytest.raises(labelrelay.EnvelopeClaimed) as told:
            labelrelay.parse(form)
        assert told.value.reason == "the envelope is at s3://bucket/claims/1: fetch it, and read that"
        assert (told.value.event_id, told.value.dataref) == (None, "s3://bucket/claims/1")
    again = pickle.loads(pickle.dumps(told.value))
    assert vars(again) == vars(told.value)
    for other in (
        message.replace(kind, "java.lang.Object"),
        message.replace('"bucket"', "1"),
        message.replace("}]", "},1]"),
        message[:-1],
        "[" * 100_000,
    ):
        with pytest.raises(labelrelay.MalformedEnvelope):
            labelrelay.parse(other)


@pytest.mark.parametrize("message", [b"", b"\xff", b"[]", b"null", "7", '{"a":1}', "{}", '{"specversion":1}', {}])
def test_messages_that_are_no_envelope(message: bytes | str | dict[str, object]) -> None:
    with pytest.raises(labelrelay.MalformedEnvelope):
        labelrelay.parse(message)


def test_text_that_was_not_decoded_as_utf_8() -> None:
    message = (CHANGES / "ls_annotation_skipped.json").read_text(encoding="utf-8").replace("audio", "aud\udcff")
    with pytest.raises(labelrelay.BytesLost):
        labelrelay.parse(message)
