//! Group commit: several messages in one transaction, with one sync of the disk.

use super::pending_message::Pending;
use super::sequencer::Sequencer;
use crate::sqlite_error::queue_error;
use labelrelay_core::QueueError;
use rusqlite::{Connection, ErrorCode};

/// Result of committing a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// No sender waited for any message of the group any more, so nothing was tried.
    Nothing,
    /// All of it was written.
    Written,
    /// Some of it, or all, was not.
    Failed,
}

/// Questions that a commit asks about the world around the file.
pub(super) struct CommitContext<'a> {
    /// Checks that the last commit is in the files that others find.
    pub(super) still_there: &'a dyn Fn() -> Result<(), QueueError>,
    /// Says what an error really is; where it is want of room, makes some within the queue's own files, and says
    /// whether another attempt is worth it.
    pub(super) make_room: &'a dyn Fn(rusqlite::Error) -> (rusqlite::Error, bool),
}

/// Commits the messages of `group` and answers each of them.
///
/// Nothing is answered before the commit, repeats neither: the first copy may be in this very group.
/// No send succeeds whose event is in files that have gone meanwhile.
///
/// A message that cannot be written does not take the others with it: the group is parted until it is alone.
pub(super) fn commit(
    db: &Connection,
    sequencer: &mut Sequencer,
    group: &mut Vec<Pending>,
    received_ms: i64,
    context: &CommitContext<'_>,
) -> Outcome {
    let mut outcome = Outcome::Nothing;
    let mut parts = vec![std::mem::take(group)];
    let mut room_was_made = false;
    while let Some(mut part) = parts.pop() {
        // Whoever gave up waiting has sent the event elsewhere, or said that it was not stored.
        part.retain(|pending| !pending.done.is_canceled());
        if part.is_empty() {
            continue;
        }
        let mut written = sequencer.write(db, &part, received_ms);
        if let Err(error) = written {
            let (error, again) = (context.make_room)(error);
            written = if again && !room_was_made {
                room_was_made = true;
                sequencer
                    .write(db, &part, received_ms)
                    .map_err(|error| (context.make_room)(error).0)
            } else {
                Err(error)
            };
        }
        match written {
            Ok(receipts) => {
                if let Err(displaced) = (context.still_there)() {
                    part.extend(parts.drain(..).flatten());
                    refuse(part, &displaced);
                    return Outcome::Failed;
                }
                for (pending, receipt) in part.into_iter().zip(receipts) {
                    let _gone = pending.done.send(Ok(receipt));
                }
                if outcome == Outcome::Nothing {
                    outcome = Outcome::Written;
                }
            }
            Err(error) if part.len() > 1 && is_about_one_message(&error) => {
                let (first, then) = split(part);
                parts.extend([then, first]);
            }
            Err(error) => {
                outcome = Outcome::Failed;
                if !is_about_one_message(&error) {
                    // The rest would meet the same, and wait as long for it.
                    part.extend(parts.drain(..).flatten());
                }
                refuse(part, &queue_error(&error));
            }
        }
    }
    outcome
}

/// Answers all of `part` with `error`.
pub(super) fn refuse(part: impl IntoIterator<Item = Pending>, error: &QueueError) {
    for pending in part {
        // Each gets its own copy; what it came from cannot be cloned, and is in the message already.
        let mut own = QueueError::new(error.kind, error.message.clone());
        own.retryable = error.retryable;
        let _gone = pending.done.send(Err(own));
    }
}

/// Tells whether the error concerns one message: others of the same group may be written all the same.
fn is_about_one_message(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::TooBig
                | ErrorCode::OutOfMemory
                | ErrorCode::ConstraintViolation
        )
    )
}

