//! Picks out of a body the facts that it states about tasks and their annotations.

use crate::provider::extractor::{ExtractedValues, Extractor, Members, Node};
use crate::provider::ids::set_text;
use crate::task_facts::{AnnotationThere, Beside, TaskFact, TaskState};
use crate::time;
use labelrelay_json::{Container, Scalar, Scanner};
use std::collections::HashMap;

/// Reads `data`, the data of an event about `kind`. That of a fetched event is the entity alone.
pub(in crate::provider) fn task_facts(
    kind: &str,
    action: &str,
    is_fetched: bool,
    data: &[u8],
) -> Vec<TaskFact> {
    let mut scanner = Scanner::new(Extractor::new(Values::default()));
    if is_fetched {
        scanner.update(format!("{{\"{kind}\":").as_bytes());
    }
    scanner.update(data);
    if is_fetched {
        scanner.update(b"}");
    }
    let (check, extractor) = scanner.finish();
    let values = extractor.values();
    match (kind, action) {
        _ if !check.is_json || values.has_too_many() => Vec::new(),
        ("annotation", "created" | "updated") => {
            values.annotations_there(action == "created", is_fetched)
        }
        ("annotation", "deleted") => gone(&values.annotations, |ids| TaskFact::AnnotationsGone {
            are_several: ids.len() > 1,
            ids,
        }),
        ("task", "created") => values.tasks_there(),
        ("task", "deleted") => gone(&values.tasks, TaskFact::TasksGone),
        ("project", "deleted") => vec![TaskFact::ProjectGone],
        _ => Vec::new(),
    }
}

/// Entities of one kind that are read with their fields, a quarter of a KiB each. Label Studio writes over half
/// a KiB of each, so that this is its own only in bodies of many MiB.
const MOST_ENTITIES: usize = 10_000;

/// Annotations that a task is taken to have, or to need, at most.
const MOST_COUNTED: i64 = 1_000_000_000;

/// Values of a body.
#[derive(Debug, Default)]
struct Values {
    ignores_skipped: bool,
    annotations: Entities,
    tasks: Entities,
    at: Kind,
    /// The one that is being read.
    current: Entity,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Annotation,
    Task,
}

#[derive(Debug, Default)]
struct Entities {
    detailed: Vec<Entity>,
    /// Ids of entities of which nothing else is known: a list of a hundred thousand costs no more than itself.
    bare: Vec<i64>,
    has_too_many: bool,
}

#[derive(Debug, Default)]
struct Entity {
    id: Option<i64>,
    task: Option<i64>,
    was_cancelled: bool,
    created_at: String,
    updated_at: String,
    is_labeled: Option<bool>,
    overlap: Option<i64>,
    total: Option<i64>,
    cancelled: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Id,
    Task,
    WasCancelled,
    CreatedAt,
    UpdatedAt,
    IsLabeled,
    Overlap,
    Total,
    Cancelled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Document,
    Project,
    SkipQueue,
    Group(Kind),
    Element,
    Field(Field),
}

const MEMBERS: Members<Slot> = Members::Named(&[
    ("id", Node::leaf(Slot::Field(Field::Id))),
    (
        "task",
        Node::object(
            Slot::Field(Field::Task),
            Members::Named(&[("id", Node::leaf(Slot::Field(Field::Task)))]),
        ),
    ),
    (
        "was_cancelled",
        Node::leaf(Slot::Field(Field::WasCancelled)),
    ),
    ("created_at", Node::leaf(Slot::Field(Field::CreatedAt))),
    ("updated_at", Node::leaf(Slot::Field(Field::UpdatedAt))),
    ("is_labeled", Node::leaf(Slot::Field(Field::IsLabeled))),
    ("overlap", Node::leaf(Slot::Field(Field::Overlap))),
    ("total_annotations", Node::leaf(Slot::Field(Field::Total))),
    (
        "cancelled_annotations",
        Node::leaf(Slot::Field(Field::Cancelled)),
    ),
]);

static ELEMENT: Node<Slot> = Node::object(Slot::Element, MEMBERS);

const fn group(kind: Kind) -> Node<Slot> {
    Node {
        slot: Slot::Group(kind),
        members: MEMBERS,
        elements: Some(&ELEMENT),
    }
}

static BODY: Node<Slot> = Node::object(
    Slot::Document,
    Members::Named(&[
        (
            "project",
            Node::object(
                Slot::Project,
                Members::Named(&[("skip_queue", Node::leaf(Slot::SkipQueue))]),
            ),
        ),
        ("annotation", group(Kind::Annotation)),
        ("annotations", group(Kind::Annotation)),
        ("task", group(Kind::Task)),
        ("tasks", group(Kind::Task)),
    ]),
);

impl Values {
    fn entities(&mut self) -> &mut Entities {
        match self.at {
            Kind::Annotation => &mut self.annotations,
            Kind::Task => &mut self.tasks,
        }
    }

    /// The entity that was being read is whole.
    fn take_current(&mut self) {
        let entity = std::mem::take(&mut self.current);
        let entities = self.entities();
        match entity.id {
            Some(id) if entity.is_bare() => entities.bare.push(id),
            Some(_) if entities.detailed.len() < MOST_ENTITIES => entities.detailed.push(entity),
            Some(_) => entities.has_too_many = true,
            None => {}
        }
    }

