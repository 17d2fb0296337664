//! The documents' samples, and what was constructed after them.

use crate::fixtures::{describe, head, inspect, list, read};
use labelrelay_core::provider::Provider;
use std::fmt::Write as _;

#[test]
fn label_studio_documents() {
    let mut out = String::new();
    for name in list("label_studio/documents", "json") {
        let inspection = inspect(
            Provider::LabelStudio,
            &head(&[]),
            &read(&format!("label_studio/documents/{name}")),
        );
        let _ = write!(out, "{name}\n{}", describe(&inspection));
    }
    insta::assert_snapshot!(out);
}

/// Each with the header that it was, or would be, sent with, and with none.
#[test]
fn labelbox() {
    let mut out = String::new();
    for name in list("labelbox", "json") {
        let body = read(&format!("labelbox/{name}"));
        let event = match &*name {
            name if name.contains("workflow") => "WORKFLOW_ACTION",
            name if name.contains("review") => "REVIEW_UPDATED",
            name if name.contains("created") => "LABEL_CREATED",
            name if name.contains("deleted") => "LABEL_DELETED",
            _ => "LABEL_UPDATED",
        };
        let with = describe(&inspect(
            Provider::Labelbox,
            &head(&[("x-labelbox-event", event)]),
            &body,
        ));
        let without = describe(&inspect(Provider::Labelbox, &head(&[]), &body));
        if with == without {
            let _ = write!(out, "{name}, with {event} or without\n{with}");
        } else {
            let _ = write!(
                out,
                "{name}, with {event}\n{with}{name}, without\n{without}"
            );
        }
    }
    insta::assert_snapshot!(out);
}
