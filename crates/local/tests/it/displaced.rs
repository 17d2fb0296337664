//! The queue's files are taken away, replaced or cut off while they are in use: nothing is said to be stored
//! from then on, and the message names what happened and the cure.
#![cfg(unix)]

use crate::support::{QueueDir, ids, message, send, try_send};
use futures_executor::block_on;
use labelrelay_core::{BoxFuture, Clock, EventQueue as _, QueueErrorKind};
use labelrelay_local::{EmbeddedQueue, Options, QueueFile};
use labelrelay_testkit::clock::FakeClock;
use rusqlite::Connection;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

fn beside(queue_dir: &QueueDir, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", queue_dir.path().display()))
}

/// Neither a send nor a check is answered well, and both say `words`.
#[track_caller]
pub(crate) fn refuses(queue: &EmbeddedQueue, id: &str, words: &[&str]) {
    let send = try_send(queue, id).unwrap_err();
    let check = block_on(queue.check()).unwrap_err();
    for error in [send, check] {
        assert_eq!(error.kind, QueueErrorKind::Unavailable, "{error}");
        assert!(!error.retryable, "trying again at once cannot help");
        for word in words {
            assert!(error.message.contains(word), "no {word:?} in {error}");
        }
    }
}

/// A mishap of a queue's files, and the words that its message must have.
type Mishap = (&'static str, fn(&QueueDir), &'static [&'static str]);

const MISHAPS: &[Mishap] = &[
    (
        "the file is removed",
        |queue_dir| fs::remove_file(queue_dir.path()).unwrap(),
        &["queue.db", "removed", "start `serve` again"],
    ),
    (
        "the file is moved",
        |queue_dir| fs::rename(queue_dir.path(), beside(queue_dir, ".old")).unwrap(),
        &["queue.db", "moved away", "put it back"],
    ),
    (
        "the file is replaced by a copy of itself",
        |queue_dir| {
            fs::copy(queue_dir.path(), beside(queue_dir, ".copy")).unwrap();
            fs::rename(beside(queue_dir, ".copy"), queue_dir.path()).unwrap();
        },
        &["queue.db", "another file"],
    ),
    (
        "the file is replaced by an empty one",
        |queue_dir| {
            fs::remove_file(queue_dir.path()).unwrap();
            fs::write(queue_dir.path(), b"").unwrap();
        },
        &["queue.db"],
    ),
    (
        "the file is replaced by a directory",
        |queue_dir| {
            fs::remove_file(queue_dir.path()).unwrap();
            fs::create_dir(queue_dir.path()).unwrap();
        },
        &["queue.db", "another file"],
    ),
    (
        "the file is cut off wholly",
        |queue_dir| {
            let file = fs::OpenOptions::new()
                .write(true)
                .open(queue_dir.path())
                .unwrap();
            file.set_len(0).unwrap();
            // Closing it here would drop this process's locks of it, which is not what is tried.
            std::mem::forget(file);
        },
        &["queue.db", "cut off", "backup"],
    ),
    (
        "the journal is removed",
        |queue_dir| fs::remove_file(beside(queue_dir, "-wal")).unwrap(),
        &["queue.db-wal", "stop `serve`"],
    ),
    (
        "the journal is replaced",
        |queue_dir| {
            fs::copy(beside(queue_dir, "-wal"), beside(queue_dir, "-copy")).unwrap();
            fs::rename(beside(queue_dir, "-copy"), beside(queue_dir, "-wal")).unwrap();
        },
        &["queue.db-wal", "another file"],
    ),
    (
        "the journal is cut off",
        |queue_dir| {
            let file = fs::OpenOptions::new()
                .write(true)
                .open(beside(queue_dir, "-wal"));
            file.unwrap().set_len(0).unwrap();
        },
        &["queue.db-wal", "cut off"],
    ),
    (
        "the journal's index is removed",
        |queue_dir| fs::remove_file(beside(queue_dir, "-shm")).unwrap(),
        &["queue.db-shm", "start `serve` again"],
    ),
    (
        "the lock is removed",
        |queue_dir| fs::remove_file(beside(queue_dir, ".lock")).unwrap(),
        &["queue.db.lock", "another `serve`", "start `serve` again"],
    ),
    (
        "everything is removed",
        |queue_dir| {
            for end in ["", "-wal", "-shm", ".lock"] {
                fs::remove_file(beside(queue_dir, end)).unwrap();
            }
        },
        &["queue.db", "removed"],
    ),
    (
        "the file has a second name",
        |queue_dir| fs::hard_link(queue_dir.path(), beside(queue_dir, ".link")).unwrap(),
        &["queue.db", "2 names", "find -samefile"],
    ),
    (
        "the directory is renamed",
        |queue_dir| {
            let away = queue_dir.dir.path().with_extension("away");
            fs::rename(queue_dir.dir.path(), &away).unwrap();
        },
        &["directory", "moved away"],
    ),
];

#[test]
fn nothing_is_acknowledged_once_the_files_are_gone() {
    for (name, mishap, words) in MISHAPS {
        println!("{name}");
        let queue_dir = QueueDir::new();
        let queue = queue_dir.open();
        send(&queue, "before");
        mishap(&queue_dir);
        refuses(&queue, "after", words);
        refuses(&queue, "after", words);
        // Its closing writes must not reach for files that are no longer its own.
        drop(queue);
        let _ = fs::remove_dir_all(queue_dir.dir.path().with_extension("away"));
    }
}

/// A clock that counts how often somebody asks for the time that passed.
struct Counted(FakeClock, Arc<AtomicU64>);

impl Clock for Counted {
    fn now(&self) -> jiff::Timestamp {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration)
    }
}

/// Red if the writer takes a whole core once it is time to prune and there is nothing that it may prune.
#[test]
fn while_the_files_are_gone_the_writer_sleeps() {
    let queue_dir = QueueDir::new();
    let asked = Arc::new(AtomicU64::new(0));
    let clock = Counted(queue_dir.clock.clone(), Arc::clone(&asked));
    let queue = EmbeddedQueue::open(queue_dir.path(), Options::default(), Arc::new(clock)).unwrap();
    send(&queue, "before");
    fs::remove_file(queue_dir.path()).unwrap();
    refuses(&queue, "after", &["removed"]);
    queue_dir.clock.advance(Duration::from_secs(3600));
    // Once for each look at the files, and once more.
    let (begun, before) = (Instant::now(), asked.load(Ordering::Relaxed));
    while asked.load(Ordering::Relaxed) < before + 6 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(500), "three looks in {took:?}");
}

