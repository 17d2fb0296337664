//! Bodies of Label Studio from which more is derived: of tasks, of their annotations, and of the end of both.
//!
//! All that they tell is of long ago. So what is gone never comes back by them, whatever time it is here.

use crate::random_json;
use labelrelay_tests::random::Random;
use std::ops::Range;

/// The project of all of them.
pub(crate) const PROJECT: u32 = 7;

/// Annotations that a task may have.
const ANNOTATIONS: u32 = 6;

/// After so many deliveries, another task is told of. So about eight deliveries to each source are about one task.
const TASK_EVERY: u32 = 48;

/// What a body tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// A task is there.
    Task {
        task: u32,
        /// Annotations that it needs to be labelled.
        overlap: u32,
        is_labelled: bool,
    },
    /// An annotation is there.
    Annotation {
        annotation: u32,
        task: u32,
        /// What is said beside it: whether its task is labelled.
        is_labelled: Option<bool>,
    },
    /// Annotations are gone.
    AnnotationsGone(Vec<u32>),
    /// Tasks are gone, with all their annotations.
    TasksGone(Vec<u32>),
}

impl Told {
    /// Tells whether it is about the end of something.
    pub(super) const fn is_deletion(&self) -> bool {
        matches!(self, Self::AnnotationsGone(_) | Self::TasksGone(_))
    }
}

/// All annotations that a task may have.
pub(crate) fn annotations_of(task: u32) -> Range<u32> {
    task * ANNOTATIONS..(task + 1) * ANNOTATIONS
}

/// The body of this delivery, and what it tells. No other delivery has the same bytes, or tells of the same version.
pub(super) fn make(tag: &str, number: u32, random: &mut Random) -> (Vec<u8>, Told) {
    let told = tell(number, random);
    let time = time(number);
    let body = match &told {
        Told::Task {
            task,
            overlap,
            is_labelled,
        } => format!(
            r#"{{"action": "TASKS_CREATED", "tasks": [{{"id": {task}, "data": {{"text": "{tag}"}}, "created_at": "{time}", "is_labeled": {is_labelled}, "overlap": {overlap}}}], "project": {{"id": {PROJECT}}}}}"#
        ),
        Told::Annotation {
            annotation,
            task,
            is_labelled,
        } => {
            let verb = if random.below(2) == 0 {
                "CREATED"
            } else {
                "UPDATED"
            };
            let beside = is_labelled.map_or_else(String::new, |is_labelled| {
                format!(r#""task": {{"id": {task}, "is_labeled": {is_labelled}}}, "#)
            });
            let result = random_json::object(random, tag);
            format!(
                r#"{{"action": "ANNOTATION_{verb}", "annotation": {{"id": {annotation}, "result": [{result}], "task": {task}, "project": {PROJECT}, "created_at": "2020-01-01T00:00:00.000000Z", "updated_at": "{time}"}}, {beside}"project": {{"id": {PROJECT}, "title": "é {tag}"}}}}"#
            )
        }
        Told::AnnotationsGone(ids) => gone("ANNOTATIONS_DELETED", "annotations", ids, tag),
        Told::TasksGone(ids) => gone("TASKS_DELETED", "tasks", ids, tag),
    };
    (body.into_bytes(), told)
}

fn tell(number: u32, random: &mut Random) -> Told {
    // Some are about a task that was told of before, and perhaps is gone.
    let task = (1 + number / TASK_EVERY)
        .saturating_sub(below(random, 3))
        .max(1);
    let mut annotations: Vec<u32> = annotations_of(task).collect();
    let annotation = annotations_of(task).start + below(random, ANNOTATIONS);
    match random.below(100) {
        0..15 => Told::Task {
            task,
            overlap: 1 + below(random, 2),
            is_labelled: random.below(4) == 0,
        },
        15..72 => Told::Annotation {
            annotation,
            task,
            is_labelled: match random.below(6) {
                0 => Some(true),
                1 => Some(false),
                _ => None,
            },
        },
        72..82 => Told::AnnotationsGone(vec![annotation]),
        82..94 => {
            if random.below(3) == 0 {
                annotations.extend(annotations_of(task + 1));
            }
            // Two of them at least: one alone has no derived event.
            annotations.retain(|id| id % ANNOTATIONS < 2 || random.below(3) == 0);
            Told::AnnotationsGone(annotations)
        }
        94..97 => Told::TasksGone(vec![task]),
        _ => Told::TasksGone(vec![task + 1, task]),
    }
}

/// The time of what this delivery tells, by which its versions are ordered.
fn time(number: u32) -> String {
    let (day, hour) = (1 + number / 86_400, number / 3600 % 24);
    let (minute, second) = (number / 60 % 60, number % 60);
    // Never without a fraction: whole seconds are no version.
    let fraction = 1 + number % 999_999;
    format!("2020-01-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}Z")
}

fn gone(action: &str, list: &str, ids: &[u32], tag: &str) -> String {
    let ids: Vec<String> = ids.iter().map(|id| format!(r#"{{"id": {id}}}"#)).collect();
    let ids = ids.join(", ");
    format!(
        r#"{{"action": "{action}", "{list}": [{ids}], "project": {{"id": {PROJECT}}}, "tag": "{tag}"}}"#
    )
}

fn below(random: &mut Random, bound: u32) -> u32 {
    u32::try_from(random.below(u64::from(bound))).unwrap()
}
