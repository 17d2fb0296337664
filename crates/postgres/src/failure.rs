//! Why the server did not do something, in words for whoever can put it right.

use labelrelay_core::backend::QueueFault;
use labelrelay_core::{BlobError, QueueErrorKind, chain};
use std::time::Duration;

/// An error of one exchange, before anybody thought about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The server's, or the connection's.
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    /// A transaction is committed, and the standby for which its commit had to wait may lack it.
    #[error("the commit did not wait for its standby")]
    StandbyNotWaitedFor,
    /// The tables were made by a later version of this program.
    #[error("the tables have version {found}, and {known} is known")]
    LaterSchema {
        /// Version of the tables.
        found: i32,
        /// Newest version that this program knows.
        known: i32,
    },
}

/// A failure, with its cure. One failure answers all that were sent together.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) fault: QueueFault,
    /// `true` if the connection is good for another statement.
    pub(crate) keeps_connection: bool,
    /// `true` if one event of several may be to blame.
    pub(crate) is_of_one: bool,
    /// `true` if the tables are not there.
    pub(crate) lacks_tables: bool,
}

impl Failure {
    pub(crate) fn new(
        kind: QueueErrorKind,
        problem: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            fault: QueueFault::new(kind, problem, cure),
            keeps_connection: false,
            is_of_one: false,
            lacks_tables: false,
        }
    }

    /// No answer within `limit`.
    pub(crate) fn late(limit: Duration) -> Self {
        let problem = format!("the server did not answer within {} ms", limit.as_millis());
        let cure =
            "look at the server, its disk, its locks (pg_stat_activity) and the network to it";
        Self::new(QueueErrorKind::Late, problem, cure)
    }

    /// The same, of one host of several.
    pub(crate) fn at(mut self, host: &str, port: u16) -> Self {
        self.fault.problem = format!("{host}:{port}: {}", self.fault.problem);
        self
    }

    /// All connections are in use, and stay so.
    pub(crate) fn busy(limit: Duration) -> Self {
        let problem = format!("no connection became free within {} ms", limit.as_millis());
        let cure = "look why the server is slow, or allow more connections with ?pool=N";
        Self::new(QueueErrorKind::Throttled, problem, cure)
    }

    /// The password cannot be read.
    pub(crate) fn without_password(problem: String) -> Self {
        let cure = "let this program read the password";
        Self::new(QueueErrorKind::Denied, problem, cure)
    }

    fn later_schema(found: i32, known: i32) -> Self {
        let problem = format!(
            "its tables are of a later labelrelay: version {found}, where this one knows {known}"
        );
        let cure = "start the later version everywhere, or name another schema with ?schema=NAME";
        Self::new(QueueErrorKind::Misconfigured, problem, cure)
    }

    /// The event is stored, and whoever sends it again waits for the standby anew.
    fn standby_not_waited_for() -> Self {
        let problem = "the commit did not wait for the synchronous standby: somebody cancelled that, and the standby may lack the event";
        let cure = "do not cancel commits that wait (pg_cancel_backend); look why the standby is late (pg_stat_replication)";
        Self {
            keeps_connection: true,
            ..Self::new(QueueErrorKind::Unavailable, problem, cure)
        }
    }

    /// The failure that an error is.
    pub(crate) fn of(trouble: &Trouble) -> Self {
        let error = match trouble {
            Trouble::LaterSchema { found, known } => return Self::later_schema(*found, *known),
            Trouble::StandbyNotWaitedFor => return Self::standby_not_waited_for(),
            Trouble::Postgres(error) => error,
        };
        let Some(answer) = error.as_db_error() else {
            return Self::of_connection(error);
        };
        let code = answer.code().code();
        let (kind, cure) = meaning(code);
        let class = code.get(..2).unwrap_or_default();
        Self {
            keeps_connection: matches!(class, "22" | "40" | "53" | "54" | "55") || code == "57014",
            is_of_one: matches!(class, "22" | "54"),
            lacks_tables: matches!(code, "42P01" | "3F000" | "42704" | "42703"),
            ..Self::new(
                kind,
                format!("{} (SQLSTATE {code})", answer.message()),
                cure,
            )
        }
    }

    fn of_connection(error: &tokio_postgres::Error) -> Self {
        let problem = chain(error);
        // The one thing that the client misses in a configuration of ours: the server asks for a password.
        if problem.contains("password missing") {
            let cure = "name its place in ?password=env:NAME or ?password=file:PATH, or set PGPASSWORD or PGPASSFILE";
            return Self::new(
                QueueErrorKind::Denied,
                "the server asks for a password, and there is none",
                cure,
            );
        }
        if problem.contains("TLS") {
            let cure = "look at the server's certificate; name its authority in ?sslrootcert=FILE, or write ?sslmode=disable in a network that you trust";
            return Self::new(QueueErrorKind::Unavailable, problem, cure);
        }
        if problem.contains("does not allow writes") {
            return Self::read_only();
        }
        let cure = "start the server, or look at the network to it";
        Self::new(QueueErrorKind::Unavailable, problem, cure)
    }

    /// A standby. It may become the primary.
    pub(crate) fn read_only() -> Self {
        let cure = "name the primary, or all servers (postgres://USER@HOST1,HOST2/DATABASE) to find it among them";
        Self::new(
            QueueErrorKind::Unavailable,
            "the server takes no writes: it is a standby, or set to be read-only",
            cure,
        )
    }

    pub(crate) fn of_store(&self, resource: &str) -> BlobError {
        let QueueFault { problem, cure, .. } = &self.fault;
        let message = format!("{resource}: {problem}; {cure}");
        if self.fault.is_retryable() {
            BlobError::transient(message)
        } else {
            BlobError::permanent(message)
        }
    }
}

