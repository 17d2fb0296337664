//! What a record of several relays gets from the journal of one of them, whatever goes wrong.

use super::*;
use crate::filter::Filter;
use crate::reader::Body;
use crate::row::Recorded;
use crate::writer::Writer;
use crate::{Record, inbox::Inbox};
use labelrelay_startup::SystemClock;
use std::sync::Mutex;
use tempfile::TempDir;

/// A record in memory, which fails as it is told.
#[derive(Default)]
struct InMemory(Mutex<State>);

#[derive(Default)]
struct State {
    names: i64,
    /// Ids of events, as they were taken in.
    ids: Vec<String>,
    moved: Vec<(String, i64)>,
    lost: [u64; 2],
    /// It is down.
    is_down: bool,
    /// It answers questions, and takes no rows.
    takes_nothing: bool,
    /// It takes rows in, and the answer is lost.
    loses_answers: bool,
    /// It never takes this one.
    refused: Option<&'static str>,
}

impl InMemory {
    fn down(&self) -> Result<(), RecordError> {
        let down = RecordError::Shared {
            message: "it is down".to_owned(),
            is_of_rows: false,
        };
        if self.0.lock().unwrap().is_down {
            return Err(down);
        }
        Ok(())
    }

    fn takes_nothing(&self) -> Result<(), RecordError> {
        if self.0.lock().unwrap().takes_nothing {
            return Err(RecordError::Shared {
                message: "it is busy".to_owned(),
                is_of_rows: false,
            });
        }
        self.down()
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap());
    }

    fn ids(&self) -> Vec<String> {
        self.0.lock().unwrap().ids.clone()
    }
}

impl Record for InMemory {
    fn list(&self, _: &Filter, _: usize) -> Result<Vec<Recorded>, RecordError> {
        Ok(Vec::new())
    }

    fn search(&self, _: &str, _: &Filter, _: usize) -> Result<Vec<Recorded>, RecordError> {
        Ok(Vec::new())
    }

    fn find(&self, _: &str) -> Result<Vec<Recorded>, RecordError> {
        Ok(Vec::new())
    }

    fn body(&self, _: &Recorded) -> Result<Option<Body>, RecordError> {
        Ok(None)
    }

    fn count(&self) -> Result<u64, RecordError> {
        Ok(0)
    }

    fn lost(&self) -> Result<u64, RecordError> {
        Ok(self.0.lock().unwrap().lost.iter().sum())
    }

    fn forget(&self, _: &str) -> Result<u64, RecordError> {
        Ok(0)
    }
}

impl SharedRecord for InMemory {
    fn exists(&self) -> Result<bool, RecordError> {
        Ok(true)
    }

    fn name_of_journal(&self) -> Result<String, RecordError> {
        self.down()?;
        let mut state = self.0.lock().unwrap();
        state.names += 1;
        Ok(format!("journal-{}", state.names))
    }

    fn moved(&self, journal: &str) -> Result<i64, RecordError> {
        self.down()?;
        let state = self.0.lock().unwrap();
        let found = state.moved.iter().find(|(name, _)| name == journal);
        Ok(found.map_or(0, |(_, moved)| *moved))
    }

    fn take_in(&self, moving: &Moving<'_>) -> Result<i64, RecordError> {
        self.takes_nothing()?;
        let mut state = self.0.lock().unwrap();
        let known = state.moved.iter().find(|(name, _)| name == moving.journal);
        if let Some((_, mark)) = known.filter(|(_, mark)| *mark != moving.after) {
            return Ok(*mark);
        }
        let ids = moving.rows.iter().map(|row| row.event_id.clone().unwrap());
        let ids: Vec<_> = ids.collect();
        if ids.iter().any(|id| Some(id.as_str()) == state.refused) {
            return Err(RecordError::Shared {
                message: "it takes others".to_owned(),
                is_of_rows: true,
            });
        }
        state.ids.extend(ids);
        for (sum, lost) in state.lost.iter_mut().zip(moving.lost) {
            *sum += lost;
        }
        state.moved.retain(|(name, _)| name != moving.journal);
        let mark = (moving.journal.to_owned(), moving.upto);
        state.moved.push(mark);
        if std::mem::take(&mut state.loses_answers) {
            return Err(RecordError::Shared {
                message: "no answer came".to_owned(),
                is_of_rows: false,
            });
        }
        Ok(moving.upto)
    }

