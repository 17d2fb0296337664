//! Tasks and annotations of one source, as the events of the queue told of them, in their order: the rules by which
//! more follows from these.

use crate::delivery::{Told, annotations_of};
use std::collections::BTreeMap;

/// What is known of them.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    tasks: BTreeMap<u32, Task>,
    annotations: BTreeMap<u32, Annotation>,
}

#[derive(Debug, Default)]
struct Task {
    /// Something was told of it, or of an annotation of it.
    is_known: bool,
    is_gone: bool,
    is_labelled: bool,
    /// Annotations that it needs to be labelled; 0: nothing was said.
    overlap: u32,
    /// Version of the newest annotation beside which was said whether the task is labelled.
    version: Option<String>,
}

#[derive(Debug)]
struct Annotation {
    /// Its task, if it was told before the annotation was gone.
    task: Option<u32>,
    /// Its newest version; `None` once it is gone.
    version: Option<String>,
}

/// What follows from an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Follows {
    /// A task is completed: by this annotation, or as it was made.
    Completed { task: u32, annotation: Option<u32> },
    /// An annotation went with others, or with its task.
    Gone {
        annotation: u32,
        task: Option<u32>,
        newest: Option<String>,
    },
}

impl Tasks {
    /// Takes in what the next event tells, whose version is this, and says what follows.
    pub(super) fn take_in(&mut self, told: &Told, version: &str) -> Vec<Follows> {
        match told {
            Told::Task {
                task,
                overlap,
                is_labelled,
            } => {
                let follows = self.task(*task, *overlap, *is_labelled);
                follows.into_iter().collect()
            }
            Told::Annotation {
                annotation,
                task,
                is_labelled,
            } => {
                let follows = self.annotation(*annotation, *task, *is_labelled, version);
                follows.into_iter().collect()
            }
            Told::AnnotationsGone(ids) => {
                let gone: Vec<_> = ids.iter().filter_map(|id| self.end(*id)).collect();
                // One that goes alone has the platform's own event.
                if ids.len() > 1 { gone } else { Vec::new() }
            }
            Told::TasksGone(ids) => ids.iter().flat_map(|task| self.end_task(*task)).collect(),
        }
    }

    /// The task of all these annotations, if each of them is known, and there.
    pub(super) fn only_task(&self, annotations: &[u32]) -> Option<u32> {
        let mut tasks = annotations.iter().map(|id| {
            let known = self.annotations.get(id)?;
            known.version.as_ref().and(known.task)
        });
        let first = tasks.next()??;
        tasks.all(|task| task == Some(first)).then_some(first)
    }

    /// A task's creation tells what was before all that is known.
    fn task(&mut self, id: u32, overlap: u32, is_labelled: bool) -> Option<Follows> {
        let task = self.tasks.entry(id).or_default();
        if task.is_known || task.is_gone {
            return None;
        }
        task.is_known = true;
        task.overlap = overlap;
        task.is_labelled = is_labelled;
        is_labelled.then_some(Follows::Completed {
            task: id,
            annotation: None,
        })
    }

    fn annotation(
        &mut self,
        id: u32,
        task_id: u32,
        is_labelled: Option<bool>,
        version: &str,
    ) -> Option<Follows> {
        if let Some(known) = self.annotations.get(&id) {
            // A version that comes late, or again. What is gone does not come back.
            let is_news = known.version.as_deref().is_some_and(|it| it < version);
            if !is_news {
                return None;
            }
        }
        if self.tasks.get(&task_id).is_some_and(|task| task.is_gone) {
            // It was overtaken by the end of its task.
            self.note(id, Some(task_id), None);
            return Some(Follows::Gone {
                annotation: id,
                task: Some(task_id),
                newest: Some(version.to_owned()),
            });
        }
        self.note(id, Some(task_id), Some(version.to_owned()));
        let counted = self.counted(task_id);
        let task = self.tasks.entry(task_id).or_default();
        task.is_known = true;
        let is_labelled = match is_labelled {
            // What is said beside an older annotation is out of date.
            Some(said) if task.version.as_deref() <= Some(version) => {
                task.version = Some(version.to_owned());
                said
            }
            _ => task.is_labelled || counted >= task.needed(),
        };
        let was_labelled = std::mem::replace(&mut task.is_labelled, is_labelled);
        (is_labelled && !was_labelled).then_some(Follows::Completed {
            task: task_id,
            annotation: Some(id),
        })
    }

    /// An annotation is gone. What follows if it did not go alone.
    fn end(&mut self, id: u32) -> Option<Follows> {
        let (task, newest) = match self.annotations.get(&id) {
            Some(Annotation { version: None, .. }) => return None,
            Some(known) => (known.task, known.version.clone()),
            None => (None, None),
        };
        self.note(id, task, None);
        if let Some(task_id) = task {
            let counted = self.counted(task_id);
            let task = self.tasks.entry(task_id).or_default();
            task.is_labelled &= counted >= task.needed();
        }
        Some(Follows::Gone {
            annotation: id,
            task,
            newest,
        })
    }

    fn end_task(&mut self, id: u32) -> Vec<Follows> {
        let is_there = |annotation: &u32| {
            let known = self.annotations.get(annotation);
            known.is_some_and(|known| known.version.is_some())
        };
        let there: Vec<u32> = annotations_of(id).filter(is_there).collect();
        let gone = there.into_iter().filter_map(|id| self.end(id)).collect();
        let task = Task {
            is_gone: true,
            ..Task::default()
        };
        self.tasks.insert(id, task);
        gone
    }

    fn note(&mut self, id: u32, task: Option<u32>, version: Option<String>) {
        self.annotations.insert(id, Annotation { task, version });
    }

    /// Annotations of a task that are there.
    fn counted(&self, task: u32) -> u32 {
        let of_task = self.annotations.range(annotations_of(task));
        let there = of_task.filter(|(_, known)| known.version.is_some());
        u32::try_from(there.count()).unwrap()
    }
}

impl Task {
    /// Label Studio's default is one.
    fn needed(&self) -> u32 {
        self.overlap.max(1)
    }
}
