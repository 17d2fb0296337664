//! From what stands in a body to what the envelope says.

use super::action::{self, Kind, Verb};
use super::extract::{Body, Group};
use crate::describe::Description;
use crate::identity::{Identity, bounded};
use crate::provider::ids::{named, present};
use crate::time;
use labelrelay_event::TypeFrom;

pub(super) fn describe(body: &Body) -> Description {
    match action::parse(&body.action) {
        Some((kind, verb)) => entity(body, kind, verb),
        None if body.action == action::START_TRAINING => training(body),
        None => other(body),
    }
}

/// Something happened to one thing, or to several of a kind.
fn entity(body: &Body, kind: Kind, verb: Verb) -> Description {
    let group = body.group(kind);
    let is_single = group.count == 1;
    let id = match group.count {
        0 => present(&body.id),
        1 => present(&group.first.id),
        _ => None,
    };
    let project = match kind {
        Kind::Project => id,
        _ => project(body).or_else(|| common(&group.first.project, group.projects_differ)),
    };
    let task = match kind {
        Kind::Task => id,
        Kind::Annotation | Kind::Review => task(body, group),
        Kind::Project | Kind::LabelLink => None,
    };
    let holder = || {
        task.map(|task| named("task", task))
            .or_else(|| project.map(|project| named("project", project)))
    };

    let (created_at, updated_at) = (
        group.first.created_at.as_str(),
        group.first.updated_at.as_str(),
    );
    let updated = time::parse(updated_at).filter(|_| is_single);
    Description {
        event_type: action::event_type(kind, verb),
        type_from: Some(TypeFrom::Body),
        subject: id.map(|id| named(kind.as_str(), id)).or_else(holder),
        time: [updated_at, created_at]
            .into_iter()
            .find(|text| is_single && time::parse(text).is_some())
            .map(ToOwned::to_owned),
        schema: Some(kind.schema()),
        project: project.map(bounded),
        partition: holder(),
        sequence: match (verb, kind) {
            (Verb::Deleted, _) | (_, Kind::LabelLink) => None,
            _ => updated.map(time::sequence),
        },
        identity: identity(group, kind, verb),
    }
}

/// Identity of this change, by the table of [`crate::identity`].
fn identity(group: &Group, kind: Kind, verb: Verb) -> Identity {
    let Group { first, listed, .. } = group;
    if !listed.names_each_once() {
        return Identity::Delivery;
    }
    let version = |version: &str| {
        let is_one = group.count == 1 && time::parse_version(version).is_some();
        is_one.then(|| Identity::Version {
            kind: kind.as_str(),
            id: first.id.clone(),
            version: version.to_owned(),
        })
    };
    match (kind, verb) {
        (Kind::Annotation, Verb::Updated) => {
            version(&first.updated_at).unwrap_or(Identity::Delivery)
        }
        (Kind::Annotation, Verb::Created) => {
            version(&first.updated_at).unwrap_or(Identity::Content)
        }
        // A task's update time moves by itself; the time of its creation does not.
        (Kind::Task, Verb::Created) => version(&first.created_at).unwrap_or(Identity::Content),
        // Their ids are given again.
        (Kind::Annotation | Kind::Task, Verb::Deleted) => Identity::Delivery,
        // Label links carry no times: set to A, B and A again within minutes, the first and the
        // last body are the same bytes, and the last one must not pass for a repeat.
        (_, Verb::Updated) if version(&first.updated_at).is_none() => Identity::Delivery,
        _ => Identity::Content,
    }
}

/// A request to do something. Its bytes repeat whenever somebody asks again.
fn training(body: &Body) -> Description {
    let project = project(body).or_else(|| present(&body.id));
    Description {
        type_from: Some(TypeFrom::Body),
        subject: project.map(|id| named("project", id)),
        schema: Some("urn:labelrelay:schema:label-studio-training:1"),
        project: project.map(bounded),
        partition: project.map(|id| named("project", id)),
        ..Description::unrecognized(action::TRAINING_STARTED)
    }
}

/// An action of a newer version, or of the user's own making. Its project, if it says one, still
/// keeps it in order.
fn other(body: &Body) -> Description {
    let project = project(body);
    Description {
        project: project.map(bounded),
        partition: project.map(|id| named("project", id)),
        ..Description::unrecognized(action::UNRECOGNIZED)
    }
}

fn project(body: &Body) -> Option<&str> {
    let group = body.group(Kind::Project);
    present(&group.first.id).filter(|_| group.count == 1)
}

/// The task that all annotations or reviews of a group belong to: they say so themselves, or a single
/// task stands beside them.
fn task<'a>(body: &'a Body, group: &'a Group) -> Option<&'a str> {
    let beside = body.group(Kind::Task);
    let is_silent = group.first.task.is_empty() && !group.tasks_differ;
    common(&group.first.task, group.tasks_differ)
        .or_else(|| present(&beside.first.id).filter(|_| is_silent && beside.count == 1))
}

fn common(first: &str, differ: bool) -> Option<&str> {
    present(first).filter(|_| !differ)
}
