//! Ownership of a file, and that nothing is overwritten.

use crate::support::{QueueDir, ids, send, try_send};
use labelrelay_core::QueueErrorKind;
use labelrelay_local::{EmbeddedQueue, OpenError, Options, QueueFile};
use rusqlite::Connection;
use std::sync::Arc;

#[test]
fn a_second_owner_is_refused_and_told_who_the_first_is() {
    let queue_dir = QueueDir::new();
    let first = queue_dir.open();
    let error = queue_dir.try_open(Options::default()).unwrap_err();
    assert!(
        matches!(error, OpenError::Owned { pid: Some(pid), .. } if pid == std::process::id()),
        "{error:?}"
    );
    let text = error.to_string();
    assert!(
        text.contains("queue.db") && text.contains(&std::process::id().to_string()),
        "{text}"
    );
    send(&first, "the first is not disturbed");
    first.close();
    send(
        &queue_dir.open(),
        "a file that was given up has a new owner",
    );
}

#[cfg(unix)]
#[test]
fn a_link_leads_to_the_same_owner() {
    let queue_dir = QueueDir::new();
    let other = tempfile::TempDir::new().unwrap();
    let link = other.path().join("link.db");
    let farther = other.path().join("farther.db");
    let open = |path: &std::path::Path| {
        EmbeddedQueue::open(path, Options::default(), Arc::new(queue_dir.clock.clone()))
    };
    // The file is yet to be made; the second link is relative.
    std::os::unix::fs::symlink(queue_dir.path(), &link).unwrap();
    std::os::unix::fs::symlink("link.db", &farther).unwrap();
    let owner = open(&farther).unwrap();
    assert_eq!(owner.path(), queue_dir.path().canonicalize().unwrap());
    send(&owner, "a");
    for path in [&queue_dir.path(), &link, &farther] {
        let error = open(path).unwrap_err();
        assert!(matches!(error, OpenError::Owned { .. }), "{error:?}");
    }
    let through = QueueFile::open(&link, Arc::new(queue_dir.clock.clone())).unwrap();
    assert_eq!(ids(&through), ["a"]);
    assert!(
        through.stats().unwrap().file_bytes > queue_dir.path().metadata().unwrap().len(),
        "the journal beside the file counts"
    );
    drop(owner);
    let owner = open(&link).unwrap();
    assert!(matches!(
        queue_dir.try_open(Options::default()),
        Err(OpenError::Owned { .. })
    ));
    drop(owner);
    let circle = other.path().join("circle.db");
    std::os::unix::fs::symlink(&circle, &circle).unwrap();
    assert!(matches!(open(&circle), Err(OpenError::Io { .. })));
    let left = std::fs::read_dir(other.path()).unwrap().count();
    assert_eq!(left, 3, "no lock and no journal beside the links");
}

#[cfg(unix)]
#[test]
fn a_file_with_two_names_is_refused_until_it_has_one() {
    let queue_dir = QueueDir::new();
    send(&queue_dir.open(), "a");
    let second = queue_dir.dir.path().join("second.db");
    std::fs::hard_link(queue_dir.path(), &second).unwrap();
    let clock = Arc::new(queue_dir.clock.clone());
    for error in [
        queue_dir.try_open(Options::default()).unwrap_err(),
        EmbeddedQueue::open(&second, Options::default(), clock).unwrap_err(),
        reader(&queue_dir).unwrap_err(),
    ] {
        assert!(
            matches!(error, OpenError::Linked { names: 2, .. }),
            "{error:?}"
        );
    }
    std::fs::remove_file(second).unwrap();
    assert!(send(&queue_dir.open(), "a").repeat, "nothing was changed");
}

#[test]
fn the_lock_of_a_process_that_is_gone_is_taken_over() {
    let queue_dir = QueueDir::new();
    // Remains of a killed process: the lock file with its number, and no lock.
    std::fs::write(queue_dir.dir.path().join("queue.db.lock"), "4000000\n").unwrap();
    send(&queue_dir.open(), "taken over");
}

#[test]
fn sends_to_a_closed_queue_fail() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    queue.close();
    queue.close();
    let error = try_send(&queue, "late").unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::Unavailable);
    assert!(!error.retryable);
}

