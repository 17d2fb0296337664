//! Picks out of a webhook's body what its description needs: the action, and for each thing in it
//! five members. Only the top level counts: a task's data may hold keys of the same names.

use super::action::Kind;
use labelrelay_json::{Container, Interest, Visitor, Scalar, Text};
use crate::provider::ids::{Listed, set_id, set_text};

/// What stands in a body. An empty text is an absent one.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) is_object: bool,
    pub(super) action: String,
    /// `id` beside the action, as the documents' tables (not their examples) have it.
    pub(super) id: String,
    /// Under `task`, `annotation`, …, in the order of [`Kind::ALL`].
    singular: [Group; 5],
    /// Under `tasks`, `annotations`, …
    plural: [Group; 5],
    place: Place,
}

/// The things under one key: an object, or an array of objects.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) count: u32,
    pub(super) first: Entity,
    pub(super) tasks_differ: bool,
    pub(super) projects_differ: bool,
    pub(super) listed: Listed,
    /// The one that is being read.
    current: Entity,
}

/// A project, task, annotation, link or review.
#[derive(Debug, Default)]
pub(super) struct Entity {
    pub(super) id: String,
    pub(super) task: String,
    pub(super) project: String,
    pub(super) created_at: String,
    pub(super) updated_at: String,
}

/// Where the scanner is.
#[derive(Debug, Default)]
struct Place {
    top: Top,
    /// Depth of an entity's members: 2 for `"task": {…}`, 3 for `"tasks": [{…}]`, 0 outside.
    members_at: u32,
    field: Option<Field>,
    /// In the object that is an entity's `task` or `project`, at its `id`.
    at_nested_id: bool,
}

#[derive(Debug, Default, Clone, Copy)]
enum Top {
    #[default]
    Other,
    Action,
    Id,
    Group {
        kind: Kind,
        is_plural: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Id,
    Task,
    Project,
    CreatedAt,
    UpdatedAt,
}

impl Members {
    /// The things of one kind: those under the singular key if there are any, else those under the plural.
    pub(super) fn group(&self, kind: Kind) -> &Group {
        let [singular, plural] = [&self.singular, &self.plural].map(|groups| of_kind(groups, kind));
        if singular.count > 0 { singular } else { plural }
    }

    fn place_of_group(&mut self) -> Option<&mut Group> {
        match self.place.top {
            Top::Group { kind, is_plural } => {
                let groups = if is_plural {
                    &mut self.plural
                } else {
                    &mut self.singular
                };
                let [project, task, annotation, label_link, review] = groups;
                Some(match kind {
                    Kind::Project => project,
                    Kind::Task => task,
                    Kind::Annotation => annotation,
                    Kind::LabelLink => label_link,
                    Kind::Review => review,
                })
            }
            _ => None,
        }
    }

    fn top_key(&mut self, name: &[u8]) {
        let kind = |name: &[u8]| {
            Kind::ALL
                .into_iter()
                .find(|kind| kind.as_str().as_bytes() == name)
        };
        self.place = Place::default();
        self.place.top = if name == b"action" {
            self.action.clear();
            Top::Action
        } else if name == b"id" {
            self.id.clear();
            Top::Id
        } else if let Some(kind) = kind(name) {
            Top::Group {
                kind,
                is_plural: false,
            }
        } else if let Some(kind) = name.strip_suffix(b"s").and_then(kind) {
            Top::Group {
                kind,
                is_plural: true,
            }
        } else {
            Top::Other
        };
        if let Some(group) = self.place_of_group() {
            *group = Group::default();
        }
    }
}

fn of_kind(groups: &[Group; 5], kind: Kind) -> &Group {
    let [project, task, annotation, label_link, review] = groups;
    match kind {
        Kind::Project => project,
        Kind::Task => task,
        Kind::Annotation => annotation,
        Kind::LabelLink => label_link,
        Kind::Review => review,
    }
}

impl Group {
    /// The entity that was being read is whole.
    fn take_current(&mut self) {
        self.listed.add(&self.current.id);
        if self.count == 0 {
            std::mem::swap(&mut self.first, &mut self.current);
        } else {
            self.tasks_differ |= differ(&self.first.task, &self.current.task);
            self.projects_differ |= differ(&self.first.project, &self.current.project);
        }
        self.count = self.count.saturating_add(1);
        self.current.clear();
    }
}

/// Two empty strings are equal, but comparing them is slow: they point nowhere, and some processors
/// take a hundred nanoseconds to read nothing from there.
fn differ(a: &str, b: &str) -> bool {
    a.len() != b.len() || (!a.is_empty() && a != b)
}

impl Entity {
    fn clear(&mut self) {
        for text in [
            &mut self.id,
            &mut self.task,
            &mut self.project,
            &mut self.created_at,
            &mut self.updated_at,
        ] {
            text.clear();
        }
    }