#[test]
fn displaced_files_are_noticed_without_a_send() {
    for (name, mishap, words) in MISHAPS {
        println!("{name}");
        let queue_dir = QueueDir::new();
        let queue = queue_dir.open();
        send(&queue, "before");
        mishap(&queue_dir);
        let error = block_on(queue.check()).unwrap_err();
        for word in *words {
            assert!(error.message.contains(word), "no {word:?} in {error}");
        }
        let _ = fs::remove_dir_all(queue_dir.dir.path().with_extension("away"));
    }
}

#[test]
fn a_message_under_way_is_not_acknowledged() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.busy_timeout = Duration::from_secs(20));
    send(&queue, "before");
    let other = Connection::open(queue_dir.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let sent = message("under way");
    let mut answer = queue.send(&sent);
    assert!(block_on(async { futures_util::poll!(&mut answer) }).is_pending());
    fs::rename(queue_dir.path(), beside(&queue_dir, ".old")).unwrap();
    other.execute_batch("ROLLBACK").unwrap();
    let error = block_on(answer).unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::Unavailable, "{error}");
    // It may be in the file all the same; whoever sends it again, when that is back, is told the truth.
    fs::rename(beside(&queue_dir, ".old"), queue_dir.path()).unwrap();
    drop(other);
    send(&queue, "under way");
    assert_eq!(ids(&queue_dir.file()), ["before", "under way"]);
}