    fn has_too_many(&self) -> bool {
        self.annotations.has_too_many || self.tasks.has_too_many
    }

    fn annotations_there(&self, is_new: bool, is_fetched: bool) -> Vec<TaskFact> {
        let states: HashMap<i64, TaskState> = self
            .tasks
            .detailed
            .iter()
            .filter_map(|task| Some((task.id?, self.state(task))))
            .collect();
        let the_only_task = match (self.tasks.detailed.as_slice(), self.tasks.bare.as_slice()) {
            ([task], []) => task.id,
            ([], [task]) => Some(*task),
            _ => None,
        };
        let is_one = self.annotations.detailed.len() == 1;
        let there = |annotation: &Entity| {
            let task = annotation.task.or(the_only_task)?;
            Some(TaskFact::Annotation(AnnotationThere {
                id: annotation.id?,
                task,
                counts: !annotation.was_cancelled || self.ignores_skipped,
                version: time::parse(&annotation.updated_at).map(time::sequence),
                is_new: is_new && !is_fetched,
                beside: match states.get(&task) {
                    Some(state) if is_one => Beside::After(*state),
                    Some(state) => Beside::Before(*state),
                    None => Beside::Nothing,
                },
            }))
        };
        self.annotations.detailed.iter().filter_map(there).collect()
    }

    fn tasks_there(&self) -> Vec<TaskFact> {
        let there = |task: &Entity| {
            Some(TaskFact::Task {
                id: task.id?,
                state: self.state(task),
                made: time::parse(&task.created_at).map(time::sequence),
            })
        };
        self.tasks.detailed.iter().filter_map(there).collect()
    }

    fn state(&self, task: &Entity) -> TaskState {
        let skipped = if self.ignores_skipped {
            task.cancelled.unwrap_or(0)
        } else {
            0
        };
        TaskState {
            is_labelled: task.is_labeled,
            overlap: task.overlap,
            counted: task.total.map(|total| total.saturating_add(skipped)),
        }
    }
}

fn gone(entities: &Entities, fact: impl FnOnce(Vec<i64>) -> TaskFact) -> Vec<TaskFact> {
    let detailed = entities.detailed.iter().filter_map(|entity| entity.id);
    let ids: Vec<_> = entities.bare.iter().copied().chain(detailed).collect();
    if ids.is_empty() {
        Vec::new()
    } else {
        vec![fact(ids)]
    }
}

impl Entity {
    fn is_bare(&self) -> bool {
        self.task.is_none()
            && self.updated_at.is_empty()
            && self.is_labeled.is_none()
            && self.total.is_none()
    }

    fn set(&mut self, field: Field, scalar: Scalar<'_>) {
        match field {
            Field::Id => self.id = id(scalar),
            Field::Task => self.task = id(scalar),
            Field::WasCancelled => self.was_cancelled = scalar == Scalar::Bool(true),
            Field::CreatedAt => set_text(&mut self.created_at, scalar),
            Field::UpdatedAt => set_text(&mut self.updated_at, scalar),
            Field::IsLabeled => {
                self.is_labeled = match scalar {
                    Scalar::Bool(is_labeled) => Some(is_labeled),
                    _ => None,
                }
            }
            Field::Overlap => self.overlap = count(scalar),
            Field::Total => self.total = count(scalar),
            Field::Cancelled => self.cancelled = count(scalar),
        }
    }
}

fn number(scalar: Scalar<'_>) -> Option<i64> {
    match scalar {
        Scalar::Number(Some(digits)) => digits.parse().ok().filter(|number| *number >= 0),
        _ => None,
    }
}

/// A number of annotations. One that no task can have is as good as any other that is too many, and can be added to.
fn count(scalar: Scalar<'_>) -> Option<i64> {
    number(scalar).map(|count| count.min(MOST_COUNTED))
}

fn id(scalar: Scalar<'_>) -> Option<i64> {
    number(scalar).filter(|id| *id > 0)
}

impl ExtractedValues for Values {
    type Slot = Slot;

    const ROOT: &'static Node<Slot> = &BODY;

    fn key(&mut self, slot: Slot, _name: &[u8]) {
        if let Slot::Group(kind) = slot {
            self.at = kind;
            *self.entities() = Entities::default();
        }
    }

    fn scalar(&mut self, slot: Slot, scalar: Scalar<'_>) {
        match slot {
            Slot::SkipQueue => {
                let mut text = String::new();
                set_text(&mut text, scalar);
                self.ignores_skipped = text == "IGNORE_SKIPPED";
            }
            Slot::Field(field) => self.current.set(field, scalar),
            // `"task": 7`.
            Slot::Group(_) | Slot::Element => {
                self.current = Entity {
                    id: id(scalar),
                    ..Entity::default()
                };
                self.take_current();
            }
            Slot::Document | Slot::Project => {}
        }
    }

    fn open(&mut self, slot: Slot, _container: Container) {
        if let Slot::Group(_) | Slot::Element = slot {
            self.current = Entity::default();
        }
    }

    fn close(&mut self, slot: Slot, container: Container) {
        if let (Slot::Group(_) | Slot::Element, Container::Object) = (slot, container) {
            self.take_current();
        }
    }
}
