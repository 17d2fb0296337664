//! A body about things of one kind.

use super::groups::read_result;
use super::task_texts::{MAX_COMPARED, TaskTexts};
use crate::changes::context::Context;
use crate::changes::{Annotation, Change, Key, Kind, Project, Record, Review, Task, Thing};
use crate::json::Value;
use crate::{ErrorKind, EventError};
use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

type Id<'a> = Cow<'a, str>;

pub(super) struct Body<'c, 'd, 'a> {
    context: &'c Context<'c>,
    payload: Value<'d, 'a>,
    kind: Kind,
    /// The only project beside the things.
    project: Option<Id<'a>>,
    /// The only task beside them.
    task: Option<Id<'a>>,
    /// The only annotation beside them.
    annotation: Option<Id<'a>>,
    /// When each annotation beside them was changed.
    changed_at: HashMap<Id<'a>, Id<'a>>,
    /// Texts of each task beside them.
    texts: HashMap<Id<'a>, TaskTexts<'d, 'a>>,
    /// Parents of a thing that names none itself: a deletion of thousands names nothing but ids.
    common: OnceCell<Arc<[Key<'a>]>>,
}

impl<'c, 'd, 'a> Body<'c, 'd, 'a> {
    pub(super) fn new(context: &'c Context<'c>, payload: Value<'d, 'a>, kind: Kind) -> Self {
        let beside = |kind| {
            let found = if context.is_thing() {
                None
            } else {
                listed(payload, kind)
            };
            found.map_or_else(Vec::new, |things| things.each().collect())
        };
        // A deletion names thousands of tasks, and what stands beside a task is no part of it.
        let of_annotations = matches!(kind, Kind::Annotation | Kind::Review);
        let tasks = if of_annotations {
            beside(Kind::Task)
        } else {
            Vec::new()
        };
        let annotations = match kind {
            Kind::Review => beside(Kind::Annotation),
            _ => Vec::new(),
        };
        let left = Rc::new(Cell::new(MAX_COMPARED));
        let texts = tasks.iter().filter_map(|task| {
            let texts = TaskTexts::new(task.member("data"), &left);
            Some((task.reference()?, texts))
        });
        Self {
            context,
            payload,
            kind,
            project: only(&beside(Kind::Project)),
            task: only(&tasks),
            annotation: only(&annotations),
            changed_at: annotations
                .iter()
                .filter_map(|it| Some((it.reference()?, text(*it, "updated_at")?)))
                .collect(),
            texts: texts.collect(),
            common: OnceCell::new(),
        }
    }

    /// The things that the event is about.
    pub(super) fn things(&self) -> Result<Things<'d, 'a>, EventError> {
        if self.context.is_thing() {
            return Ok(Things::One(self.payload)); // what the API returned, or what is left of it
        }
        if let Some(found) = listed(self.payload, self.kind) {
            return Ok(found);
        }
        let id = self.payload.member("id");
        if let Some(id) = id.filter(|id| id.identifier().is_some()) {
            return Ok(Things::One(id));
        }
        let mut lists = names_of(self.kind).into_iter();
        let list = lists.find_map(|name| self.payload.member(name).filter(|list| list.is_array()));
        if let Some(empty) = list {
            return Ok(Things::In(empty));
        }
        let why = format!(
            "the body does not say which {} it is about; switch on Send payload in the webhook's settings",
            self.kind
        );
        Err(self.context.error(ErrorKind::PayloadMissing, why))
    }

