//! A record in a file: what is written is found, bounds hold, and a file that cannot be used stops nobody.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail it by panicking"
)]

use labelrelay_core::Clock;
use labelrelay_record::{
    Filter, Limits, Options, Pattern, Record, RecordError, RecordFile, Recorded, Recorder, Row,
};
use labelrelay_startup::SystemClock;
use labelrelay_testkit::record_suite::{self as suite, Fresh};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tempfile::TempDir;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("queue.db.record")
    }

    fn begin(&self, options: Options) -> Recorder {
        let recorder = Recorder::new(self.file(), options, clock());
        recorder.begin().unwrap();
        recorder
    }

    /// Records these rows, and ends.
    fn record(&self, options: Options, rows: impl IntoIterator<Item = Row>) {
        let recorder = self.begin(options);
        for row in rows {
            recorder.note(row);
        }
        recorder.close();
    }

    fn open(&self) -> RecordFile {
        RecordFile::open(&self.file()).unwrap().unwrap()
    }

    /// Tells whether the record is there, and has the delivery of this event.
    #[cfg(unix)]
    fn has(&self, id: &str) -> bool {
        let Ok(Some(file)) = RecordFile::open(&self.file()) else {
            return false;
        };
        file.find(id).is_ok_and(|found| found.len() == 1)
    }

    fn all(&self) -> Vec<Recorded> {
        self.open().list(&Filter::default(), usize::MAX).unwrap()
    }
}