#[test]
fn the_queue_works_again_when_the_same_files_are_back() {
    type Step = fn(&QueueDir);
    let steps: [(Step, Step); 4] = [
        (
            |queue_dir| fs::rename(queue_dir.path(), beside(queue_dir, ".old")).unwrap(),
            |queue_dir| fs::rename(beside(queue_dir, ".old"), queue_dir.path()).unwrap(),
        ),
        (
            |queue_dir| fs::hard_link(queue_dir.path(), beside(queue_dir, ".link")).unwrap(),
            |queue_dir| fs::remove_file(beside(queue_dir, ".link")).unwrap(),
        ),
        (
            |queue_dir| fs::rename(beside(queue_dir, ".lock"), beside(queue_dir, ".kept")).unwrap(),
            |queue_dir| fs::rename(beside(queue_dir, ".kept"), beside(queue_dir, ".lock")).unwrap(),
        ),
        (
            |queue_dir| {
                let away = queue_dir.dir.path().with_extension("away");
                fs::rename(queue_dir.dir.path(), away).unwrap();
            },
            |queue_dir| {
                let away = queue_dir.dir.path().with_extension("away");
                fs::rename(away, queue_dir.dir.path()).unwrap();
            },
        ),
    ];
    for (away, back) in steps {
        let queue_dir = QueueDir::new();
        let queue = queue_dir.open();
        send(&queue, "before");
        away(&queue_dir);
        refuses(&queue, "meanwhile", &[]);
        back(&queue_dir);
        block_on(queue.check()).unwrap();
        assert!(!send(&queue, "meanwhile").repeat, "it was never written");
        assert!(send(&queue, "before").repeat);
        drop(queue);
        assert_eq!(ids(&queue_dir.file()), ["before", "meanwhile"]);
    }
}

#[test]
fn a_file_that_was_cut_off_is_not_trusted_again() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, "before");
    let journal = fs::OpenOptions::new()
        .write(true)
        .open(beside(&queue_dir, "-wal"))
        .unwrap();
    let bytes = journal.metadata().unwrap().len();
    journal.set_len(0).unwrap();
    refuses(&queue, "after", &["cut off"]);
    // As long as before, and nothing but holes.
    journal.set_len(bytes).unwrap();
    refuses(&queue, "after", &["cut off"]);
}

#[test]
fn events_of_a_removed_journal_are_moved_into_the_file() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for n in 0..20 {
        send(&queue, &n.to_string());
    }
    fs::remove_file(beside(&queue_dir, "-wal")).unwrap();
    refuses(&queue, "after", &["queue.db-wal"]);
    // Not by closing it: a process that is killed does not.
    std::mem::forget(queue);
    let copy = QueueDir::new();
    fs::copy(queue_dir.path(), copy.path()).unwrap();
    assert_eq!(ids(&copy.file()).len(), 20);
}

#[test]
fn the_files_of_a_new_owner_are_left_alone_by_the_old_one() {
    let queue_dir = QueueDir::new();
    let old = queue_dir.open();
    send(&old, "old");
    for end in ["", "-wal", "-shm", ".lock"] {
        fs::rename(
            beside(&queue_dir, end),
            beside(&queue_dir, &format!("{end}.old")),
        )
        .unwrap();
    }
    let new = queue_dir.open();
    send(&new, "new");
    refuses(&old, "lost", &["another file"]);
    old.close();
    send(&new, "newer");
    assert!(beside(&queue_dir, "-wal").exists());
    drop(new);
    assert_eq!(ids(&queue_dir.file()), ["new", "newer"]);
}

#[test]
fn with_its_lock_gone_the_first_owner_stops_and_the_second_goes_on() {
    let queue_dir = QueueDir::new();
    let first = queue_dir.open();
    send(&first, "a");
    fs::remove_file(beside(&queue_dir, ".lock")).unwrap();
    let second = queue_dir.open();
    refuses(&first, "b", &["another `serve`"]);
    assert!(send(&second, "a").repeat);
    send(&second, "b");
    drop(first);
    send(&second, "c");
    assert_eq!(ids(&queue_dir.file()), ["a", "b", "c"]);
}

