//! Knowledge of a thing, and of everything that holds it.

use super::Known;
use labelrelay_event::changes::Key;
use std::collections::{HashMap, HashSet};

/// Knowledge of `key` and of everything that holds it, however indirectly: a task says which project it is of, where an
/// annotation did not. Its holders of before count only if nothing is said of those of now.
pub(super) fn with_holders<E>(
    key: &Key<'static>,
    parents: &[Key<'static>],
    mut read: impl FnMut(&Key<'static>) -> Result<Option<Known>, E>,
) -> Result<HashMap<Key<'static>, Known>, E> {
    let mut open: Vec<Key<'static>> = parents.to_vec();
    open.push(key.clone());
    let mut asked: HashSet<Key<'static>> = open.iter().cloned().collect();
    let mut found = HashMap::new();
    while let Some(next) = open.pop() {
        let Some(known) = read(&next)? else {
            continue;
        };
        if next != *key || parents.is_empty() {
            let said = known.parents.iter();
            open.extend(
                said.filter(|parent| asked.insert((*parent).clone()))
                    .cloned(),
            );
        }
        found.insert(next, known);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_event::changes::Kind;
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