    fn field(&mut self, field: Field) -> &mut String {
        match field {
            Field::Id => &mut self.id,
            Field::Task => &mut self.task,
            Field::Project => &mut self.project,
            Field::CreatedAt => &mut self.created_at,
            Field::UpdatedAt => &mut self.updated_at,
        }
    }
}

impl Visitor for Members {
    fn key(&mut self, depth: u32, key: Text<'_>) {
        let name = key.name();
        if depth == 1 {
            self.top_key(&name);
        } else if depth == self.place.members_at {
            let field = match &*name {
                b"id" => Some(Field::Id),
                b"task" => Some(Field::Task),
                b"project" => Some(Field::Project),
                b"created_at" => Some(Field::CreatedAt),
                b"updated_at" => Some(Field::UpdatedAt),
                _ => None,
            };
            self.place.field = field;
            self.place.at_nested_id = false;
            if let (Some(field), Some(group)) = (field, self.place_of_group()) {
                group.current.field(field).clear();
            }
        } else if let (Some(field), true) = (self.place.field, depth == self.place.members_at + 1) {
            self.place.at_nested_id = *name == *b"id";
            if self.place.at_nested_id
                && let Some(group) = self.place_of_group()
            {
                group.current.field(field).clear();
            }
        }
    }

    fn scalar(&mut self, depth: u32, scalar: Scalar<'_>) {
        let (field, members_at, at_nested_id) = (
            self.place.field,
            self.place.members_at,
            self.place.at_nested_id,
        );
        match (depth, self.place.top) {
            (1, Top::Action) => set_text(&mut self.action, scalar),
            (1, Top::Id) => set_id(&mut self.id, scalar),
            (_, Top::Group { .. }) => {
                let Some(group) = self.place_of_group() else {
                    return;
                };
                let at_field = depth == members_at || (depth == members_at + 1 && at_nested_id);
                if members_at > 0 && at_field {
                    match field {
                        Some(field @ (Field::Id | Field::Task | Field::Project)) => {
                            set_id(group.current.field(field), scalar);
                        }
                        Some(field) => set_text(group.current.field(field), scalar),
                        None => {}
                    }
                } else if depth + 1 == members_at || (depth == 1 && scalar != Scalar::Null) {
                    // `"project": 7`, or an element that is no object: at most an id.
                    set_id(&mut group.current.id, scalar);
                    group.take_current();
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, depth: u32, container: Container) -> Interest {
        let is_object = container == Container::Object;
        if depth == 0 {
            self.is_object = is_object;
            return if is_object {
                Interest::Watch
            } else {
                Interest::Skip
            };
        }
        let (field, members_at) = (self.place.field, self.place.members_at);
        let Some(group) = self.place_of_group() else {
            return Interest::Skip;
        };
        if depth == 1 {
            group.current.clear();
            self.place.members_at = if is_object { 2 } else { 3 };
            Interest::Watch
        } else if depth + 1 == members_at {
            if is_object {
                Interest::Watch
            } else {
                group.take_current();
                Interest::Skip
            }
        } else if depth == members_at
            && is_object
            && matches!(field, Some(Field::Task | Field::Project))
        {
            Interest::Watch
        } else {
            Interest::Skip
        }
    }

    fn close(&mut self, depth: u32) {
        let members_at = self.place.members_at;
        if depth > 0
            && depth + 1 == members_at
            && let Some(group) = self.place_of_group()
        {
            group.take_current();
        }
    }
}
