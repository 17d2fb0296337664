//! Labelbox's unsigned event header: it may refine, never contradict.

use crate::fixtures::{head, inspect, read};
use labelrelay_core::provider::Provider;
use labelrelay_event::TypeFrom::{self, Body, Header};

fn of(body: &[u8], headers: &[(&str, &str)]) -> (String, Option<TypeFrom>, Option<String>, bool) {
    let description = inspect(Provider::Labelbox, &head(headers), body).description;
    let versioned = description.sequence.is_some();
    (
        description.event_type.to_string(),
        description.type_from,
        description.subject,
        versioned,
    )
}

fn type_of(file: &str, header: &str) -> (String, Option<TypeFrom>) {
    let (event_type, from, ..) = of(
        &read(&format!("labelbox/{file}.json")),
        &[("x-labelbox-event", header)],
    );
    (
        event_type.trim_start_matches("com.labelbox.").to_owned(),
        from,
    )
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, a line a case")]
fn the_whole_table() {
    for (file, header, expected, from) in [
        ("v1_label_created", "", "label.created", Some(Body)),
        (
            "v1_label_created",
            "LABEL_CREATED",
            "label.created",
            Some(Header),
        ),
        (
            "v1_label_created",
            "label_updated",
            "label.updated",
            Some(Header),
        ),
        (
            "v1_label_created",
            "LABEL_DELETED",
            "label.created",
            Some(Body),
        ),
        ("v1_label_updated", "", "label.updated", Some(Body)),
        (
            "v1_label_updated",
            "LABEL_DELETED",
            "label.updated",
            Some(Body),
        ),
        (
            "v1_label_updated",
            "WORKFLOW_ACTION",
            "label.updated",
            Some(Body),
        ),
        (
            "v1_label_updated",
            "REVIEW_UPDATED",
            "review.updated",
            Some(Header),
        ),
        (
            "v1_label_updated",
            "REVIEW_DELETED",
            "review.deleted",
            Some(Header),
        ),
        ("v1_label_deleted", "", "label.deleted", Some(Body)),
        (
            "v1_label_deleted",
            "LABEL_CREATED",
            "label.deleted",
            Some(Body),
        ),
        (
            "v1_label_deleted",
            "REVIEW_CREATED",
            "label.deleted",
            Some(Body),
        ),
        ("v2_label_created", "", "label.unrecognized", Some(Body)),
        ("v2_label_created", "MOVE", "label.unrecognized", Some(Body)),
        (
            "v2_label_created",
            "LABEL_CREATED",
            "label.created",
            Some(Header),
        ),
        (
            "v2_label_updated",
            "Label_Updated",
            "label.updated",
            Some(Header),
        ),
        (
            "v2_label_deleted",
            "LABEL_DELETED",
            "label.deleted",
            Some(Header),
        ),
        ("v2_workflow_move", "", "workflow.move", Some(Body)),
        (
            "v2_workflow_move",
            "LABEL_DELETED",
            "workflow.move",
            Some(Body),
        ),
        (
            "v1_workflow_approve",
            "WORKFLOW_ACTION",
            "workflow.approve",
            Some(Body),
        ),
        (
            "constructed_model_run",
            "LABEL_CREATED",
            "model_run.created",
            Some(Body),
        ),
        (
            "constructed_review",
            "REVIEW_CREATED",
            "review.created",
            Some(Header),
        ),
        (
            "constructed_review",
            "REVIEW_DELETED",
            "review.updated",
            Some(Header),
        ),
        ("constructed_review", "LABEL_CREATED", "unrecognized", None),
        (
            "excerpt_label_created",
            "LABEL_CREATED",
            "label.created",
            Some(Header),
        ),
        ("excerpt_label_created", "", "unrecognized", None),
        (
            "excerpt_label_created",
            "REVIEW_CREATED",
            "unrecognized",
            None,
        ),
    ] {
        assert_eq!(
            type_of(file, header),
            (expected.to_owned(), from),
            "{file} with {header:?}"
        );
    }
}

#[test]
fn a_repeated_header_is_none() {
    let body = read("labelbox/v2_label_created.json");
    let twice = of(
        &body,
        &[
            ("x-labelbox-event", "LABEL_CREATED"),
            ("x-labelbox-event", "LABEL_DELETED"),
        ],
    );
    assert_eq!(
        (&*twice.0, twice.1),
        ("com.labelbox.label.unrecognized", Some(Body))
    );
}

#[test]
fn a_deleted_review_is_not_the_end_of_its_label() {
    let body = read("labelbox/v1_label_updated.json");
    let (.., subject, versioned) = of(&body, &[("x-labelbox-event", "REVIEW_DELETED")]);
    assert_eq!(
        (subject.as_deref(), versioned),
        (Some("review/cl4g555g81ltr07cka1a2b1wv"), false)
    );
    let (.., subject, versioned) = of(&body, &[("x-labelbox-event", "REVIEW_UPDATED")]);
    assert_eq!(
        (subject.as_deref(), versioned),
        (Some("label/cl4g555g81ltr07cka1a2b1wv"), true)
    );
}

#[test]
fn bodies_that_nearly_fit() {
    for (body, expected) in [
        (
            r#"{"id": "1", "label": "{}", "deleted": "true"}"#,
            "label.unrecognized",
        ),
        (
            r#"{"id": "1", "label": "{}", "deleted": true}"#,
            "label.deleted",
        ),
        (
            r#"{"id": "1", "dataRow": {}, "createdAt": "2020-09-24T04:56:08Z", "updatedAt": "2020-09-24T04:56:08Z"}"#,
            "label.created",
        ),
        (r#"{"id": null, "label": "{}"}"#, "unrecognized"),
        (r#"{"id": "1", "label": {"id": "2"}}"#, "unrecognized"),
        (
            r#"{"data_row": {"id": "1"}, "projects": []}"#,
            "unrecognized",
        ),
        (
            r#"{"data_row": {"id": "1"}, "projects": {}}"#,
            "label.unrecognized",
        ),
        (
            r#"{"action": "Send_Back2", "dataRowIds": []}"#,
            "workflow.send_back2",
        ),
        (
            r#"{"action": "a.b", "dataRowIds": ["1"]}"#,
            "workflow.unrecognized",
        ),
        (
            r#"{"action": "\u00e9", "dataRowIds": ["1"]}"#,
            "workflow.unrecognized",
        ),
        (r#"{"action": "MOVE", "dataRowIds": "1"}"#, "unrecognized"),
        (
            r#"{"action": "MOVE", "dataRowIds": ["1"], "dataRowIds": {}}"#,
            "unrecognized",
        ),
        (r#"{"modelId": "1", "modelRunId": 2}"#, "model_run.created"),
        (r#"{"modelRunId": "2"}"#, "unrecognized"),
        ("[]", "unrecognized"),
        ("", "unrecognized"),
    ] {
        let (event_type, ..) = of(body.as_bytes(), &[]);
        assert_eq!(event_type, format!("com.labelbox.{expected}"), "{body}");
    }
    let long = format!(
        r#"{{"action": "{}", "dataRowIds": ["1"]}}"#,
        "A".repeat(200)
    );
    assert_eq!(
        of(long.as_bytes(), &[]).0,
        "com.labelbox.workflow.unrecognized"
    );
}

#[test]
fn the_last_of_repeated_keys_wins_in_labels_too() {
    let row = r#""data_row": {"id": "0", "id": "1"}"#;
    let label = |id: &str, time: &str| {
        format!(r#"{{"id": "{id}", "label_details": {{"updated_at": "{time}"}}}}"#)
    };
    let (old, new) = (
        label("a", "2024-05-06T17:18:48Z"),
        label("b", "2024-05-06T17:18:49Z"),
    );
    for (projects, subject) in [
        (
            format!(r#"{{"p": {{"labels": [{old}]}}, "p": {{"labels": [{new}]}}}}"#),
            "label/b",
        ),
        (
            format!(r#"{{"p": {{"labels": [{old}], "labels": [{new}]}}}}"#),
            "label/b",
        ),
        (
            format!(r#"{{"p": {{"labels": [{old}], "labels": null}}}}"#),
            "data_row/1",
        ),
        (
            format!(r#"{{"p": {{"labels": [{old}, {new}]}}}}"#),
            "data_row/1",
        ),
        (
            format!(r#"{{"p": {{"labels": [{old}]}}, "q": {{"labels": [{new}]}}}}"#),
            "data_row/1",
        ),
        (
            format!(r#"{{"p": {{"labels": [{old}, null]}}}}"#),
            "data_row/1",
        ),
        (
            format!(r#"{{"p": {{"labels": []}}, "q": {{"labels": [{new}]}}}}"#),
            "label/b",
        ),
    ] {
        let body = format!(r#"{{{row}, "projects": {projects}}}"#);
        assert_eq!(
            of(body.as_bytes(), &[]).2.as_deref(),
            Some(subject),
            "{body}"
        );
        let body = format!(
            r#"{{"projects": {{"x": {{"labels": [{old}, {old}]}}}}, {row}, "projects": {projects}}}"#
        );
        assert_eq!(
            of(body.as_bytes(), &[]).2.as_deref(),
            Some(subject),
            "{body}"
        );
    }
}
