//! From what stands in a body to what the envelope says. The body alone decides the shape.

use super::event_types::WORKFLOW_UNRECOGNIZED;
use super::extract::{Body, Rows};
use super::labels::Projects;
use super::topic::{Topic, Verb};
use super::v1;
use crate::describe::Description;
use crate::identity::{Identity, bounded};
use crate::provider::ids::{named, present};
use crate::time;
use labelrelay_event::{EventType, TypeFrom};

pub(super) fn describe(body: Body, topic: Option<Topic>) -> Description {
    if let (true, Some(projects)) = (body.data_row_v2.is_object, &body.projects) {
        return label_v2(&body, projects, topic);
    }
    if let (Some(action), Some(rows)) = (present(&body.action), &body.data_row_ids) {
        return workflow(&body, action, rows);
    }
    if let (Some(_), Some(run)) = (present(&body.model_id), present(&body.model_run_id)) {
        return model_run(run);
    }
    v1::describe(body, topic)
}

/// A row with its labels, in the form of an export. It does not say what happened: only the header does.
fn label_v2(body: &Body, projects: &Projects, topic: Option<Topic>) -> Description {
    let (event_type, type_from) = match topic {
        Some(Topic::Label(Verb::Created)) => ("com.labelbox.label.created", TypeFrom::Header),
        Some(Topic::Label(Verb::Updated)) => ("com.labelbox.label.updated", TypeFrom::Header),
        Some(Topic::Label(Verb::Deleted)) => ("com.labelbox.label.deleted", TypeFrom::Header),
        _ => ("com.labelbox.label.unrecognized", TypeFrom::Body),
    };
    let event_type = EventType::from_static(event_type);
    let (labels, label, newest) = projects.all();
    let row = present(&body.data_row_v2.id).map(|row| named("data_row", row));
    let project = present(&projects.first_id).filter(|_| projects.count == 1);
    Description {
        type_from: Some(type_from),
        subject: present(label)
            .filter(|_| labels == 1)
            .map(|label| named("label", label))
            .or_else(|| row.clone()),
        time: newest.map(|(_, written)| written.clone()),
        schema: Some("urn:labelrelay:schema:labelbox-label-v2:1"),
        project: project.map(bounded),
        partition: row.or_else(|| project.map(|project| named("project", project))),
        sequence: newest
            .filter(|_| !event_type.is_deletion())
            .map(|&(time, _)| time::sequence(time)),
        // Several labels: which of them it is about is not said, and two of them may change before the row is read.
        // A deletion: what is left of the row is the same after each.
        identity: match newest {
            Some((_, written))
                if labels == 1
                    && !label.is_empty()
                    && matches!(event_type.action(), "created" | "updated")
                    && time::parse_version(written).is_some() =>
            {
                Identity::Content
            }
            _ => Identity::Delivery,
        },
        ..Description::unrecognized(event_type)
    }
}

/// Rows went from one queue of a project to another.
fn workflow(body: &Body, action: &str, rows: &Rows) -> Description {
    let project = present(&body.project_id);
    let holder = present(&rows.first)
        .filter(|_| rows.count == 1)
        .map(|row| named("data_row", row))
        .or_else(|| project.map(|project| named("project", project)));
    let time = time::parse(&body.timestamp);
    Description {
        type_from: Some(TypeFrom::Body),
        subject: holder.clone(),
        time: time.map(|_| body.timestamp.clone()),
        schema: Some("urn:labelrelay:schema:labelbox-workflow:1"),
        project: project.map(bounded),
        partition: holder,
        sequence: time.map(time::sequence),
        // The same rows may be moved the same way again.
        identity: if !rows.first.is_empty() && time::parse_version(&body.timestamp).is_some() {
            Identity::Content
        } else {
            Identity::Delivery
        },
        ..Description::unrecognized(workflow_type(action))
    }
}

/// The action's own name, where it makes a name: the documents list some and promise no more.
fn workflow_type(action: &str) -> EventType {
    let action = action.to_ascii_lowercase();
    if !action
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    {
        return WORKFLOW_UNRECOGNIZED;
    }
    format!("com.labelbox.workflow.{action}")
        .parse()
        .unwrap_or(WORKFLOW_UNRECOGNIZED)
}

/// A request to train. Its bytes repeat whenever somebody asks again.
fn model_run(run: &str) -> Description {
    let run = named("model_run", run);
    Description {
        type_from: Some(TypeFrom::Body),
        subject: Some(run.clone()),
        schema: Some("urn:labelrelay:schema:labelbox-model-run:1"),
        partition: Some(run),
        ..Description::unrecognized(EventType::from_static("com.labelbox.model_run.created"))
    }
}