    /// A thing that was created or changed.
    pub(super) fn changed(&self, thing: Value<'d, 'a>) -> Result<Change<'a>, EventError> {
        let key = self.key(thing)?;
        // A label link has no time of its own.
        let written = if self.kind == Kind::LabelLink {
            None
        } else {
            text(thing, "updated_at")
        };
        let parents = self.parents(thing, None);
        let record = thing.is_object().then(|| self.record(thing)).flatten();
        let version = (written.as_deref(), true);
        Ok(self.context.changed(key, version, parents, record))
    }

    /// A thing that is gone. A deletion has thousands, so that even calls count.
    #[inline]
    pub(super) fn removed(&self, thing: Value<'d, 'a>) -> Result<Change<'a>, EventError> {
        let task = self.context.attributes.task.as_deref();
        if let Some(id) = sole_id(thing) {
            let key = self.context.key_of(self.kind, Some(id))?;
            return Ok(self.context.removed(key, self.common_parents(task)));
        }
        let parents = self.parents(thing, task);
        Ok(self.context.removed(self.key(thing)?, parents))
    }

    #[inline]
    fn key(&self, thing: Value<'d, 'a>) -> Result<Key<'a>, EventError> {
        let id = if thing.is_object() {
            thing.member("id")
        } else {
            Some(thing)
        };
        self.context.key_of(self.kind, id)
    }

    #[inline]
    fn parents(&self, thing: Value<'d, 'a>, task: Option<&str>) -> Arc<[Key<'a>]> {
        if thing.has_any(&["annotation", "project", "task"]) {
            return self.find_parents(Some(thing), task);
        }
        self.common_parents(task)
    }

    #[inline]
    fn common_parents(&self, task: Option<&str>) -> Arc<[Key<'a>]> {
        let common = self.common.get_or_init(|| self.find_parents(None, task));
        Arc::clone(common)
    }

    fn find_parents(&self, thing: Option<Value<'d, 'a>>, known: Option<&str>) -> Arc<[Key<'a>]> {
        let named = |name| thing.and_then(|thing| thing.member(name)?.reference());
        let (mut annotation, mut task, mut project) = (None, None, None);
        if self.kind == Kind::Review {
            annotation = self.reviewed(thing);
        }
        if matches!(self.kind, Kind::Annotation | Kind::Review) {
            let known = || known.map(|task| Cow::Owned(task.to_owned()));
            task = named("task").or_else(|| self.task.clone()).or_else(known);
        }
        if self.kind != Kind::Project {
            project = self.project.clone().or_else(|| named("project"));
        }
        self.context.keys([
            (Kind::Annotation, annotation),
            (Kind::Task, task),
            (Kind::Project, project),
        ])
    }

    /// The annotation that a review is of.
    fn reviewed(&self, review: Option<Value<'d, 'a>>) -> Option<Id<'a>> {
        let own = review.and_then(|review| review.member("annotation")?.reference());
        own.or_else(|| self.annotation.clone())
    }

    /// The record of the thing. An object that just names it has no record: nothing must read as empty of which nothing was
    /// said.
    fn record(&self, thing: Value<'d, 'a>) -> Option<Record<'a>> {
        let raw = thing.raw();
        let (created, updated) = (text(thing, "created_at"), text(thing, "updated_at"));
        let project = || {
            let own = || thing.member("project").and_then(Value::reference);
            self.project.clone().or_else(own)
        };
        let flag = |name| thing.member(name).and_then(Value::flag);
        Some(match self.kind {
            Kind::Annotation => {
                let result = thing.member("result").filter(|result| result.is_array())?;
                let own = thing.member("task").and_then(Value::reference);
                let task = own.or_else(|| self.task.clone());
                let beside = task.as_ref().and_then(|task| self.texts.get(task));
                let marks = read_result(result, beside);
                Record::Annotation(Annotation {
                    task,
                    project: project(),
                    author: thing.member("completed_by").and_then(Value::reference),
                    created,
                    updated,
                    skipped: flag("was_cancelled"),
                    ground_truth: flag("ground_truth"),
                    workflow: None,
                    regions: marks.regions,
                    classifications: marks.classifications,
                    relations: marks.relations,
                    raw,
                })
            }
            Kind::Task => Record::Task(Task {
                project: project(),
                created,
                updated,
                labelled: flag("is_labeled"),
                data: thing.find("data")?.raw(),
                raw,
            }),
            Kind::Project => {
                thing.find("title")?;
                Record::Project(Project {
                    title: text(thing, "title"),
                    label_config: text(thing, "label_config"),
                    created,
                    updated,
                    raw,
                })
            }
            Kind::Review => Record::Review(Review {
                accepted: flag("accepted"),
                score: None,
                created,
                updated,
                reviewed: self
                    .reviewed(Some(thing))
                    .and_then(|annotation| self.changed_at.get(&annotation).cloned()),
                raw,
            }),
            _ => Record::Thing(Thing { raw }),
        })
    }
}

/// The id of an object that has nothing else.
#[inline]
fn sole_id<'d, 'a>(thing: Value<'d, 'a>) -> Option<Value<'d, 'a>> {
    let mut pairs = thing.pairs();
    let (key, id) = pairs.next()?;
    (pairs.next().is_none() && key.reads("id")).then_some(id)
}

fn text<'a>(thing: Value<'_, 'a>, name: &str) -> Option<Cow<'a, str>> {
    thing.member(name).and_then(Value::text)
}

fn only<'a>(things: &[Value<'_, 'a>]) -> Option<Cow<'a, str>> {
    match things {
        [one] => one.reference(),
        _ => None,
    }
}

/// Singular and plural: versions differ in which they send.
fn names_of(kind: Kind) -> [&'static str; 2] {
    match kind {
        Kind::Project => ["project", "projects"],
        Kind::Task => ["task", "tasks"],
        Kind::LabelLink => ["label_link", "label_links"],
        Kind::Review => ["review", "reviews"],
        _ => ["annotation", "annotations"],
    }
}

/// The things under the singular key, else those under the plural. Under either may be one thing, several in an array, or
/// an id alone. `null` is none.
fn listed<'d, 'a>(payload: Value<'d, 'a>, kind: Kind) -> Option<Things<'d, 'a>> {
    names_of(kind).into_iter().find_map(|name| {
        let held = payload.member(name)?;
        if !held.is_array() {
            return Some(Things::One(held));
        }
        held.items().next().is_some().then_some(Things::In(held))
    })
}

/// Things of a body, in its order. A deletion may name half a million: nobody keeps a list of their places.
pub(super) enum Things<'d, 'a> {
    One(Value<'d, 'a>),
    /// Those in an array.
    In(Value<'d, 'a>),
}

impl<'d, 'a> Things<'d, 'a> {
    pub(super) fn each(&self) -> impl Iterator<Item = Value<'d, 'a>> {
        let (one, several) = match self {
            Self::One(thing) => (Some(*thing), None),
            Self::In(array) => (None, Some(array.items())),
        };
        one.into_iter().chain(several.into_iter().flatten())
    }

    pub(super) fn count(&self) -> usize {
        self.each().count()
    }
}