fn with(change: impl FnOnce(&mut Options)) -> Options {
    let mut options = Options::default();
    change(&mut options);
    options
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

fn now_ms() -> i64 {
    clock().now().as_millisecond()
}

fn accepted(id: &str) -> Row {
    Row {
        arrived_ms: now_ms(),
        status: 200,
        outcome: "accepted".to_owned(),
        source: Some("labelbox".to_owned()),
        method: Some("POST".to_owned()),
        path: Some("/labelbox".to_owned()),
        head: Some("host: a.example\n".to_owned()),
        event_id: Some(id.to_owned()),
        event_type: Some("com.labelbox.label".to_owned()),
        subject: Some("label/17".to_owned()),
        project: Some("p1".to_owned()),
        delivery_id: Some(format!("delivery-{id}")),
        verified_by: Some("env:SECRET".to_owned()),
        elapsed_us: 1234,
        queue_us: Some(567),
        claimed: true,
        spooled: true,
        ..Row::default()
    }
}

fn refused(body: &[u8]) -> Row {
    Row {
        arrived_ms: now_ms(),
        status: 401,
        outcome: "unauthorized".to_owned(),
        reason: Some("no secret made this signature".to_owned()),
        body_bytes: i64::try_from(body.len()).unwrap(),
        body_sha256: Some(labelrelay_event::Digest::of(body).to_hex()),
        body_start: Some(body.to_vec()),
        ..Row::default()
    }
}

#[test]
fn what_was_recorded_is_found_by_any_of_its_ids() {
    let place = Place::new();
    place.record(
        Options::default(),
        [accepted("e-1"), refused(b"{}"), accepted("e-22")],
    );
    let record = place.open();
    for (which, id) in [
        ("e-2", "e-22"),
        ("delivery-e-1", "e-1"),
        ("r1", "e-1"),
        ("r3", "e-22"),
    ] {
        let found = record.find(which).unwrap();
        assert_eq!(found.len(), 1, "{which}");
        assert_eq!(found[0].row.event_id.as_deref(), Some(id), "{which}");
    }
    assert_eq!(record.find("e-").unwrap().len(), 2);
    assert!(record.find("none").unwrap().is_empty());
    assert!(record.find("r99").unwrap().is_empty());
    // It begins every id.
    assert!(record.find("").unwrap().is_empty());
    let mut row = record.find("r1").unwrap().remove(0).row;
    let mut expected = accepted("e-1");
    row.arrived_ms = 0;
    expected.arrived_ms = 0;
    assert_eq!(row, expected);
    let refused = record.find("r2").unwrap().remove(0);
    let body = record.body(&refused).unwrap().unwrap();
    assert_eq!((body.start.as_slice(), body.is_whole), (&b"{}"[..], true));
}

#[test]
fn a_filter_asks_for_what_it_says() {
    let place = Place::new();
    let mut other = accepted("e-3");
    other.subject = Some("label/170".to_owned());
    other.source = Some("other".to_owned());
    other.arrived_ms -= 3_600_000;
    let mut stranger = refused(b"x");
    stranger.client = Some("192.0.2.7".to_owned());
    place.record(Options::default(), [accepted("e-1"), stranger, other]);
    let record = place.open();
    let numbers = |filter: Filter| {
        let found = record.list(&filter, usize::MAX).unwrap();
        found.iter().map(|found| found.number).collect::<Vec<_>>()
    };
    let all = Filter::default;
    for (filter, expected) in [
        (all(), vec![1, 2, 3]),
        (
            Filter {
                newest_first: true,
                ..all()
            },
            vec![3, 2, 1],
        ),
        (
            Filter {
                refused: true,
                ..all()
            },
            vec![2],
        ),
        (
            Filter {
                subject: Some(Pattern::within("label")),
                ..all()
            },
            vec![1, 3],
        ),
        (
            Filter {
                subject: Some(Pattern::within("label/17")),
                ..all()
            },
            vec![1],
        ),
        (
            Filter {
                subject: Some(Pattern::within("label/1*")),
                ..all()
            },
            vec![1, 3],
        ),
        (
            Filter {
                source: Some(Pattern::is("other")),
                ..all()
            },
            vec![3],
        ),
        (
            Filter {
                client: Some(Pattern::is("192.0.2.*")),
                ..all()
            },
            vec![2],
        ),
        (
            Filter {
                delivery: Some(Pattern::begins("delivery-e")),
                ..all()
            },
            vec![1, 3],
        ),
        (
            Filter {
                from_ms: Some(now_ms() - 60_000),
                ..all()
            },
            vec![1, 2],
        ),
        (
            Filter {
                before_ms: Some(now_ms() - 60_000),
                ..all()
            },
            vec![3],
        ),
        (
            Filter {
                from_ms: Some(now_ms() + 60_000),
                ..all()
            },
            vec![],
        ),
    ] {
        assert_eq!(numbers(filter.clone()), expected, "{filter:?}");
    }
    assert_eq!(record.list(&all(), 2).unwrap().len(), 2);
}

#[test]
fn a_filter_asks_for_outcomes_and_numbers() {
    let place = Place::new();
    place.record(
        Options::default(),
        [accepted("e-1"), refused(b"x"), accepted("e-3")],
    );
    let record = place.open();
    let all = Filter::default;
    for (filter, expected) in [
        (
            Filter {
                outcome: Some(Pattern::exactly("unauthorized")),
                ..all()
            },
            vec![2],
        ),
        (
            Filter {
                subject: Some(Pattern::exactly("label/1*")),
                ..all()
            },
            vec![],
        ),
        (
            Filter {
                after: Some(1),
                before: Some(3),
                ..all()
            },
            vec![2],
        ),
    ] {
        let found = record.list(&filter, usize::MAX).unwrap();
        let numbers = found.iter().map(|found| found.number).collect::<Vec<_>>();
        assert_eq!(numbers, expected, "{filter:?}");
    }
}

#[test]
fn whatever_is_pasted_is_searched_for() {
    let place = Place::new();
    let mut task = accepted("e-170");
    task.subject = Some("task/170".to_owned());
    task.project = Some("17".to_owned());
    task.event_type = Some("io.labelstud.task.created".to_owned());
    let mut long = accepted("9f86d081884c7d65");
    long.subject = Some("label/ckfgcfsbi00003h5ziwnd8qt7".to_owned());
    place.record(
        Options::default(),
        [accepted("e-1"), task, long, refused(b"x")],
    );
    let record = place.open();
    let newest = Filter {
        newest_first: true,
        ..Filter::default()
    };
    let numbers = |text: &str, filter: &Filter| {
        let found = record.search(text, filter, 100).unwrap();
        found.iter().map(|found| found.number).collect::<Vec<_>>()
    };
    for (text, expected) in [
        ("r4", vec![4]),
        ("e-1", vec![1]),
        ("9f86d0", vec![3]),
        // Too short for a beginning.
        ("9f86", vec![]),
        ("delivery-e-1", vec![2, 1]),
        // A project, and what the label of that number is; task 170 is another.
        ("17", vec![2, 1]),
        ("label/17", vec![1]),
        ("ckfgcfsbi", vec![3]),
        ("label/ckfgcfsbi", vec![3]),
        ("io.labelstud", vec![2]),
        ("none-of-them", vec![]),
        ("", vec![]),
    ] {
        assert_eq!(numbers(text, &newest), expected, "{text}");
    }
    let earlier = Filter {
        before: Some(2),
        ..newest
    };
    assert_eq!(numbers("17", &earlier), [1]);
    assert_eq!(record.search("17", &Filter::default(), 1).unwrap().len(), 1);
}

#[test]
fn a_beginning_that_many_have_finds_the_newest() {
    let place = Place::new();
    let rows = (0..3000).map(|number| accepted(&format!("many-{number}")));
    place.record(Options::default(), rows);
    let newest = Filter {
        newest_first: true,
        ..Filter::default()
    };
    let found = place.open().search("delivery-many-", &newest, 2).unwrap();
    let numbers = found.iter().map(|found| found.number);
    assert_eq!(numbers.collect::<Vec<_>>(), [3000, 2999]);
}

#[test]
fn each_class_is_bounded_for_itself() {
    let place = Place::new();
    let few = Limits {
        deliveries: 10,
        bytes: u64::MAX,
        body_bytes: 100,
    };
    let options = with(|options| options.stranger = few);
    let rows = (0..50).flat_map(|n| [accepted(&format!("e-{n}")), refused(&[b'x'; 30])]);
    place.record(options, rows);
    let all = place.all();
    let strangers: Vec<_> = all.iter().filter(|found| found.row.status == 401).collect();
    assert_eq!(
        all.len() - strangers.len(),
        50,
        "no stranger pushes out what was verified"
    );
    assert_eq!(strangers.len(), 10);
    assert_eq!(
        strangers.last().map(|found| found.number),
        Some(100),
        "the newest stay"
    );
    let record = place.open();
    let with_body = strangers
        .iter()
        .filter(|found| record.body(found).unwrap().is_some())
        .count();
    assert_eq!(with_body, 3, "bodies have bounds of their own");
}

#[test]
fn what_is_too_old_or_too_much_goes() {
    let place = Place::new();
    let mut old = accepted("old");
    old.arrived_ms -= 31 * 86_400_000;
    place.record(Options::default(), [old, accepted("new")]);
    let ids = |place: &Place| {
        let all = place.all();
        all.into_iter()
            .map(|found| found.row.event_id.unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&place), ["new"]);
    let options = with(|options| options.verified.bytes = 3000);
    place.record(options, (0..100).map(|n| accepted(&format!("{n:03}"))));
    let left = ids(&place);
    assert!((2..=8).contains(&left.len()), "{left:?}");
    assert_eq!(left.last().map(String::as_str), Some("099"));
}

/// The queue keeps the events of these deliveries.
#[test]
fn since_when_it_has_deliveries_is_told() {
    const DAY_MS: i64 = 86_400_000;
    let place = Place::new();
    let told = |options: &Options, rows: Vec<Row>, since_ms: &dyn Fn(i64) -> bool| {
        let recorder = Recorder::new(place.file(), options.clone(), clock());
        let told = recorder.events_since_ms();
        assert_eq!(told.load(Ordering::Relaxed), 0, "nothing yet: all count");
        recorder.begin().unwrap();
        for row in rows {
            recorder.note(row);
        }
        until(|| since_ms(told.load(Ordering::Relaxed)));
    };
    let begun = now_ms();
    told(&Options::default(), vec![], &|since_ms| {
        since_ms > begun - DAY_MS && since_ms < begun
    });
    let (mut old, new) = (accepted("e-1"), accepted("e-2"));
    old.arrived_ms -= 5 * DAY_MS;
    let (old_ms, new_ms) = (old.arrived_ms, new.arrived_ms);
    let rows = vec![refused(b"{}"), old, new];
    told(&Options::default(), rows, &|since_ms| since_ms == old_ms);
    let options = with(|options| options.max_age = Duration::from_secs(3 * 86_400));
    told(&options, vec![], &|since_ms| since_ms == new_ms);
    // Set aside: the next one has nothing.
    fs::write(place.file(), "no database".repeat(100)).unwrap();
    told(&options, vec![], &|since_ms| {
        (begun - DAY_MS..i64::MAX).contains(&since_ms) && since_ms != new_ms
    });
    // Somebody else's: nothing is recorded there.
    fs::remove_file(place.file()).unwrap();
    fs::create_dir(place.file()).unwrap();
    told(&options, vec![], &|since_ms| since_ms == i64::MAX);
}

#[test]
fn a_bound_that_was_lowered_is_reached() {
    let place = Place::new();
    place.record(
        Options::default(),
        (0..5000).map(|n| accepted(&n.to_string())),
    );
    let options = with(|options| options.verified.deliveries = 100);
    // Each start takes a step.
    for _ in 0..4 {
        place.record(options.clone(), []);
    }
    assert_eq!(place.all().len(), 100);
}

#[test]
fn a_damaged_file_is_set_aside() {
    let damage = b"no database at all, and nobody knows what it is".repeat(20);
    let place = Place::new();
    fs::write(place.file(), &damage).unwrap();
    place.record(Options::default(), [accepted("e-1")]);
    assert_eq!(place.all().len(), 1);
    assert_eq!(fs::read(aside(&place.file(), "damaged")).unwrap(), damage);
}

#[test]
fn damage_in_the_middle_is_set_aside_when_it_is_found() {
    let place = Place::new();
    place.record(
        Options::default(),
        (0..1000).map(|n| accepted(&n.to_string())),
    );
    let mut bytes = fs::read(place.file()).unwrap();
    let length = bytes.len();
    bytes[4096..length].fill(0xa5);
    fs::write(place.file(), bytes).unwrap();
    place.record(Options::default(), [accepted("after")]);
    assert!(aside(&place.file(), "damaged").exists());
    let all = place.all();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].row.event_id.as_deref(), Some("after"));
}

