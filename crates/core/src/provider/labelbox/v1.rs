//! The flat body of v1: a label, or a review of one.

use super::event_types::UNRECOGNIZED;
use super::extract::{Body, Label};
use super::topic::{Topic, Verb};
use crate::describe::Description;
use crate::identity::{Identity, into_bounded};
use crate::provider::ids::{named, present};
use crate::time;
use jiff::Timestamp;
use labelrelay_event::{EventType, TypeFrom};

pub(super) fn describe(body: Body, topic: Option<Topic>) -> Description {
    if body.id.is_empty() {
        return Description::unrecognized(UNRECOGNIZED);
    }
    let is_label = body.label == Label::Text || body.data_row_v1.is_object;
    // Signed: it stands, whatever a header says.
    let is_deleted_label = is_label && body.deleted == Some(true);
    match topic {
        Some(Topic::Review(verb))
            if !is_deleted_label
                && (is_label || body.project.is_object || body.label == Label::Object) =>
        {
            review(body, verb, is_label)
        }
        _ if is_label => label(body, topic),
        // Labelbox's guide shows a label of which only the id is left: nothing in it speaks against
        // what the header says.
        Some(Topic::Label(_)) if body.label == Label::Absent => label(body, topic),
        _ => Description::unrecognized(UNRECOGNIZED),
    }
}

fn label(body: Body, topic: Option<Topic>) -> Description {
    let said = match topic {
        Some(Topic::Label(verb)) => Some(verb),
        _ => None,
    };
    let updated = time::parse(&body.updated_at);
    let (verb, type_from) = match (body.deleted, said) {
        (Some(true), _) => (Some(Verb::Deleted), TypeFrom::Body),
        // The body says that the label is there: this header is wrong.
        (Some(false), Some(Verb::Deleted)) | (_, None) => {
            (by_times(&body, updated), TypeFrom::Body)
        }
        (_, Some(verb)) => (Some(verb), TypeFrom::Header),
    };
    let event_type = match verb {
        Some(Verb::Created) => "com.labelbox.label.created",
        Some(Verb::Updated) => "com.labelbox.label.updated",
        Some(Verb::Deleted) => "com.labelbox.label.deleted",
        None => "com.labelbox.label.unrecognized",
    };
    Description {
        type_from: Some(type_from),
        subject: Some(named("label", &body.id)),
        schema: Some("urn:labelrelay:schema:labelbox-label:1"),
        identity: identity(&body, verb, updated),
        ..common(body, updated, EventType::from_static(event_type))
    }
}

fn review(body: Body, said: Verb, is_label: bool) -> Description {
    let updated = time::parse(&body.updated_at);
    // Of a label's body `deleted` is about the label; of a review's own, about the review.
    let verb = match (body.deleted, said) {
        (Some(true), _) => Some(Verb::Deleted),
        (Some(false), Verb::Deleted) if !is_label => by_times(&body, updated),
        _ => Some(said),
    };
    let event_type = match verb {
        Some(Verb::Created) => "com.labelbox.review.created",
        Some(Verb::Updated) => "com.labelbox.review.updated",
        Some(Verb::Deleted) => "com.labelbox.review.deleted",
        None => "com.labelbox.review.unrecognized",
    };
    // A review that is gone must not read as if its label were.
    let kind = if body.label == Label::Text && verb != Some(Verb::Deleted) {
        "label"
    } else {
        "review"
    };
    Description {
        type_from: Some(TypeFrom::Header),
        subject: Some(named(kind, &body.id)),
        schema: Some("urn:labelrelay:schema:labelbox-review:1"),
        // A label's times say nothing of how often it was reviewed.
        identity: if is_label {
            Identity::Delivery
        } else {
            identity(&body, verb, updated)
        },
        ..common(body, updated, EventType::from_static(event_type))
    }
}

/// Identity of this change of a thing, by the table of [`crate::identity`].
fn identity(body: &Body, verb: Option<Verb>, updated: Option<Timestamp>) -> Identity {
    let tells = match verb {
        // That a header says so does not tell one deletion from another.
        Some(Verb::Deleted) => body.deleted == Some(true),
        Some(Verb::Created | Verb::Updated) => updated.is_some_and(time::is_version),
        None => false,
    };
    if tells {
        Identity::Content
    } else {
        Identity::Delivery
    }
}

/// Created, or updated since? Only the body is asked.
fn by_times(body: &Body, updated: Option<Timestamp>) -> Option<Verb> {
    Some(if updated? > time::parse(&body.created_at)? {
        Verb::Updated
    } else {
        Verb::Created
    })
}

fn common(body: Body, updated: Option<Timestamp>, event_type: EventType) -> Description {
    let project = body.project.id;
    Description {
        time: updated.map(|_| body.updated_at),
        partition: present(&body.data_row_v1.id)
            .map(|row| named("data_row", row))
            .or_else(|| present(&project).map(|project| named("project", project))),
        project: (!project.is_empty()).then(|| into_bounded(project)),
        sequence: updated
            .filter(|_| !event_type.is_deletion())
            .map(time::sequence),
        ..Description::unrecognized(event_type)
    }
}