#[test]
fn readers_do_not_write_into_a_file_that_is_gone_either() {
    let queue_dir = QueueDir::new();
    send(&queue_dir.open(), "a");
    let file = queue_dir.file();
    let taken = file.receive(1, Duration::from_secs(60)).unwrap();
    fs::rename(queue_dir.path(), beside(&queue_dir, ".old")).unwrap();
    for error in [
        file.append(&[message("found")], 0).unwrap_err(),
        file.acknowledge(&taken[0].receipt).unwrap_err(),
        file.receive(1, Duration::from_secs(60)).unwrap_err(),
    ] {
        assert!(error.to_string().contains("moved away"), "{error}");
    }
    fs::rename(beside(&queue_dir, ".old"), queue_dir.path()).unwrap();
    assert_eq!(file.append(&[message("found")], 0).unwrap(), [true]);
    let again = QueueFile::open(queue_dir.path(), Arc::new(queue_dir.clock.clone())).unwrap();
    assert_eq!(ids(&again), ["a", "found"]);
}

#[test]
fn other_programs_that_use_the_file_raise_no_alarm() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for n in 0..50 {
        send(&queue, &format!("{n} {}", "x".repeat(20_000)));
    }
    let shell = Connection::open(queue_dir.path()).unwrap();
    let done = |sql: &str| shell.query_row(sql, [], |row| row.get::<_, i64>(0));
    assert_eq!(done("PRAGMA wal_checkpoint(TRUNCATE)").unwrap(), 0);
    assert_eq!(beside(&queue_dir, "-wal").metadata().unwrap().len(), 0);
    block_on(queue.check()).unwrap();
    send(&queue, "after the journal was emptied");
    shell
        .execute_batch("DELETE FROM events WHERE seq < 40; VACUUM")
        .unwrap();
    let before = queue_dir.path().metadata().unwrap().len();
    assert_eq!(done("PRAGMA wal_checkpoint(TRUNCATE)").unwrap(), 0);
    assert!(queue_dir.path().metadata().unwrap().len() < before);
    block_on(queue.check()).unwrap();
    send(&queue, "after the file was made smaller");
    drop(shell);
    let reader = queue_dir.file();
    let taken = reader.receive(5, Duration::from_secs(1)).unwrap();
    for delivery in &taken {
        reader.acknowledge(&delivery.receipt).unwrap();
    }
    drop(reader);
    block_on(queue.check()).unwrap();
}

/// The file was seen long, is shortened, and the queue has grown beyond it again, in the journal alone: all
/// between two looks.
#[test]
fn a_queue_that_grows_again_after_it_was_shortened_is_no_alarm() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for n in 0..50 {
        send(&queue, &format!("{n} {}", "x".repeat(20_000)));
    }
    let shell = Connection::open(queue_dir.path()).unwrap();
    let done = |sql: &str| shell.query_row(sql, [], |row| row.get::<_, i64>(0));
    assert_eq!(done("PRAGMA wal_checkpoint(TRUNCATE)").unwrap(), 0);
    block_on(queue.check()).unwrap();
    let before = queue_dir.path().metadata().unwrap().len();
    shell
        .execute_batch(
            "PRAGMA wal_autocheckpoint = 0; DELETE FROM events WHERE seq < 40; VACUUM;
             PRAGMA wal_checkpoint(TRUNCATE);
             INSERT INTO events SELECT seq + 100, received_ms, id || '+', type, source, subject, envelope FROM events",
        )
        .unwrap();
    let after = queue_dir.path().metadata().unwrap().len();
    let pages = u64::try_from(done("PRAGMA page_count").unwrap()).unwrap();
    assert!(after < before && after < pages * 16 * 1024);
    block_on(queue.check()).unwrap();
    send(&queue, "after");
    // The same shortened for real, by one page that the journal does not have.
    assert_eq!(done("PRAGMA wal_checkpoint(TRUNCATE)").unwrap(), 0);
    block_on(queue.check()).unwrap();
    send(&queue, "a journal that has other pages");
    let file = fs::OpenOptions::new().write(true).open(queue_dir.path());
    let file = file.unwrap();
    let whole = file.metadata().unwrap().len();
    file.set_len(whole / 2).unwrap();
    refuses(&queue, "never", &["queue.db", "cut off"]);
    file.set_len(whole).unwrap();
    refuses(&queue, "never", &["cut off"]);
    std::mem::forget(file);
}

