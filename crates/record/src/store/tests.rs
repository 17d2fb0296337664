//! The journal and the file together: whatever happens between them, each delivery is found once.

use super::*;
use crate::filter::{Filter, Pattern};
use crate::journal::{HEADER_BYTES, Journal, Segment, stop_after};
use crate::options::Options;
use crate::reader::RecordFile;
use crate::row::Row;
use crate::sums::Sums;
use std::fs;
use tempfile::TempDir;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("queue.db.record")
    }

    fn store(&self) -> Store {
        Store::open(&self.file()).unwrap()
    }

    fn journal(&self, moved: i64) -> Journal {
        Journal::open(&self.file(), moved).unwrap()
    }

    fn journal_file(&self, name: &str) -> PathBuf {
        self.0.path().join("queue.db.record.journal").join(name)
    }

    fn record(&self) -> RecordFile {
        RecordFile::open(&self.file()).unwrap().unwrap()
    }

    /// Numbers and event ids of all that is found.
    fn found(&self) -> Vec<(i64, String)> {
        let all = self.record().list(&Filter::default(), usize::MAX).unwrap();
        all.into_iter()
            .map(|found| (found.number, found.row.event_id.unwrap_or_default()))
            .collect()
    }
}

fn accepted(id: &str) -> Row {
    Row {
        arrived_ms: 1000,
        status: 200,
        outcome: "accepted".to_owned(),
        source: Some("labelbox".to_owned()),
        event_id: Some(id.to_owned()),
        subject: Some("label/17".to_owned()),
        delivery_id: Some(format!("delivery-{id}")),
        verified_by: Some("env:SECRET".to_owned()),
        ..Row::default()
    }
}

fn refused(body: &[u8]) -> Row {
    Row {
        arrived_ms: 1000,
        status: 401,
        outcome: "unauthorized".to_owned(),
        body_start: Some(body.to_vec()),
        ..Row::default()
    }
}

fn append(journal: &mut Journal, rows: &[Row]) {
    let mut frame = vec![0; HEADER_BYTES];
    let mut sums = PerClass::<Sums>::default();
    for row in rows {
        let entry = Entry::of(row);
        entry.encode(&mut frame);
        sums.of_mut(entry.class()).add(entry.sums());
    }
    journal.append(&mut frame, &sums).unwrap();
}

/// Moves so many rows, and leaves the journal as it is.
fn take_in(store: &Store, journal: &Journal, rows: usize, options: &Options) -> Done {
    let load = Load {
        pending: &journal.pending(),
        rows,
        lost: PerClass::default(),
        options,
        now_ms: 2000,
    };
    store.take_in(&load).unwrap()
}

fn numbered(ids: &[&str]) -> Vec<(i64, String)> {
    let ids = ids.iter().map(|id| (*id).to_owned());
    (1..).zip(ids).collect()
}

/// Filters with a limit, and the numbers of what each finds.
fn filters() -> Vec<(Filter, usize, Vec<i64>)> {
    let all = Filter::default;
    vec![
        (all(), usize::MAX, vec![1, 2, 3, 4]),
        (all(), 3, vec![1, 2, 3]),
        (
            Filter {
                newest_first: true,
                ..all()
            },
            3,
            vec![4, 3, 2],
        ),
        (
            Filter {
                after: Some(1),
                before: Some(4),
                ..all()
            },
            9,
            vec![2, 3],
        ),
        (
            Filter {
                refused: true,
                ..all()
            },
            9,
            vec![2],
        ),
        (
            Filter {
                id: Some(Pattern::is("e-*")),
                newest_first: true,
                ..all()
            },
            2,
            vec![4, 3],
        ),
        (
            Filter {
                subject: Some(Pattern::within("label")),
                ..all()
            },
            9,
            vec![1, 3, 4],
        ),
        (
            Filter {
                outcome: Some(Pattern::exactly("accepted")),
                ..all()
            },
            9,
            vec![1, 3, 4],
        ),
        (
            Filter {
                from_ms: Some(1001),
                ..all()
            },
            9,
            vec![],
        ),
        (
            Filter {
                before_ms: Some(1001),
                ..all()
            },
            1,
            vec![1],
        ),
    ]
}