    fn prune(&self, _: &Options, _: i64) -> Result<(), RecordError> {
        self.down()
    }
}

/// A relay with a journal, which may end and start again.
struct Relay {
    folder: TempDir,
    record: Arc<InMemory>,
    shared: Arc<Shared>,
    forwarder: Forwarder,
}

impl Relay {
    fn start_in(folder: TempDir, record: &Arc<InMemory>) -> Self {
        let shared = Arc::<Shared>::default();
        let forwarder = Forwarder::new(
            folder.path().join("waiting"),
            Options::default(),
            Arc::new(SystemClock::new()),
            Arc::clone(&shared),
            Arc::<InMemory>::clone(record),
        );
        Self {
            folder,
            record: Arc::clone(record),
            shared,
            forwarder,
        }
    }

    fn start(record: &Arc<InMemory>) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), record)
    }

    /// Starts one that has moved `a` to `d`, and whose disk has an older state than the record: `a` alone.
    fn after_a_loss_of_power(record: &Arc<InMemory>) -> Self {
        let mut relay = Self::start(record);
        relay.write(&["a"]);
        let journal = relay.folder.path().join("waiting.journal");
        let first = journal.join(format!("{:016x}", 1));
        let left = std::fs::read(&first).unwrap();
        assert!(relay.step());
        relay.write(&["b", "c", "d"]);
        assert!(relay.step());
        std::fs::write(&first, left).unwrap();
        relay
    }

    /// Ends it, as a kill does, and starts it again.
    fn restart(self) -> Self {
        drop((self.forwarder, self.shared));
        Self::start_in(self.folder, &self.record)
    }

    /// Writes deliveries with these ids into the journal, as one group.
    fn write(&self, ids: &[&str]) {
        let inbox = Inbox::default();
        for id in ids {
            let row = Row {
                arrived_ms: SystemClock::new().now().as_millisecond(),
                event_id: Some((*id).to_owned()),
                verified_by: Some("env:SECRET".to_owned()),
                ..Row::default()
            };
            let entry = Entry::of(&row);
            let mut encoded = Vec::new();
            entry.encode(&mut encoded);
            inbox.push(entry.class(), &encoded, entry.sums());
        }
        inbox.close();
        let path = self.folder.path().join("waiting");
        let shared = Arc::clone(&self.shared);
        Writer::of_journal(path, Options::default(), shared).run(&inbox);
    }

    /// Moves once; `true` if nothing is left.
    fn step(&mut self) -> bool {
        let mut turn = self.shared.next(IDLE);
        self.forwarder.step(&mut turn)
    }
}

#[test]
fn deliveries_of_several_relays_come_once_each() {
    let record = Arc::<InMemory>::default();
    let (mut one, mut other) = (Relay::start(&record), Relay::start(&record));
    one.write(&["a", "b"]);
    other.write(&["c"]);
    assert!(one.step() && other.step());
    // Its numbers begin anew, and so does its name.
    let mut one = one.restart();
    one.write(&["d"]);
    assert!(one.step());
    assert_eq!(record.ids(), ["a", "b", "c", "d"]);
    assert_eq!(record.0.lock().unwrap().names, 3);
}

#[test]
fn what_waits_at_a_kill_is_moved_by_the_next_start() {
    let record = Arc::<InMemory>::default();
    let mut relay = Relay::start(&record);
    relay.write(&["a"]);
    record.set(|state| state.is_down = true);
    assert!(!relay.step());
    relay.write(&["b"]);
    let mut relay = relay.restart();
    relay.write(&["c"]);
    assert!(!relay.step());
    assert!(relay.forwarder.has_failed);
    record.set(|state| state.is_down = false);
    while !relay.step() {}
    assert_eq!(record.ids(), ["a", "b", "c"]);
    assert_eq!(record.lost().unwrap(), 0);
}

#[test]
fn a_transaction_whose_answer_is_lost_is_not_done_twice() {
    let record = Arc::<InMemory>::default();
    let mut relay = Relay::start(&record);
    for is_killed in [false, true] {
        relay.write(&["a", "b"]);
        let lost = PerClass {
            verified: 3,
            stranger: 0,
        };
        relay.shared.lock().lose(lost);
        record.set(|state| state.loses_answers = true);
        assert!(!relay.step());
        if is_killed {
            relay = relay.restart();
        }
        relay.write(&["c"]);
        while !relay.step() {}
        assert_eq!(record.ids(), ["a", "b", "c"], "{is_killed}");
        assert_eq!(record.lost().unwrap(), 3, "{is_killed}");
        record.set(|state| {
            state.ids.clear();
            state.lost = [0, 0];
        });
    }
}

