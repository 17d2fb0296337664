//! A disk that takes its time: another program holds the queue's write lock, as a backup would.

use labelrelay_tests::relay::Site;
use rusqlite::Connection;

/// While this lives, nobody can write into the queue.
pub(crate) struct SlowDisk(Connection);

impl SlowDisk {
    pub(crate) fn begin(site: &Site) -> Self {
        let connection = Connection::open(site.queue_file()).unwrap();
        connection
            .busy_timeout(labelrelay_tests::relay::PATIENCE)
            .unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        Self(connection)
    }

    pub(crate) fn end(self) {
        self.0.execute_batch("ROLLBACK").unwrap();
    }
}