/// Red if the queue prunes the event of a delivery that the record has, or keeps those of a record without any.
#[test]
fn the_queue_is_told_what_the_record_has() {
    let place = Place::new();
    let (store, mut journal) = (place.store(), place.journal(0));
    let told = |journal: &Journal, rows| {
        let done = take_in(&store, journal, rows, &Options::default());
        done.oldest
    };
    assert_eq!(told(&journal, 9), Some(Oldest::NoneAt(2000)));
    append(&mut journal, &[refused(b"{}")]);
    assert_eq!(told(&journal, 0), Some(Oldest::NoneAt(2000)));
    let later = Row {
        arrived_ms: 1500,
        ..accepted("e-3")
    };
    append(&mut journal, &[accepted("e-2"), later]);
    assert_eq!(told(&journal, 1), Some(Oldest::InTheJournal));
    assert_eq!(told(&journal, 1), Some(Oldest::At(1000)));
    assert_eq!(told(&journal, 9), Some(Oldest::At(1000)));
    let mut options = Options::default();
    options.verified.deliveries = 1;
    let done = take_in(&store, &journal, 9, &options);
    assert_eq!(done.oldest, Some(Oldest::At(1500)));
}

#[test]
fn what_waits_is_found_like_what_was_moved() {
    let place = Place::new();
    let (store, mut journal) = (place.store(), place.journal(0));
    append(&mut journal, &[accepted("e-1"), refused(b"{}")]);
    append(&mut journal, &[accepted("e-3"), accepted("e-4")]);
    let filters = filters();
    // Nothing of it is in the file, then a part, then everything.
    for rows in [0, 1, 2, 9] {
        let done = take_in(&store, &journal, rows, &Options::default());
        let record = place.record();
        for (filter, limit, expected) in &filters {
            let found = record.list(filter, *limit).unwrap();
            let numbers: Vec<_> = found.iter().map(|found| found.number).collect();
            assert_eq!(&numbers, expected, "{filter:?}, {} moved", done.moved);
        }
        for (which, number) in [("r3", 3), ("e-4", 4), ("delivery-e-1", 1)] {
            assert_eq!(record.find(which).unwrap()[0].number, number, "{which}");
            let searched = record.search(which, &Filter::default(), 9).unwrap();
            assert_eq!(searched.len(), 1, "{which}");
            assert_eq!(searched[0].number, number, "{which}");
        }
        assert_eq!(record.search("17", &Filter::default(), 9).unwrap().len(), 3);
        assert!(record.find("r5").unwrap().is_empty());
        let refused = record.find("r2").unwrap().remove(0);
        assert_eq!(record.body(&refused).unwrap().unwrap().start, b"{}");
        assert_eq!(record.count().unwrap(), 4);
        let first = record.find("r1").unwrap().remove(0);
        assert_eq!(first.row, accepted("e-1"));
        assert_eq!(record.body(&first).unwrap(), None);
    }
    journal.retire(store.moved().unwrap());
    assert!(journal.is_empty());
    assert_eq!(place.found().len(), 4);
}

#[test]
fn an_end_between_the_journal_and_the_file_doubles_nothing_and_loses_nothing() {
    let place = Place::new();
    let ids: Vec<_> = (0..9).map(|n| format!("e-{n}")).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    for (step, id) in ids.iter().enumerate() {
        // As after a `kill -9`: nothing was retired, and the file that was written last is not gone on with.
        let store = place.store();
        let mut journal = place.journal(store.moved().unwrap());
        append(&mut journal, &[accepted(id)]);
        assert_eq!(place.found(), numbered(&ids[..=step]));
        take_in(&store, &journal, step % 3, &Options::default());
        assert_eq!(place.found(), numbered(&ids[..=step]));
    }
    let store = place.store();
    let mut journal = place.journal(store.moved().unwrap());
    let done = take_in(&store, &journal, usize::MAX, &Options::default());
    // Two files at a time.
    journal.retire(done.moved);
    while !journal.is_empty() {
        let done = take_in(&store, &journal, usize::MAX, &Options::default());
        journal.retire(done.moved);
        assert_eq!(place.found(), numbered(&ids));
    }
    assert_eq!(place.record().count().unwrap(), 9);
}

#[test]
fn a_group_that_was_cut_off_is_left_out_and_those_before_it_stay() {
    let place = Place::new();
    drop(place.store());
    let mut journal = place.journal(0);
    let mut ends = Vec::new();
    let path = place.journal_file("0000000000000001");
    for id in ["e-1", "e-2", "e-3"] {
        append(&mut journal, &[accepted(id)]);
        ends.push(path.metadata().unwrap().len());
    }
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let groups = ends.iter().filter(|end| **end <= length as u64).count();
        assert_eq!(place.found(), numbered(&["e-1", "e-2", "e-3"][..groups]));
        // Whoever goes on writes behind it.
        let mut journal = place.journal(0);
        append(&mut journal, &[accepted("next")]);
        let found = place.found();
        assert_eq!(found.len(), groups + 1, "{length}");
        let last = i64::try_from(groups).unwrap() + 1;
        assert_eq!(found.last(), Some(&(last, "next".to_owned())), "{length}");
        journal.discard();
    }
}