#[test]
fn a_newer_file_is_set_aside_and_a_foreign_one_left_alone() {
    let place = Place::new();
    place.record(Options::default(), [accepted("e-1")]);
    let db = rusqlite::Connection::open(place.file()).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    assert!(matches!(
        RecordFile::open(&place.file()),
        Err(RecordError::Newer { found: 99, .. })
    ));
    place.record(Options::default(), [accepted("e-2")]);
    assert!(aside(&place.file(), "newer").exists());
    assert_eq!(place.all()[0].row.event_id.as_deref(), Some("e-2"));

    let place = Place::new();
    let db = rusqlite::Connection::open(place.file()).unwrap();
    db.execute_batch("CREATE TABLE theirs(x); INSERT INTO theirs VALUES (1)")
        .unwrap();
    drop(db);
    let before = fs::read(place.file()).unwrap();
    place.record(Options::default(), [accepted("e-1")]);
    assert_eq!(fs::read(place.file()).unwrap(), before);
    assert!(matches!(
        RecordFile::open(&place.file()),
        Err(RecordError::Foreign { .. })
    ));
}

#[cfg(unix)]
#[test]
fn a_file_that_was_removed_begins_again() {
    let place = Place::new();
    let recorder = place.begin(Options::default());
    recorder.note(accepted("e-1"));
    until(|| place.has("e-1"));
    for name in ["", "-wal", "-shm"] {
        let mut path = place.file().into_os_string();
        path.push(name);
        fs::remove_file(path).unwrap();
    }
    recorder.note(accepted("e-2"));
    recorder.close();
    assert_eq!(place.all().len(), 1);
}