/// Parts a group in two. A message that makes up half of its bytes is likely what did not fit: it comes last,
/// alone, so that it is not written again and again and does not take the others' room.
fn split(mut part: Vec<Pending>) -> (Vec<Pending>, Vec<Pending>) {
    let bytes = |pending: &Pending| pending.message.body.len();
    let total: usize = part.iter().map(bytes).sum();
    if let Some(largest) = part.iter().position(|pending| bytes(pending) > total / 2) {
        let alone = vec![part.remove(largest)];
        (part, alone)
    } else {
        let then = part.split_off(part.len() / 2);
        (part, then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::Options;
    use crate::embedded::pending_message::MessageFacts;
    use crate::schema;
    use futures_channel::oneshot;
    use labelrelay_core::{QueueErrorKind, Receipt};
    use labelrelay_testkit::clock::FakeClock;
    use labelrelay_testkit::queue_suite::message;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const CONTEXT: CommitContext<'_> = CommitContext {
        still_there: &|| Ok(()),
        make_room: &|error| (error, false),
    };

    type Answer = oneshot::Receiver<Result<Receipt, QueueError>>;

    struct Fixture {
        dir: tempfile::TempDir,
        db: Connection,
        sequencer: Sequencer,
    }

    impl Fixture {
        fn new() -> Self {
            let dir = tempfile::TempDir::new().unwrap();
            let db = schema::new_in(&dir);
            let clock = FakeClock::at("2026-11-21T09:00:00Z");
            let sequencer = Sequencer::read(&db, &Options::default(), &clock).unwrap();
            Self { dir, db, sequencer }
        }

        fn commit(&mut self, ids: &[&str]) -> (Outcome, Vec<Result<Receipt, QueueError>>) {
            let (mut group, answers): (Vec<_>, Vec<_>) =
                ids.iter().map(|id| pending(id, b"1")).unzip();
            let outcome = commit(&self.db, &mut self.sequencer, &mut group, 0, &CONTEXT);
            assert!(group.is_empty());
            let answers = answers.into_iter().map(|mut answer: Answer| {
                answer
                    .try_recv()
                    .unwrap()
                    .expect("each message is answered")
            });
            (outcome, answers.collect())
        }

        fn ids(&self) -> Vec<String> {
            let mut read = self
                .db
                .prepare("SELECT id FROM events ORDER BY seq")
                .unwrap();
            let ids = read.query_map([], |row| row.get(0)).unwrap();
            ids.map(Result::unwrap).collect()
        }
    }

    fn pending(id: &str, data: &[u8]) -> (Pending, Answer) {
        let (done, answer) = oneshot::channel();
        let message = message(id, data);
        let pending = Pending {
            message,
            facts: MessageFacts::Nothing,
            done,
        };
        (pending, answer)
    }

    #[test]
    fn a_message_that_cannot_be_written_fails_alone() {
        let mut fixture = Fixture::new();
        fixture
            .db
            .execute_batch(
                "CREATE TRIGGER no BEFORE INSERT ON events WHEN NEW.id GLOB 'bad*'
                 BEGIN SELECT RAISE(ABORT, 'bad'); END",
            )
            .unwrap();
        let (outcome, answers) =
            fixture.commit(&["a", "b", "bad 1", "c", "a", "d", "bad 2", "bad 1", "e"]);
        assert_eq!(outcome, Outcome::Failed);
        let written: Vec<_> = answers
            .iter()
            .map(|answer| answer.as_ref().ok().map(|receipt| receipt.repeat))
            .collect();
        let (new, repeat, failed) = (Some(false), Some(true), None);
        assert_eq!(
            written,
            [new, new, failed, new, repeat, new, failed, failed, new]
        );
        assert_eq!(fixture.ids(), ["a", "b", "c", "d", "e"]);

        fixture.db.execute_batch("DROP TRIGGER no").unwrap();
        let (outcome, answers) = fixture.commit(&["bad 1", "a", "e"]);
        assert_eq!(outcome, Outcome::Written);
        let repeats: Vec<_> = answers.into_iter().map(|a| a.unwrap().repeat).collect();
        assert_eq!(
            repeats,
            [false, true, true],
            "the window knows what is in the file"
        );
    }

    #[test]
    fn a_locked_file_is_waited_for_once() {
        let mut fixture = Fixture::new();
        let looks = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&looks);
        fixture
            .db
            .busy_handler(Some(move |_: i32| {
                counted.fetch_add(1, Ordering::Relaxed);
                false
            }))
            .unwrap();
        let other = Connection::open(fixture.dir.path().join("queue.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let (outcome, answers) = fixture.commit(&["a", "b", "c", "d"]);
        assert_eq!(outcome, Outcome::Failed);
        for answer in answers {
            assert_eq!(answer.unwrap_err().kind, QueueErrorKind::Unavailable);
        }
        assert_eq!(looks.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_message_that_nobody_waits_for_is_not_written() {
        let mut fixture = Fixture::new();
        let (gone, answer) = pending("a", b"1");
        drop(answer);
        let outcome = commit(
            &fixture.db,
            &mut fixture.sequencer,
            &mut vec![gone],
            0,
            &CONTEXT,
        );
        assert_eq!(outcome, Outcome::Nothing);
        assert_eq!(fixture.ids(), [""; 0]);
    }

    #[test]
    fn a_commit_that_happened_in_spite_of_its_error_does_not_wedge_the_writer() {
        let mut fixture = Fixture::new();
        fixture.commit(&["a"]);
        // Such a commit leaves events that the writer does not know of.
        fixture
            .db
            .execute_batch(
                "INSERT INTO events SELECT 2, received_ms, 'b', type, source, subject, envelope FROM events;
                 INSERT INTO events SELECT 3, received_ms, 'c', type, source, subject, envelope FROM events WHERE seq = 1",
            )
            .unwrap();
        let (outcome, answers) = fixture.commit(&["d", "b"]);
        assert_eq!(outcome, Outcome::Written);
        let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers[0], Receipt::new(Some("4".to_owned())));
        assert_eq!(answers[1], Receipt::repeat(Some("2".to_owned())));
        let (_, answers) = fixture.commit(&["c"]);
        assert_eq!(
            *answers[0].as_ref().unwrap(),
            Receipt::repeat(Some("3".to_owned()))
        );
        assert_eq!(fixture.ids(), ["a", "b", "c", "d"]);
    }

    #[test]
    fn after_a_failure_the_file_is_read_before_anything_is_written() {
        let mut fixture = Fixture::new();
        fixture.commit(&["a"]);
        // Numbers leave no gap for a constraint to catch this one: the event is known by its id alone.
        let other = Connection::open(fixture.dir.path().join("queue.db")).unwrap();
        other
            .execute_batch(
                "CREATE TRIGGER no BEFORE INSERT ON events WHEN NEW.id = 'bad'
                 BEGIN SELECT RAISE(ABORT, 'bad'); END",
            )
            .unwrap();
        fixture.commit(&["bad"]);
        other
            .execute_batch(
                "INSERT INTO events SELECT 7, received_ms, 'b', type, source, subject, envelope FROM events",
            )
            .unwrap();
        let (_, answers) = fixture.commit(&["b", "c"]);
        let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers[0], Receipt::repeat(Some("7".to_owned())));
        assert_eq!(answers[1], Receipt::new(Some("8".to_owned())));
    }

    #[test]
    fn the_message_that_hardly_fits_is_split_off_first() {
        let sizes = |sizes: &[usize]| {
            let part = sizes
                .iter()
                .map(|size| pending("id", format!("{:?}", "x".repeat(*size)).as_bytes()).0);
            let (first, then) = split(part.collect());
            (first.len(), then.len())
        };
        assert_eq!(sizes(&[10, 10, 10, 10, 10]), (2, 3));
        assert_eq!(sizes(&[10, 100_000, 10, 10]), (3, 1));
        assert_eq!(sizes(&[10, 10]), (1, 1));
    }
}