/// Red if deliveries count as moved because their places were given before a loss of power, which took the end of the
/// journal.
#[test]
fn what_comes_after_a_loss_of_power_is_moved_from_where_the_journal_ends() {
    let record = Arc::<InMemory>::default();
    let mut relay = Relay::after_a_loss_of_power(&record);
    for ids in [["e", "f"], ["g", "h"]] {
        relay = relay.restart();
        relay.write(&ids);
        // Nobody knows what it took, and its place is asked for again.
        record.set(|state| state.loses_answers = true);
        assert!(!relay.step());
        while !relay.step() {}
    }
    assert_eq!(record.ids(), ["a", "b", "c", "d", "e", "f", "g", "h"]);
    assert_eq!(record.lost().unwrap(), 0);
}

/// Red if what was lost is noted never, because nobody knows whether it was.
#[test]
fn what_a_transaction_that_failed_was_to_note_is_noted_later() {
    let record = Arc::<InMemory>::default();
    let mut relay = Relay::start(&record);
    relay.write(&["a"]);
    let lost = PerClass {
        verified: 3,
        stranger: 4,
    };
    relay.shared.lock().lose(lost);
    record.set(|state| state.takes_nothing = true);
    for _ in 0..2 {
        assert!(!relay.step());
    }
    record.set(|state| state.takes_nothing = false);
    while !relay.step() {}
    assert_eq!(record.ids(), ["a"]);
    assert_eq!(record.lost().unwrap(), 7);
}

/// Red if deliveries that are there count as lost once the record has forgotten the name of a quiet journal.
#[test]
fn a_journal_whose_name_is_forgotten_goes_on_where_it_was() {
    let record = Arc::<InMemory>::default();
    let mut relay = Relay::start(&record);
    relay.write(&["a", "b", "c"]);
    while !relay.step() {}
    record.set(|state| state.moved.clear());
    relay.write(&["d"]);
    record.set(|state| state.takes_nothing = true);
    assert!(!relay.step());
    record.set(|state| state.takes_nothing = false);
    while !relay.step() {}
    assert_eq!(record.ids(), ["a", "b", "c", "d"]);
    assert_eq!(record.lost().unwrap(), 0);
}

/// Red if the place that belongs to a new name is known to one process alone.
#[test]
fn a_journal_with_a_new_name_is_not_moved_twice_after_a_kill() {
    let record = Arc::<InMemory>::default();
    let mut relay = Relay::after_a_loss_of_power(&record).restart();
    relay.write(&["e", "f"]);
    record.set(|state| state.takes_nothing = true);
    assert!(!relay.step());
    record.set(|state| state.takes_nothing = false);
    relay = relay.restart();
    relay.write(&["g"]);
    while !relay.step() {}
    assert_eq!(record.ids(), ["a", "b", "c", "d", "e", "f", "g"]);
    assert_eq!(record.lost().unwrap(), 0);
}

#[test]
fn a_row_that_the_record_never_takes_holds_up_no_other() {
    let record = Arc::<InMemory>::default();
    record.set(|state| state.refused = Some("c"));
    let mut relay = Relay::start(&record);
    relay.write(&["a", "b", "c", "d", "e"]);
    while !relay.step() {}
    assert_eq!(record.ids(), ["a", "b", "d", "e"]);
    assert_eq!(record.lost().unwrap(), 1);
}

/// Red if nobody hears of what was left out because the record could not be reached for long.
#[test]
fn what_the_journal_had_no_room_for_is_counted_as_lost() {
    let record = Arc::<InMemory>::default();
    let mut relay = Relay::start(&record);
    relay.write(&["a", "b"]);
    record.set(|state| state.is_down = true);
    assert!(!relay.step());
    relay
        .shared
        .lock()
        .journal
        .as_mut()
        .unwrap()
        .remove_oldest();
    relay.write(&["c"]);
    record.set(|state| state.is_down = false);
    while !relay.step() {}
    assert_eq!(record.ids(), ["c"]);
    assert_eq!(record.lost().unwrap(), 2);
}