#[cfg(unix)]
#[test]
fn a_file_that_was_replaced_is_noticed_and_recorded_into() {
    let (place, other) = (Place::new(), Place::new());
    other.record(Options::default(), [accepted("of-the-other")]);
    let recorder = place.begin(Options::default());
    recorder.note(accepted("e-1"));
    until(|| place.has("e-1") && waiting(&place) == 0);
    // As somebody puts a copy there who moved the file away; what `SQLite` has beside it stays.
    fs::rename(place.file(), place.0.path().join("aside")).unwrap();
    fs::rename(other.file(), place.file()).unwrap();
    recorder.note(accepted("e-2"));
    recorder.close();
    let all = place.all();
    let ids: Vec<_> = all.iter().map(|it| it.row.event_id.as_deref()).collect();
    assert_eq!(ids, [Some("of-the-other"), Some("e-2")]);
}

#[test]
fn a_file_that_somebody_locks_keeps_no_delivery_out() {
    let place = Place::new();
    place.record(Options::default(), []);
    let db = rusqlite::Connection::open(place.file()).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    let recorder = place.begin(Options::default());
    for (id, many) in [("e-1", 1), ("e-2", 2)] {
        recorder.note(accepted(id));
        until(|| place.all().len() == many);
    }
    assert_ne!(waiting(&place), 0);
    db.execute_batch("ROLLBACK").unwrap();
    until(|| waiting(&place) == 0);
    recorder.close();
    let all = place.all();
    let numbers: Vec<_> = all.iter().map(|found| found.number).collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn whoever_reads_meanwhile_sees_no_gap_and_nothing_twice() {
    const GROUPS: usize = 10;
    const EACH: usize = 30;
    let place = Place::new();
    place.record(Options::default(), []);
    let recorder = place.begin(Options::default());
    let seen = || -> usize {
        let all = place.all();
        let numbers: Vec<_> = all.iter().map(|found| found.number).collect();
        let expected: Vec<i64> = (1..).take(all.len()).collect();
        assert_eq!(numbers, expected);
        all.len()
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut before = 0;
                until(|| {
                    let now = seen();
                    assert!(now >= before, "{now} after {before}");
                    before = now;
                    now == GROUPS * EACH
                });
            });
        }
        // While a group is read, the one before it is moved.
        for group in 1..=GROUPS {
            for n in 0..EACH {
                recorder.note(accepted(&format!("{group}-{n}")));
            }
            until(|| seen() == group * EACH);
        }
    });
    recorder.close();
    assert_eq!(seen(), GROUPS * EACH);
}

