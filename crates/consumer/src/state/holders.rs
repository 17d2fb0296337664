//! Knowledge of a thing, and of everything that holds it.

use super::Known;
use labelrelay_event::changes::{Key, Kind};
use std::collections::{HashMap, HashSet};

/// A walk from a thing to everything that holds it, however indirectly: a task says which project it is of, where an
/// annotation did not. Its holders of before count only if nothing is said of those of now.
pub(super) struct Walk<'a> {
    key: &'a Key<'static>,
    /// Kinds of its holders of now, as far as they are known. What another thing says of one of these may be of before: an id
    /// may be given again, elsewhere.
    told: Vec<Kind>,
    open: Vec<Key<'static>>,
    asked: HashSet<Key<'static>>,
    found: HashMap<Key<'static>, Known>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(key: &'a Key<'static>, parents: &[Key<'static>]) -> Self {
        let mut open = parents.to_vec();
        open.push(key.clone());
        Self {
            key,
            told: parents.iter().map(|parent| parent.kind).collect(),
            asked: open.iter().cloned().collect(),
            open,
            found: HashMap::new(),
        }
    }

    /// Things of which to [`note`](Self::note) what is known of them, each once; none at the end of the walk.
    pub(super) fn level(&mut self) -> Vec<Key<'static>> {
        std::mem::take(&mut self.open)
    }

    /// Goes on to what holds this thing.
    pub(super) fn note(&mut self, thing: Key<'static>, known: Known) {
        if thing != *self.key || self.told.is_empty() {
            for parent in &known.parents {
                if !self.told.contains(&parent.kind) && self.asked.insert(parent.clone()) {
                    self.open.push(parent.clone());
                }
            }
        }
        self.found.insert(thing, known);
    }

    /// Knowledge of all of which something is known.
    pub(super) fn found(self) -> HashMap<Key<'static>, Known> {
        self.found
    }
}

/// Knowledge of `key` and of everything that holds it.
pub(super) fn with_holders<E>(
    key: &Key<'static>,
    parents: &[Key<'static>],
    mut read: impl FnMut(&Key<'static>) -> Result<Option<Known>, E>,
) -> Result<HashMap<Key<'static>, Known>, E> {
    let mut walk = Walk::new(key, parents);
    loop {
        let level = walk.level();
        if level.is_empty() {
            return Ok(walk.found());
        }
        for thing in level {
            if let Some(known) = read(&thing)? {
                walk.note(thing, known);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[test]
    fn holders_are_found_through_others_and_once() {
        let key = |kind, id: &'static str| Key::new("/s", kind, id);
        let [annotation, task, other, project] = [
            key(Kind::Annotation, "1"),
            key(Kind::Task, "2"),
            key(Kind::Task, "3"),
            key(Kind::Project, "4"),
        ];
        let held_by = |parents: &[Key<'static>]| Known {
            parents: parents.to_vec(),
            ..Known::default()
        };
        let all = HashMap::from([
            (annotation.clone(), held_by(std::slice::from_ref(&other))),
            (task.clone(), held_by(std::slice::from_ref(&project))),
            (other.clone(), held_by(&[])),
            // No real project is held by a task; a circle must end all the same.
            (project.clone(), held_by(std::slice::from_ref(&task))),
        ]);
        let read = |key: &Key<'static>| Ok::<_, Infallible>(all.get(key).cloned());
        let found = with_holders(&annotation, std::slice::from_ref(&task), read).unwrap();
        let mut keys: Vec<_> = found.keys().cloned().collect();
        keys.sort();
        let mut expected = vec![annotation.clone(), task, project];
        expected.sort();
        assert_eq!(keys, expected, "it is no longer in the other task");
        let found = with_holders(&annotation, &[], read).unwrap();
        assert!(found.contains_key(&other), "nothing was said of another");
    }
}
