//! A label as an export of Labelbox holds it: within the row that it is on.
//!
//! An exported row has the form of a v2 webhook, and like it does not say what happened. Whether a label is
//! new or was changed is what the ledger says.

use crate::describe::{Description, Inspection};
use crate::identity::{Identity, bounded};
use crate::ledger::Change;
use crate::ledger::Key;
use crate::provider::ids::{named, present};
use crate::time;
use labelrelay_event::{Digest, EventType, TypeFrom};
use labelrelay_json as json;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

const LABEL: &str = "label";

/// The version of a label that is gone: there is one deletion of it, however often that is found out.
const DELETED: &str = "deleted";

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(default)]
    data_row: DataRow,
    #[serde(borrow)]
    projects: BTreeMap<String, Project<'a>>,
}

#[derive(Deserialize, Default)]
struct DataRow {
    #[serde(default)]
    id: String,
}

#[derive(Deserialize)]
struct Project<'a> {
    #[serde(default, borrow)]
    labels: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Label {
    id: String,
    #[serde(default)]
    label_details: Details,
}

#[derive(Deserialize, Default)]
struct Details {
    updated_at: Option<String>,
}

/// Describes the label `key` of `row`; `None` when it holds none of this id.
pub(in crate::provider) fn describe_entity(
    key: &Key,
    change: Change,
    row: &[u8],
) -> Option<Inspection> {
    let id = Some(&key.id).filter(|_| key.kind == LABEL)?;
    let parsed: Row<'_> = serde_json::from_slice(row).ok()?;
    let mut found = None;
    for (project, held) in &parsed.projects {
        for written in &held.labels {
            let label: Label = serde_json::from_str(written.get()).ok()?;
            if label.id == *id && found.is_none() {
                found = Some((project, label, written.get()));
            }
        }
    }
    let (project, label, bytes) = found?;
    let event_type = EventType::from_static(match change {
        Change::Created => "com.labelbox.label.created",
        Change::Updated => "com.labelbox.label.updated",
        Change::Deleted => "com.labelbox.label.deleted",
    });
    let written = label.label_details.updated_at.as_deref();
    let updated = written.and_then(time::parse);
    let version = match (change, written) {
        (Change::Deleted, _) => DELETED.to_owned(),
        (_, Some(written)) if time::parse_version(written).is_some() => written.to_owned(),
        // Within a second there may be several versions, and nothing but what it holds tells one from another.
        _ => Digest::of(bytes.as_bytes()).to_hex(),
    };
    let subject = named(LABEL, present(id)?);
    let description = Description {
        type_from: Some(TypeFrom::Body),
        time: updated.and(written).map(str::to_owned),
        schema: Some("urn:labelrelay:schema:labelbox-label-v2:1"),
        project: present(project).map(bounded),
        partition: present(&parsed.data_row.id)
            .map(|row| named("data_row", row))
            .or_else(|| present(project).map(|project| named("project", project))),
        sequence: updated
            .filter(|_| change != Change::Deleted)
            .map(time::sequence),
        identity: Identity::Version {
            kind: LABEL,
            id: subject.clone(),
            version,
        },
        subject: Some(subject),
        ..Description::unrecognized(event_type)
    };
    Some(Inspection {
        check: json::check(row),
        description,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &[u8] = br#"{"data_row": {"id": "r", "external_id": "\ud83d"}, "projects": {"p": {"labels": [
        {"id": "a", "label_details": {"created_at": "2026-11-20T08:00:00.000+00:00", "updated_at": "2026-11-20T09:00:00.000+00:00"}},
        {"id": "b", "label_details": {"updated_at": "2026-11-20T08:00:00Z"}},
        {"id": "c"}]}, "q": {}}, "media_attributes": {}}"#;

    fn label(id: &str, change: Change) -> Option<Description> {
        Some(describe_entity(&Key::new(LABEL, id), change, ROW)?.description)
    }

    #[test]
    fn each_label_of_a_row_is_a_thing_with_a_version_of_its_own() {
        let a = label("a", Change::Created).unwrap();
        assert_eq!(a.event_type.as_str(), "com.labelbox.label.created");
        assert_eq!(a.subject.as_deref(), Some("label/a"));
        assert_eq!(a.partition.as_deref(), Some("data_row/r"));
        assert_eq!(a.project.as_deref(), Some("p"));
        assert_eq!(a.sequence.as_deref(), Some("20261120T090000.000000000Z"));
        let b = label("b", Change::Updated).unwrap();
        assert_eq!(b.event_type.as_str(), "com.labelbox.label.updated");
        assert_eq!(b.sequence.as_deref(), Some("20261120T080000.000000000Z"));
        assert_ne!(a.identity, b.identity);
        assert_ne!(label("c", Change::Created).unwrap().identity, b.identity);
        assert_eq!(label("d", Change::Created), None);
        assert!(describe_entity(&Key::new("data_row", "a"), Change::Created, ROW).is_none());
    }

    #[test]
    fn two_versions_within_a_second_are_told_by_what_the_label_holds() {
        let identity = |value: &str, beside: &str| {
            let row = format!(
                r#"{{"projects":{{"p":{{"labels":[{{"id":"a","value":"{value}","label_details":{{"updated_at":"2026-11-20T08:00:00Z"}}}},{{"id":"{beside}"}}]}}}}}}"#
            );
            let found = describe_entity(&Key::new(LABEL, "a"), Change::Updated, row.as_bytes());
            found.unwrap().description.identity
        };
        assert_ne!(identity("A", "b"), identity("B", "b"));
        let other = "another label of its row may have changed";
        assert_eq!(identity("A", "b"), identity("A", "c"), "{other}");
    }

    #[test]
    fn a_deletion_has_no_version_and_happens_once() {
        let gone = label("a", Change::Deleted).unwrap();
        assert_eq!(gone.event_type.as_str(), "com.labelbox.label.deleted");
        assert_eq!(
            (gone.sequence, gone.subject.as_deref()),
            (None, Some("label/a"))
        );
        let left = br#"{"data_row":{"id":"r"},"projects":{"p":{"labels":[{"id":"a"}]}}}"#;
        let again = describe_entity(&Key::new(LABEL, "a"), Change::Deleted, left).unwrap();
        assert_eq!(gone.identity, again.description.identity);
    }
}
