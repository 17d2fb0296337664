//! Small things that every connection shares.

use labelrelay_core::Clock;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// Page cache of a connection, in `SQLite`'s unit (negative: KiB). The ends of a few tables are all that a
/// send touches; more would only be memory.
pub(crate) const CACHE_SIZE: i32 = -4096;

/// Waiting of a connection for its turn while another one writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BusyWait {
    /// For how long.
    pub(crate) total: Duration,
    /// Pause between two looks. `SQLite`'s own pauses grow to 100 ms; transactions here last about as
    /// long as one write to the disk. Who looks more often is first: the owner, for senders wait for it.
    pub(crate) retry_every: Duration,
}

thread_local! {
    /// This thread does something that can wait better than it can be waited for.
    static IS_IMPATIENT: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, in which no connection of this thread waits for its turn: it fails at once where another one writes.
pub(crate) fn without_waiting<T>(work: impl FnOnce() -> T) -> T {
    /// A panic of the work leaves no impatience behind.
    struct Patient;
    impl Drop for Patient {
        fn drop(&mut self) {
            IS_IMPATIENT.set(false);
        }
    }
    let _patient = Patient;
    IS_IMPATIENT.set(true);
    work()
}

/// Keeps the plan of a statement for all that is bound to it. Otherwise `SQLite` plans it anew for each new value.
pub(crate) fn plan_once(db: &Connection) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(drop)
}

/// Makes `db` wait while another connection writes.
pub(crate) fn set_busy_wait(db: &mut Connection, busy_wait: BusyWait) -> rusqlite::Result<()> {
    let mut since = Instant::now();
    db.busy_handler(Some(move |retries: i32| {
        if retries == 0 {
            since = Instant::now();
        }
        let wait = since.elapsed() < busy_wait.total && !IS_IMPATIENT.get();
        if wait {
            std::thread::sleep(busy_wait.retry_every);
        }
        wait
    }))
}

/// Begins a transaction that may write, waiting for its turn now and not in the middle of it.
/// It is rolled back when it is dropped.
pub(crate) fn begin(db: &Connection) -> rusqlite::Result<Transaction<'_>> {
    Transaction::new_unchecked(db, TransactionBehavior::Immediate)
}

/// Time of day in milliseconds since 1970.
pub(crate) fn now_ms(clock: &dyn Clock) -> i64 {
    clock.now().as_millisecond()
}

/// A length of time in milliseconds.
pub(crate) fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A setting kept in the file.
pub(crate) fn setting(db: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    use rusqlite::OptionalExtension as _;
    db.prepare_cached("SELECT value FROM settings WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Keeps a setting in the file.
pub(crate) fn set_setting(db: &Connection, name: &str, value: i64) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO settings(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = excluded.value")?
        .execute((name, value))
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red, without an end, if it waits; or if the next one does not wait any more.
    #[test]
    fn work_that_nobody_waits_for_waits_for_nobody() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("some.db");
        let [other, mut db] = [(); 2].map(|()| Connection::open(&path).unwrap());
        let busy_wait = BusyWait {
            total: Duration::from_secs(24 * 3600),
            retry_every: Duration::from_micros(200),
        };
        set_busy_wait(&mut db, busy_wait).unwrap();
        let taken = begin(&other).unwrap();
        let error = without_waiting(|| begin(&db).map(drop)).unwrap_err();
        assert_eq!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseBusy)
        );
        assert!(!IS_IMPATIENT.get());
        drop(taken);
        begin(&db).unwrap();
    }
}
