//! Files that somebody has put where the queue keeps its own: nothing that they lead to is touched.

use crate::support::{QueueDir, send};
use labelrelay_local::{OpenError, Options, QueueFile};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

const PRECIOUS: &[u8] = b"ssh-ed25519 AAAA me\n";

type Put = fn(&Path, &Path) -> std::io::Result<()>;

#[test]
fn nothing_is_written_through_a_link_beside_a_queue() {
    let links: [Put; 2] = [
        |to, at| symlink(to, at),
        |to, at| std::fs::hard_link(to, at),
    ];
    for end in [".lock", ".reserve", "-wal", "-shm", "-journal"] {
        for link in links {
            for has_queue in [false, true] {
                let place = QueueDir::new();
                if has_queue {
                    place.open().close();
                }
                let (precious, at) = (
                    place.dir.path().join("precious"),
                    place.dir.path().join(format!("queue.db{end}")),
                );
                std::fs::write(&precious, PRECIOUS).unwrap();
                let _made_by_the_queue = std::fs::remove_file(&at);
                link(&precious, &at).unwrap();
                let error = place.try_open(Options::default()).unwrap_err();
                assert!(
                    matches!(error, OpenError::ForeignFile(_)),
                    "{end}: {error:?}"
                );
                let text = error.to_string();
                assert!(
                    text.contains(&format!("queue.db{end}")) && text.contains("remove it"),
                    "{text}"
                );
                assert_eq!(std::fs::read(&precious).unwrap(), PRECIOUS, "{end}");
                std::fs::remove_file(&at).unwrap();
                send(&place.open(), "once it is gone, all is well");
            }
        }
    }
}

#[test]
fn a_dangling_link_makes_no_file_elsewhere() {
    let place = QueueDir::new();
    let elsewhere = place.dir.path().join("elsewhere");
    symlink(&elsewhere, place.dir.path().join("queue.db.lock")).unwrap();
    let error = place.try_open(Options::default()).unwrap_err();
    assert!(matches!(error, OpenError::ForeignFile(_)), "{error:?}");
    assert!(!elsewhere.exists());
}

/// `SQLite` plays an old journal back, and then removes the file that it names as its super-journal.
#[test]
fn a_journal_that_names_another_file_removes_none() {
    let place = QueueDir::new();
    let queue = place.open();
    send(&queue, "a");
    queue.close();
    let precious = place.dir.path().join("precious");
    std::fs::write(&precious, PRECIOUS).unwrap();
    let journal = place.dir.path().join("queue.db-journal");
    std::fs::write(&journal, hot_journal(&place.path(), &precious)).unwrap();
    let clock = Arc::new(place.clock.clone());
    for error in [
        QueueFile::open(place.path(), clock).unwrap_err(),
        place.try_open(Options::default()).unwrap_err(),
    ] {
        assert!(matches!(error, OpenError::Journal { .. }), "{error:?}");
    }
    assert_eq!(std::fs::read(&precious).unwrap(), PRECIOUS);
    std::fs::remove_file(journal).unwrap();
    assert!(send(&place.open(), "a").repeat, "the queue is unharmed");
}

/// A journal without pages, and the name of a super-journal at its end.
fn hot_journal(database: &Path, super_journal: &Path) -> Vec<u8> {
    const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    let (page, sector) = (16 * 1024_u32, 512_u32);
    let pages = u32::try_from(database.metadata().unwrap().len()).unwrap() / page;
    let mut journal = MAGIC.to_vec();
    for number in [0, 0, pages, sector, page] {
        journal.extend(number.to_be_bytes());
    }
    journal.resize(usize::try_from(sector).unwrap(), 0);
    let name = super_journal.to_str().unwrap().as_bytes();
    let sum = name
        .iter()
        .fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
    let lock_page = 0x4000_0000 / page + 1;
    journal.extend(lock_page.to_be_bytes());
    journal.extend(name);
    journal.extend(u32::try_from(name.len()).unwrap().to_be_bytes());
    journal.extend(sum.to_be_bytes());
    journal.extend(MAGIC);
    journal
}