#[test]
fn two_that_record_into_one_file_spoil_nothing() {
    let place = Place::new();
    let first = place.begin(Options::default());
    first.note(accepted("e-1"));
    until(|| {
        RecordFile::open(&place.file()).is_ok_and(|it| it.is_some()) && place.all().len() == 1
    });
    // It records nothing while the other one does, and leaves its journal alone.
    place.record(Options::default(), [accepted("e-2")]);
    first.note(accepted("e-3"));
    first.close();
    place.record(Options::default(), [accepted("e-4")]);
    let all = place.all();
    let numbered = all
        .iter()
        .map(|found| (found.number, found.row.event_id.as_deref()));
    let expected = [(1, Some("e-1")), (2, Some("e-3")), (3, Some("e-4"))];
    assert!(numbered.eq(expected), "{all:?}");
}

#[test]
fn many_threads_lose_nothing_and_double_nothing() {
    const EACH: usize = 2000;
    let place = Place::new();
    let recorder = place.begin(Options::default());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let recorder = &recorder;
            scope.spawn(move || {
                for n in 0..EACH {
                    recorder.note(accepted(&format!("{thread}-{n}")));
                }
            });
        }
    });
    recorder.close();
    let all = place.all();
    let numbers = all.iter().map(|found| found.number);
    assert!(numbers.eq(1..=i64::try_from(4 * EACH).unwrap()));
    let ids: std::collections::BTreeSet<_> = all.iter().map(|found| &found.row.event_id).collect();
    assert_eq!(ids.len(), 4 * EACH);
    assert_eq!(place.open().lost().unwrap(), 0);
}

