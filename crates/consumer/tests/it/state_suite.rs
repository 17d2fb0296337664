//! What a state that several processes share is held to, whatever it is kept in.

use labelrelay_consumer::{Known, State};
use labelrelay_event::changes::{Key, Kind};
use std::time::Duration;

pub(crate) const LEASE: Duration = Duration::from_secs(60);

/// Looks, a hundredth of a second apart, until something is so. Somebody else sees to it, and has a turn when the machine
/// lets it.
pub(crate) const TRIES: usize = 12_000;

pub(crate) const PAUSE: Duration = Duration::from_millis(10);

pub(crate) fn key(kind: Kind, id: &'static str) -> Key<'static> {
    Key::new("/label-studio", kind, id)
}

pub(crate) fn known(version: &str, parents: &[Key<'static>]) -> Known {
    Known {
        version: Some(version.to_owned()),
        is_there: true,
        until: String::new(),
        parents: parents.to_vec(),
    }
}

/// Enters a thing as soon as nobody else has it.
pub(crate) async fn enter_when_free(state: &impl State, thing: &Key<'static>) {
    for _ in 0..TRIES {
        let entered = state.enter(thing, &[], LEASE, false).await.unwrap();
        if entered.is_some() {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("somebody still has {thing:?}");
}

/// Red if two processes have one thing, if a lease that ran out keeps it, or if whoever had that still writes.
pub(crate) async fn a_thing_is_one_processes_at_a_time(one: impl State, other: &impl State) {
    let annotation = key(Kind::Annotation, "5");
    let task = [key(Kind::Task, "7")];
    let found = one.enter(&annotation, &task, LEASE, true).await.unwrap();
    assert_eq!(found.unwrap().len(), 0);
    let found = other.enter(&annotation, &task, LEASE, true).await.unwrap();
    assert_eq!(found, None);
    let after = known("2", &task);
    let left = one.leave(&annotation, Some(&after), Some("event"));
    assert!(left.await.unwrap());
    assert!(other.was_handled("event").await.unwrap());
    let found = other.enter(&annotation, &[], LEASE, true).await.unwrap();
    assert_eq!(found.unwrap()[&annotation], known("2", &task));

    // A lease that ran out is the next one's, and who had it learns so.
    other.keep(Duration::ZERO).await.unwrap();
    enter_when_free(&one, &annotation).await;
    let after = known("1", &task);
    let late = other.leave(&annotation, Some(&after), Some("late"));
    assert!(!late.await.unwrap());
    assert!(!one.was_handled("late").await.unwrap());

    // Things that a process held when it ended are free.
    drop(one);
    enter_when_free(other, &annotation).await;
}

/// A project has a task, and that an annotation.
pub(crate) async fn note_things(state: &impl State) {
    let [annotation, task, project] = things();
    for (thing, parent) in [(&task, &project), (&annotation, &task)] {
        let parents = std::slice::from_ref(parent);
        state.enter(thing, parents, LEASE, true).await.unwrap();
        let after = known("1", parents);
        let left = state.leave(thing, Some(&after), None);
        assert!(left.await.unwrap());
    }
}

/// The project is removed, and an event was handled.
pub(crate) async fn note_a_removal(state: &impl State) {
    let [_, _, project] = things();
    state.remove(&project, "5").await.unwrap();
    state.remove(&project, "3").await.unwrap();
    state.handled("event").await.unwrap();
    state.sync().await.unwrap();
}

/// Red if what holds a thing is not found, or if a removal or an event is forgotten.
pub(crate) async fn notes_are_there(state: &impl State) {
    let [annotation, task, project] = things();
    assert!(state.was_handled("event").await.unwrap());
    let parents = std::slice::from_ref(&task);
    assert_eq!(state.below(&project).await.unwrap(), parents);
    let found = state.enter(&annotation, parents, LEASE, true);
    let found = found.await.unwrap().unwrap();
    assert_eq!(found[&annotation].version.as_deref(), Some("1"));
    assert_eq!(found[&project].until, "5");
    let after = known("1", parents);
    let left = state.leave(&annotation, Some(&after), None);
    assert!(left.await.unwrap());
}

fn things() -> [Key<'static>; 3] {
    [
        key(Kind::Annotation, "5"),
        key(Kind::Task, "7"),
        key(Kind::Project, "1"),
    ]
}
