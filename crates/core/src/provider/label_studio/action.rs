//! The names of actions, and the event types that they become.

use labelrelay_event::EventType;

/// Types that a body of Label Studio can become, for checking what somebody wrote into a filter.
pub(in crate::provider) const KNOWN_TYPES: &str = "\
    io.labelstud.project.created io.labelstud.project.updated io.labelstud.project.deleted \
    io.labelstud.task.created io.labelstud.task.updated io.labelstud.task.deleted io.labelstud.task.completed \
    io.labelstud.annotation.created io.labelstud.annotation.updated io.labelstud.annotation.deleted \
    io.labelstud.label_link.created io.labelstud.label_link.updated io.labelstud.label_link.deleted \
    io.labelstud.review.created io.labelstud.review.updated io.labelstud.review.deleted \
    io.labelstud.training.started io.labelstud.unrecognized";

pub(super) const UNRECOGNIZED: EventType = EventType::from_static("io.labelstud.unrecognized");

pub(super) const TRAINING_STARTED: EventType =
    EventType::from_static("io.labelstud.training.started");

/// Action of a user's click in the settings of an ML back end.
pub(super) const START_TRAINING: &str = "START_TRAINING";

/// Kind of thing that an action is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Project,
    Task,
    Annotation,
    LabelLink,
    Review,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [
        Self::Project,
        Self::Task,
        Self::Annotation,
        Self::LabelLink,
        Self::Review,
    ];

    /// The key under which one such thing stands in a body.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Task => "task",
            Self::Annotation => "annotation",
            Self::LabelLink => "label_link",
            Self::Review => "review",
        }
    }

    pub(super) const fn schema(self) -> &'static str {
        match self {
            Self::Project => "urn:labelrelay:schema:label-studio-project:1",
            Self::Task => "urn:labelrelay:schema:label-studio-task:1",
            Self::Annotation => "urn:labelrelay:schema:label-studio-annotation:1",
            Self::LabelLink => "urn:labelrelay:schema:label-studio-label-link:1",
            Self::Review => "urn:labelrelay:schema:label-studio-review:1",
        }
    }
}

/// Change that an action reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Created,
    Updated,
    Deleted,
}

/// Reads `ANNOTATION_CREATED`, `ANNOTATIONS_CREATED` and their like. Versions differ in which of the
/// two they send for one thing, so both mean the same.
pub(super) fn parse(action: &str) -> Option<(Kind, Verb)> {
    let (noun, verb) = action.rsplit_once('_')?;
    let verb = match verb {
        "CREATED" => Verb::Created,
        "UPDATED" => Verb::Updated,
        "DELETED" => Verb::Deleted,
        _ => return None,
    };
    let kind = match noun.strip_suffix('S').unwrap_or(noun) {
        "PROJECT" => Kind::Project,
        "TASK" => Kind::Task,
        "ANNOTATION" => Kind::Annotation,
        "LABEL_LINK" => Kind::LabelLink,
        "REVIEW" => Kind::Review,
        _ => return None,
    };
    Some((kind, verb))
}

/// The name of an action about one thing of `kind`.
pub(super) fn name(kind: Kind, verb: Verb) -> String {
    let verb = match verb {
        Verb::Created => "CREATED",
        Verb::Updated => "UPDATED",
        Verb::Deleted => "DELETED",
    };
    format!("{}_{verb}", kind.as_str().to_ascii_uppercase())
}

pub(super) const fn event_type(kind: Kind, verb: Verb) -> EventType {
    EventType::from_static(match (kind, verb) {
        (Kind::Project, Verb::Created) => "io.labelstud.project.created",
        (Kind::Project, Verb::Updated) => "io.labelstud.project.updated",
        (Kind::Project, Verb::Deleted) => "io.labelstud.project.deleted",
        (Kind::Task, Verb::Created) => "io.labelstud.task.created",
        (Kind::Task, Verb::Updated) => "io.labelstud.task.updated",
        (Kind::Task, Verb::Deleted) => "io.labelstud.task.deleted",
        (Kind::Annotation, Verb::Created) => "io.labelstud.annotation.created",
        (Kind::Annotation, Verb::Updated) => "io.labelstud.annotation.updated",
        (Kind::Annotation, Verb::Deleted) => "io.labelstud.annotation.deleted",
        (Kind::LabelLink, Verb::Created) => "io.labelstud.label_link.created",
        (Kind::LabelLink, Verb::Updated) => "io.labelstud.label_link.updated",
        (Kind::LabelLink, Verb::Deleted) => "io.labelstud.label_link.deleted",
        (Kind::Review, Verb::Created) => "io.labelstud.review.created",
        (Kind::Review, Verb::Updated) => "io.labelstud.review.updated",
        (Kind::Review, Verb::Deleted) => "io.labelstud.review.deleted",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_are_those_of_kind_and_verb() {
        for kind in Kind::ALL {
            for (verb, name) in [
                (Verb::Created, "created"),
                (Verb::Updated, "updated"),
                (Verb::Deleted, "deleted"),
            ] {
                assert_eq!(
                    event_type(kind, verb).as_str(),
                    format!("io.labelstud.{}.{name}", kind.as_str())
                );
                assert_eq!(parse(&self::name(kind, verb)), Some((kind, verb)));
                for plural in ["", "S"] {
                    let action = format!(
                        "{}{plural}_{}",
                        kind.as_str().to_uppercase(),
                        name.to_uppercase()
                    );
                    assert_eq!(parse(&action), Some((kind, verb)), "{action}");
                }
            }
        }
    }

    #[test]
    fn nothing_else_is_an_action() {
        for action in [
            "",
            "_",
            "TASK",
            "CREATED",
            "_CREATED",
            "S_CREATED",
            "task_created",
            "TASKSS_CREATED",
            "TASK_CREATED ",
            "TASK_ARCHIVED",
            "LABELLINK_CREATED",
        ] {
            assert_eq!(parse(action), None, "{action}");
        }
    }
}