#[test]
fn an_author_is_forgotten() {
    let place = Place::new();
    let mut row = refused(br#"{"by":"Ann@example.org"}"#);
    row.head = Some("x-user: ann@example.org\n".to_owned());
    let options = with(|options| options.verified.deliveries = 1);
    // One that is pruned leaves its bytes in a free page. It is in the file before that, and not in the journal alone.
    let mut pruned = accepted("e-1");
    pruned.head = Some("x-user: ann@example.org\n".repeat(50));
    place.record(options.clone(), [pruned]);
    place.record(options, [row, accepted("e-2")]);
    let record = place.open();
    assert!(record.find("r1").unwrap().is_empty());
    assert_eq!(record.forget("ann@example.org").unwrap(), 1);
    let found = record.find("r2").unwrap().remove(0);
    assert_eq!(found.row.head.as_deref(), Some("x-user: [forgotten]\n"));
    let body = record.body(&found).unwrap().unwrap();
    assert_eq!(body.start, br#"{"by":"[forgotten]"}"#);
    assert!(!body.is_whole);
    drop(record);
    let bytes = fs::read(place.file()).unwrap().to_ascii_lowercase();
    let address = b"ann@example.org";
    assert!(!bytes.windows(address.len()).any(|part| part == address));
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_it_and_no_link_is_followed() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    place.record(Options::default(), [accepted("e-1")]);
    let mode = fs::metadata(place.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let (place, other) = (Place::new(), Place::new());
    std::os::unix::fs::symlink(other.file(), place.file()).unwrap();
    place.record(Options::default(), [accepted("e-1")]);
    assert!(!other.file().exists());
}

/// A directory may come from somebody else, as a clone does.
#[cfg(unix)]
#[test]
fn nothing_is_touched_that_somebody_else_put_beside_it() {
    type Put = fn(&Path, &Path) -> std::io::Result<()>;
    let puts: [Put; 3] = [
        |victim, at| std::os::unix::fs::symlink(victim, at),
        |victim, at| fs::hard_link(victim, at),
        // `SQLite` plays a journal back that was left, and removes the file whose name stands at its end.
        |victim, at| {
            let magic = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
            let name = victim.to_str().unwrap().as_bytes();
            fs::write(at, [name, &magic[..]].concat())
        },
    ];
    for (ending, puts) in [
        ("-wal", &puts[..2]),
        ("-shm", &puts[..2]),
        ("-journal", &puts[..]),
    ] {
        for put in puts {
            let place = Place::new();
            place.record(Options::default(), [accepted("e-1")]);
            let victim = place.0.path().join("victim");
            fs::write(&victim, "of somebody else").unwrap();
            let at = PathBuf::from(format!("{}{ending}", place.file().display()));
            put(&victim, &at).unwrap();
            place.record(Options::default(), [accepted("e-2")]);
            let read = RecordFile::open(&place.file());
            assert!(matches!(read, Err(RecordError::Foreign { .. })), "{ending}");
            assert_eq!(fs::read(&victim).unwrap(), b"of somebody else", "{ending}");
            fs::remove_file(at).unwrap();
            place.record(Options::default(), [accepted("e-3")]);
            assert!(place.has("e-1") && place.has("e-3"), "{ending}");
        }
    }
}

fn aside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{ending}"));
    PathBuf::from(name)
}

/// Files in the journal beside the record.
fn waiting(place: &Place) -> usize {
    let journal = aside(&place.file(), "journal");
    fs::read_dir(journal).map_or(0, Iterator::count)
}

/// Waits for a condition.
fn until(mut holds: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(
            begun.elapsed() < std::time::Duration::from_secs(60),
            "never"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// What a record of several relays does, too.
#[test]
fn a_file_is_a_record_as_every_other_is() {
    for conforms in [
        suite::finds_what_it_was_given,
        suite::holds_its_bounds,
        suite::keeps_no_more_bytes_and_nothing_old,
        suite::forgets_an_address,
    ] {
        let place = Place::new();
        conforms(&Fresh {
            begin: &|options| place.begin(options),
            open: &|| {
                let file = RecordFile::open(&place.file()).unwrap();
                file.map(|file| Box::new(file) as Box<dyn Record>)
            },
        });
    }
}