#[test]
fn closing_leaves_one_whole_file() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, "a");
    queue.close();
    let left: Vec<_> = std::fs::read_dir(queue_dir.dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!left.iter().any(|name| name.ends_with("-wal")), "{left:?}");
    assert_eq!(ids(&queue_dir.file()), ["a"]);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_what_it_makes() {
    use std::os::unix::fs::PermissionsExt as _;
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    // The second finds what was made after the first.
    send(&queue, "a");
    let mut seen = 0;
    for entry in std::fs::read_dir(queue_dir.dir.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{:?}",
            entry.file_name()
        );
        seen += 1;
    }
    assert_eq!(seen, 5, "file, journal, its index, lock, reserve");
}

#[test]
fn another_file_is_left_as_it_is() {
    let queue_dir = QueueDir::new();
    std::fs::write(
        queue_dir.path(),
        b"Dear diary, this is no database, and is longer than a header of one is.",
    )
    .unwrap();
    let before = std::fs::read(queue_dir.path()).unwrap();
    let error = queue_dir.try_open(Options::default()).unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
    assert!(matches!(reader(&queue_dir), Err(OpenError::Foreign { .. })));
    assert_eq!(std::fs::read(queue_dir.path()).unwrap(), before);
}

#[test]
fn another_programs_database_is_left_as_it_is() {
    for sql in [
        "CREATE TABLE theirs(a)",
        "PRAGMA application_id = 77",
        "PRAGMA user_version = 1",
    ] {
        let queue_dir = QueueDir::new();
        Connection::open(queue_dir.path())
            .unwrap()
            .execute_batch(sql)
            .unwrap();
        let before = std::fs::read(queue_dir.path()).unwrap();
        let error = queue_dir.try_open(Options::default()).unwrap_err();
        assert!(
            matches!(error, OpenError::Foreign { .. }),
            "{sql}: {error:?}"
        );
        assert_eq!(std::fs::read(queue_dir.path()).unwrap(), before, "{sql}");
    }
}

#[test]
fn a_newer_file_is_left_as_it_is() {
    let queue_dir = QueueDir::new();
    queue_dir.open().close();
    Connection::open(queue_dir.path())
        .unwrap()
        .execute_batch("PRAGMA user_version = 2")
        .unwrap();
    let before = std::fs::read(queue_dir.path()).unwrap();
    for error in [
        queue_dir.try_open(Options::default()).unwrap_err(),
        reader(&queue_dir).unwrap_err(),
    ] {
        assert!(
            matches!(
                error,
                OpenError::Newer {
                    found: 2,
                    known: 1,
                    ..
                }
            ),
            "{error:?}"
        );
    }
    assert_eq!(std::fs::read(queue_dir.path()).unwrap(), before);
}

#[test]
fn a_file_that_is_still_being_created_is_no_queue() {
    let queue_dir = QueueDir::new();
    std::fs::write(queue_dir.path(), b"").unwrap();
    assert!(matches!(reader(&queue_dir), Err(OpenError::Missing { .. })));
    assert_eq!(queue_dir.path().metadata().unwrap().len(), 0);
    // The next step of its owner: a database without tables.
    let owner = Connection::open(queue_dir.path()).unwrap();
    let mode: String = owner
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    assert!(matches!(reader(&queue_dir), Err(OpenError::Missing { .. })));
    drop(owner);
    send(&queue_dir.open(), "a");
    assert_eq!(ids(&reader(&queue_dir).unwrap()), ["a"]);
}

#[test]
fn a_missing_directory_and_a_directory_in_its_place_are_named() {
    let queue_dir = QueueDir::new();
    assert!(matches!(reader(&queue_dir), Err(OpenError::Missing { .. })));
    std::fs::create_dir(queue_dir.path()).unwrap();
    let error = queue_dir.try_open(Options::default()).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }), "{error:?}");
    let clock = Arc::new(queue_dir.clock.clone());
    let nowhere = queue_dir.dir.path().join("none/queue.db");
    let error = QueueFile::open(&nowhere, clock.clone()).unwrap_err();
    assert!(matches!(error, OpenError::Missing { .. }), "{error:?}");
    let error = EmbeddedQueue::open(nowhere, Options::default(), clock).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }), "{error:?}");
    assert!(error.to_string().contains("none/queue.db"), "{error}");
}

fn reader(queue_dir: &QueueDir) -> Result<QueueFile, OpenError> {
    QueueFile::open(queue_dir.path(), Arc::new(queue_dir.clock.clone()))
}