/// Shortens file and journal between two looks, and between the steps of one.
#[test]
fn busy_neighbours_that_shorten_file_and_journal_raise_no_alarm() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.busy_timeout = Duration::from_secs(60));
    let path = queue_dir.path();
    let end = std::sync::atomic::AtomicBool::new(false);
    let going = || !end.load(std::sync::atomic::Ordering::Relaxed);
    let shell = || {
        let shell = Connection::open(&path).unwrap();
        shell.busy_timeout(Duration::from_secs(60)).unwrap();
        shell
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let shell = shell();
            while going() {
                shell
                    .execute_batch(
                        "DELETE FROM events WHERE seq < (SELECT max(seq) FROM events) - 20; VACUUM;
                         PRAGMA wal_checkpoint(TRUNCATE)",
                    )
                    .unwrap();
            }
        });
        scope.spawn(|| {
            let shell = shell();
            while going() {
                shell
                    .execute_batch(
                        "INSERT OR REPLACE INTO settings VALUES('neighbour', 1);
                         PRAGMA wal_checkpoint(TRUNCATE)",
                    )
                    .unwrap();
            }
        });
        let sent: Vec<_> = (0..400)
            .map(|n| try_send(&queue, &format!("{n} {}", "x".repeat(30_000))))
            .collect();
        end.store(true, std::sync::atomic::Ordering::Relaxed);
        for sent in sent {
            sent.unwrap();
        }
    });
    block_on(queue.check()).unwrap();
}

#[test]
fn a_path_that_leads_elsewhere_is_noticed() {
    let place = QueueDir::new();
    let [first, second, current] =
        ["first", "second", "current"].map(|name| place.dir.path().join(name));
    for directory in [&first, &second] {
        fs::create_dir(directory).unwrap();
    }
    let lead = |to: &PathBuf| {
        let _none_yet = fs::remove_file(&current);
        std::os::unix::fs::symlink(to, &current).unwrap();
    };
    lead(&first);
    let clock = Arc::new(place.clock.clone());
    let queue = EmbeddedQueue::open(
        current.join("queue.db"),
        labelrelay_local::Options::default(),
        clock,
    )
    .unwrap();
    send(&queue, "a");
    for to in [&second, &place.dir.path().join("nowhere")] {
        lead(to);
        refuses(
            &queue,
            "b",
            &["current/queue.db leads elsewhere", "first/queue.db"],
        );
    }
    lead(&first);
    send(&queue, "b");
}

/// Names the queue to the process that cuts its index off.
const CUT_OFF: &str = "LABELRELAY_TEST_CUT_OFF";

/// The index is mapped into memory. If the checkpointer's thread looks into it between the cut and the queue's own
/// look, the system ends the process (SIGBUS); so this happens in another one.
#[test]
fn an_index_that_is_cut_off_loses_nothing() {
    use std::os::unix::process::ExitStatusExt as _;
    if let Some(path) = std::env::var_os(CUT_OFF) {
        return cut_off_the_index(&PathBuf::from(path));
    }
    let place = QueueDir::new();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "displaced::an_index_that_is_cut_off_loses_nothing",
        ])
        .env(CUT_OFF, place.path())
        .output()
        .unwrap();
    let ended_by_the_system = child.status.signal() == Some(rustix::process::Signal::BUS.as_raw());
    assert!(child.status.success() || ended_by_the_system, "{child:?}");
    let again = place.open();
    assert!(send(&again, "a").repeat);
    assert!(!send(&again, "b").repeat);
}

fn cut_off_the_index(path: &Path) {
    let place = QueueDir::new();
    let clock = Arc::new(place.clock);
    let queue = EmbeddedQueue::open(path, labelrelay_local::Options::default(), clock).unwrap();
    send(&queue, "a");
    let index = fs::OpenOptions::new()
        .write(true)
        .open(format!("{}-shm", path.display()))
        .unwrap();
    index.set_len(1000).unwrap();
    // Closing it here would drop this process's locks of it, which is not what is tried.
    std::mem::forget(index);
    refuses(&queue, "b", &["queue.db-shm was cut off", "loses nothing"]);
}
