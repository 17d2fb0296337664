//! Picks out of a webhook's body what its description needs: the action, and for each thing in it
//! five members. Only the top level counts: a task's data may hold keys of the same names.

use super::action::Kind;
use crate::provider::extractor::{ExtractedValues, Members, Node};
use crate::provider::ids::{Listed, set_id, set_text};
use labelrelay_json::{Container, Scalar};

/// Values of a body. An empty text is an absent one.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) action: String,
    /// `id` beside the action, as the documents' tables (not their examples) have it.
    pub(super) id: String,
    /// Under `task`, `annotation`, …, in the order of [`Kind::ALL`].
    singular: [Group; 5],
    /// Under `tasks`, `annotations`, …
    plural: [Group; 5],
    /// The group that is being read.
    at: Option<Key>,
}

/// The key of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    kind: Kind,
    is_plural: bool,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    Task,
    Project,
    CreatedAt,
    UpdatedAt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Document,
    Action,
    Id,
    Group(Key),
    /// One of several things under a key.
    Element,
    Field(Field),
    /// `id` in the object that a thing's `task` or `project` is.
    IdIn(Field),
}

/// The members of a thing that count.
const MEMBERS: Members<Slot> = Members::Named(&[
    ("id", Node::leaf(Slot::Field(Field::Id))),
    (
        "task",
        Node::object(
            Slot::Field(Field::Task),
            Members::Named(&[("id", Node::leaf(Slot::IdIn(Field::Task)))]),
        ),
    ),
    (
        "project",
        Node::object(
            Slot::Field(Field::Project),
            Members::Named(&[("id", Node::leaf(Slot::IdIn(Field::Project)))]),
        ),
    ),
    ("created_at", Node::leaf(Slot::Field(Field::CreatedAt))),
    ("updated_at", Node::leaf(Slot::Field(Field::UpdatedAt))),
]);

static ELEMENT: Node<Slot> = Node::object(Slot::Element, MEMBERS);

/// Either key may hold one thing or several: versions differ in which of the two they send.
const fn group(name: &'static str, kind: Kind, is_plural: bool) -> (&'static str, Node<Slot>) {
    let group = Node {
        slot: Slot::Group(Key { kind, is_plural }),
        members: MEMBERS,
        elements: Some(&ELEMENT),
    };
    (name, group)
}

static BODY: Node<Slot> = Node::object(
    Slot::Document,
    Members::Named(&[
        ("action", Node::leaf(Slot::Action)),
        ("id", Node::leaf(Slot::Id)),
        group("project", Kind::Project, false),
        group("task", Kind::Task, false),
        group("annotation", Kind::Annotation, false),
        group("label_link", Kind::LabelLink, false),
        group("review", Kind::Review, false),
        group("projects", Kind::Project, true),
        group("tasks", Kind::Task, true),
        group("annotations", Kind::Annotation, true),
        group("label_links", Kind::LabelLink, true),
        group("reviews", Kind::Review, true),
    ]),
);

impl Body {
    /// The things of one kind: those under the singular key if there are any, else those under the plural.
    pub(super) fn group(&self, kind: Kind) -> &Group {
        let [singular, plural] = [&self.singular, &self.plural].map(|groups| of_kind(groups, kind));
        if singular.count > 0 { singular } else { plural }
    }

    fn at(&mut self) -> Option<&mut Group> {
        let Key { kind, is_plural } = self.at?;
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

impl ExtractedValues for Body {
    type Slot = Slot;

    const ROOT: &'static Node<Slot> = &BODY;

    fn key(&mut self, slot: Slot, _name: &[u8]) {
        match slot {
            Slot::Action => self.action.clear(),
            Slot::Id => self.id.clear(),
            Slot::Group(key) => {
                self.at = Some(key);
                if let Some(group) = self.at() {
                    *group = Group::default();
                }
            }
            Slot::Field(field) | Slot::IdIn(field) => {
                if let Some(group) = self.at() {
                    group.current.field(field).clear();
                }
            }
            Slot::Document | Slot::Element => {}
        }
    }

    fn scalar(&mut self, slot: Slot, scalar: Scalar<'_>) {
        match slot {
            Slot::Action => set_text(&mut self.action, scalar),
            Slot::Id => set_id(&mut self.id, scalar),
            _ => {
                if let Some(group) = self.at() {
                    group.scalar(slot, scalar);
                }
            }
        }
    }

    fn open(&mut self, slot: Slot, container: Container) {
        let Some(group) = self.at() else { return };
        match (slot, container) {
            (Slot::Group(_), _) => group.current.clear(),
            // No thing, but one of them.
            (Slot::Element, Container::Array) => group.take_current(),
            _ => {}
        }
    }

    fn close(&mut self, slot: Slot, container: Container) {
        let is_thing = container == Container::Object;
        if let (Slot::Group(_) | Slot::Element, true, Some(group)) = (slot, is_thing, self.at()) {
            group.take_current();
        }
    }
}

impl Group {
    fn scalar(&mut self, slot: Slot, scalar: Scalar<'_>) {
        match slot {
            Slot::Field(field @ (Field::CreatedAt | Field::UpdatedAt)) => {
                set_text(self.current.field(field), scalar);
            }
            Slot::Field(field) | Slot::IdIn(field) => set_id(self.current.field(field), scalar),
            // `"project": null` is no thing.
            Slot::Group(_) if scalar == Scalar::Null => {}
            // `"project": 7`, or an element that is no object: at most an id.
            Slot::Group(_) | Slot::Element => {
                set_id(&mut self.current.id, scalar);
                self.take_current();
            }
            Slot::Document | Slot::Action | Slot::Id => {}
        }
    }
}