#[test]
fn foreign_bytes_cost_no_other_group_and_their_file_is_kept() {
    let place = Place::new();
    let (store, mut journal) = (place.store(), place.journal(0));
    let path = place.journal_file("0000000000000001");
    append(&mut journal, &[accepted("e-1")]);
    let end = usize::try_from(path.metadata().unwrap().len()).unwrap();
    append(&mut journal, &[accepted("e-2")]);
    append(&mut journal, &[accepted("e-3")]);
    let whole = fs::read(&path).unwrap();
    // Whatever byte it is: nobody stops, and nothing is found that was not written.
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        fs::write(&path, changed).unwrap();
        for (number, id) in place.found() {
            assert_eq!(id, format!("e-{number}"), "{at}");
        }
        // Nor does a number that is wrong become the next one's.
        let mut next = place.journal(0);
        append(&mut next, &[accepted("next")]);
        let last = next.pending().oldest.last().map(|(_, last)| *last);
        assert!(
            last.is_some_and(|last| (1..=4).contains(&last)),
            "{at}: {last:?}"
        );
        next.discard();
    }
    let mut changed = whole.clone();
    changed[end + HEADER_BYTES + 20] ^= 0x55;
    fs::write(&path, &changed).unwrap();
    let good = [(1, "e-1".to_owned()), (3, "e-3".to_owned())];
    assert_eq!(place.found(), good);
    let done = take_in(&store, &journal, usize::MAX, &Options::default());
    assert_eq!((done.moved, done.inserted), (3, 2));
    for path in &done.damaged {
        journal.keep_damaged(path);
    }
    journal.retire(done.moved);
    assert!(!path.exists());
    assert_eq!(fs::read(place.journal_file("damaged")).unwrap(), changed);
    assert_eq!(place.found(), good);
    assert_eq!(place.record().lost().unwrap(), 1);
}

#[test]
fn a_file_of_somebody_else_is_kept_and_its_name_is_free() {
    let place = Place::new();
    let store = place.store();
    drop(place.journal(0));
    let foreign = b"nobody knows what this is".repeat(10);
    fs::write(place.journal_file("0000000000000001"), &foreign).unwrap();
    fs::write(place.journal_file("notes"), b"mine").unwrap();
    assert!(place.found().is_empty());
    let mut journal = place.journal(0);
    assert_eq!(fs::read(place.journal_file("damaged")).unwrap(), foreign);
    append(&mut journal, &[accepted("e-1")]);
    let done = take_in(&store, &journal, usize::MAX, &Options::default());
    journal.retire(done.moved);
    journal.close();
    assert_eq!(place.found(), numbered(&["e-1"]));
    assert_eq!(fs::read(place.journal_file("notes")).unwrap(), b"mine");
}

#[test]
fn what_is_beyond_the_bounds_is_left_out_on_the_way() {
    let place = Place::new();
    let (store, mut journal) = (place.store(), place.journal(0));
    let mut options = Options::default();
    options.verified.deliveries = 2;
    options.stranger.deliveries = 1;
    for n in 0..10 {
        append(&mut journal, &[accepted(&format!("e-{n}")), refused(b"x")]);
    }
    // Not one row has to be written for it.
    let done = take_in(&store, &journal, 0, &options);
    assert_eq!((done.moved, done.inserted), (16, 0));
    let done = take_in(&store, &journal, usize::MAX, &options);
    assert_eq!((done.moved, done.inserted), (20, 3));
    journal.retire(done.moved);
    let numbers: Vec<_> = place
        .found()
        .into_iter()
        .map(|(number, _)| number)
        .collect();
    assert_eq!(numbers, [17, 19, 20]);
    assert_eq!(place.record().lost().unwrap(), 0);
}

#[test]
fn no_number_is_given_again_when_nothing_is_kept() {
    let place = Place::new();
    let options = Options {
        max_age: std::time::Duration::ZERO,
        ..Options::default()
    };
    for expected in 1..4 {
        let store = place.store();
        let mut journal = place.journal(store.moved().unwrap());
        append(&mut journal, &[accepted("old")]);
        let done = take_in(&store, &journal, usize::MAX, &options);
        assert_eq!((done.moved, done.inserted), (expected, 0));
        journal.retire(done.moved);
    }
    assert!(place.found().is_empty());
}