/// What a SQLSTATE means for a queue, and its cure.
fn meaning(code: &str) -> (QueueErrorKind, &'static str) {
    use QueueErrorKind::{Denied, Full, Late, Misconfigured, Throttled, Unavailable};
    match code {
        "28P01" => (
            Denied,
            "correct the password, or set it for the user: ALTER ROLE … PASSWORD",
        ),
        "28000" => (
            Denied,
            "let pg_hba.conf admit this user from here, or correct user and host",
        ),
        "3D000" => (
            Misconfigured,
            "make the database (CREATE DATABASE), or correct its name",
        ),
        "42501" => (Denied, "grant the user what docs/postgres.md lists"),
        "42P01" | "3F000" | "42703" | "42704" => (
            Misconfigured,
            "make the tables: start `labelrelay serve` with a user who may",
        ),
        "25006" => (
            Unavailable,
            "name the primary, or all servers (postgres://USER@HOST1,HOST2/DATABASE) to find it among them",
        ),
        "53100" => (Full, "free space on the server's disk"),
        "53300" => (
            Throttled,
            "raise max_connections at the server, or lower ?pool=N here",
        ),
        "57014" => (
            Late,
            "look at the server, its disk and its locks (pg_stat_activity)",
        ),
        code if code.starts_with("54") || code.starts_with("22") => {
            (Misconfigured, "look at the server's log")
        }
        _ => (Unavailable, "look at the server's log"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_waiting_mends_is_told_from_what_may_pass() {
        for (code, kind) in [
            ("28P01", QueueErrorKind::Denied),
            ("42501", QueueErrorKind::Denied),
            ("3D000", QueueErrorKind::Misconfigured),
            ("25006", QueueErrorKind::Unavailable),
            ("53100", QueueErrorKind::Full),
            ("53300", QueueErrorKind::Throttled),
            ("57014", QueueErrorKind::Late),
            ("57P01", QueueErrorKind::Unavailable),
            ("57P03", QueueErrorKind::Unavailable),
            ("40P01", QueueErrorKind::Unavailable),
            ("XX000", QueueErrorKind::Unavailable),
        ] {
            assert_eq!(meaning(code).0, kind, "{code}");
        }
        assert!(Failure::late(Duration::from_secs(1)).fault.is_retryable());
        assert!(!Failure::later_schema(9, 1).fault.is_retryable());
    }

    #[test]
    fn a_failure_names_resource_problem_and_cure() {
        let error = Failure::later_schema(9, 1)
            .fault
            .of_queue("postgres://a@b/c");
        for word in ["postgres://a@b/c", "version 9", "start the later version"] {
            assert!(error.message.contains(word), "{error}");
        }
        assert!(!error.retryable);
    }
}