#[test]
fn an_author_is_taken_out_of_the_journal() {
    let place = Place::new();
    let (store, mut journal) = (place.store(), place.journal(0));
    let mut row = refused(br#"{"by":"Ann@example.org"}"#);
    row.head = Some("x-user: ann@example.org\n".to_owned());
    append(&mut journal, &[accepted("e-1"), row, accepted("e-3")]);
    let record = place.record();
    let path = place.journal_file("0000000000000001");
    let mut reading = Segment::open(&path).unwrap().unwrap();
    let (frames, _) = reading.frames().unwrap();
    assert_eq!(record.forget("ann@example.org").unwrap(), 1);
    assert_eq!(record.count().unwrap(), 3);
    // Whoever reads meanwhile misses nothing.
    assert!(reading.entries(&frames[0], &mut Vec::new()).unwrap());
    let bytes = fs::read(&path).unwrap().to_ascii_lowercase();
    let address = b"ann@example.org";
    assert!(!bytes.windows(address.len()).any(|part| part == address));
    // Before it is moved, and after.
    for rows in [0, usize::MAX] {
        take_in(&store, &journal, rows, &Options::default());
        let found = record.find("r2").unwrap().remove(0);
        let head = found.row.head.as_deref();
        assert_eq!(head, Some("x-user: [forgotten]****\n"));
        let body = record.body(&found).unwrap().unwrap();
        assert_eq!(body.start, br#"{"by":"[forgotten]****"}"#);
    }
    assert_eq!(record.forget("ann@example.org").unwrap(), 0);
}

/// Whoever comes after one that was killed.
type Next = fn(&Place, &Store);

/// Whoever writes over a group may be killed at any byte of it: the group is there all the same, without the address.
#[test]
fn a_kill_in_the_middle_of_forgetting_costs_no_delivery() {
    let place = Place::new();
    let (store, mut journal) = (place.store(), place.journal(0));
    let mut row = refused(br#"{"by":"ann@example.org"}"#);
    row.head = Some("x-user: ann@example.org\n".to_owned());
    append(&mut journal, &[accepted("e-1")]);
    let path = place.journal_file("0000000000000001");
    let at = path.metadata().unwrap().len();
    append(&mut journal, &[row, accepted("e-3")]);
    let before = fs::read(&path).unwrap();
    let record = place.record();
    assert_eq!(record.forget("ann@example.org").unwrap(), 1);
    let after = fs::read(&path).unwrap();
    let frame = &after[usize::try_from(at).unwrap()..];
    let is_whole = || {
        let head = record.find("r2").unwrap().pop()?.row.head?;
        (record.count().unwrap() == 3).then_some(head)
    };
    let forgotten = || Some("x-user: [forgotten]****\n".to_owned());
    let nexts: [Next; 2] = [
        // Who forgets somebody else.
        |place, _| {
            place.record().forget("joe@example.org").unwrap();
        },
        // The next start.
        |_, store| store.finish_forgetting().unwrap(),
    ];
    let half = frame.len() / 2;
    for bytes in [0, 1, 6, HEADER_BYTES, HEADER_BYTES + 40, half, frame.len()] {
        for next in nexts {
            fs::write(&path, &before).unwrap();
            stop_after(&path, at, frame, bytes);
            next(&place, &store);
            assert_eq!(is_whole(), forgotten(), "{bytes}");
            assert_eq!(fs::read(&path).unwrap(), after, "{bytes}");
            assert!(!place.journal_file("forgetting").exists());
        }
    }
    // A file that is not whole was not written over anything yet.
    fs::write(place.journal_file("forgetting"), &before[..20]).unwrap();
    store.finish_forgetting().unwrap();
    assert_eq!(fs::read(&path).unwrap(), after);
    // Whoever moves what is there finds it whole, too.
    fs::write(&path, &before).unwrap();
    stop_after(&path, at, frame, HEADER_BYTES + 40);
    let done = take_in(&store, &journal, usize::MAX, &Options::default());
    assert_eq!((done.moved, done.inserted), (3, 3));
    assert!(done.damaged.is_empty(), "{:?}", done.damaged);
    journal.retire(done.moved);
    assert_eq!(is_whole(), forgotten());
    assert_eq!(record.lost().unwrap(), 0);
}
