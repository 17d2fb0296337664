//! The start check: whether the server keeps what it has taken, and takes what we send. It makes nothing.

use crate::connection::Connected;
use crate::failure::{Failure, Trouble};
use crate::queue::PostgresQueue;
use crate::schema;
use crate::store::LIMIT;
use labelrelay_core::QueueErrorKind::{Denied, Misconfigured};
use labelrelay_core::clock::within;
use std::sync::atomic::Ordering;
use tokio_postgres::Row;

/// What the server says of itself and of us.
struct Facts {
    row: Row,
    version: Option<i32>,
}

impl PostgresQueue {
    /// Fails with what keeps events from being sent, or from being kept.
    pub(crate) async fn examine(&self) -> Result<(), Failure> {
        let schema = &self.store.pool.server.url.schema;
        let mut lease = self.store.pool.lease().await?;
        let uses_tables = self.store.uses_tables();
        let asked = Facts::ask(lease.connected(), schema, uses_tables);
        let asked = within(&*self.store.pool.clock, LIMIT, asked).await;
        let facts = lease.settle(LIMIT, asked)?;
        facts.judge(&self.store.pool.server.url.user, schema)?;
        if facts.loses_at_failover() && !self.has_warned.swap(true, Ordering::Relaxed) {
            let queue = self.store.resource();
            tracing::warn!(name: "standby_is_asynchronous", %queue, "the server has a standby that commits do not wait for: if it takes the server's place, it may lack the last events that were accepted; name it in synchronous_standby_names, and leave synchronous_commit on");
        }
        Ok(())
    }
}

impl Facts {
    async fn ask(
        connected: &mut Connected,
        schema: &str,
        uses_tables: bool,
    ) -> Result<Self, Trouble> {
        let row = connected
            .client
            .query_one(include_str!("sql/examine.sql"), &[&schema])
            .await?;
        // Whoever may not use the schema may not look at the version either, and hears of that.
        let may_use: bool = row.try_get("may_use")?;
        let version = if may_use {
            schema::version(&connected.client).await?
        } else {
            None
        };
        // Whoever uses the tables goes on. Of replicas that are updated one after the other, the first one changes the
        // tables, and the rest must not be unready all at once.
        if let Some(version) = version
            && !uses_tables
        {
            schema::is_known(version)?;
        }
        Ok(Self { row, version })
    }

    fn is(&self, column: &str) -> bool {
        self.row.try_get(column).unwrap_or(false)
    }

    fn setting(&self, column: &str) -> &str {
        self.row.try_get(column).unwrap_or_default()
    }

    fn judge(&self, user: &str, schema: &str) -> Result<(), Failure> {
        if self.is("read_only") {
            return Err(Failure::read_only());
        }
        for setting in ["synchronous_commit", "fsync", "full_page_writes"] {
            if self.setting(setting) == "off" {
                let problem = format!(
                    "`{setting}` is off: an event that was accepted would not survive a crash of the server"
                );
                return Err(Failure::new(
                    Misconfigured,
                    problem,
                    format!("set {setting} = on at the server"),
                ));
            }
        }
        let denied = |problem: &str, grant: &str| {
            let problem = format!("the user {user} {problem}");
            Err(Failure::new(Denied, problem, grant.to_owned()))
        };
        if !self.is("has_schema") {
            if self.is("may_make_schema") {
                return Ok(());
            }
            let grant =
                format!("CREATE SCHEMA {schema} AUTHORIZATION \"{user}\", as somebody who may");
            return denied(
                &format!("may not make the schema {schema}, which is not there"),
                &grant,
            );
        }
        if !self.is("may_use") {
            let grant = format!("GRANT USAGE ON SCHEMA {schema} TO \"{user}\"");
            return denied(&format!("may not use the schema {schema}"), &grant);
        }
        if self.version.is_none_or(|version| version < schema::CURRENT) {
            if self.is("may_make") {
                return Ok(());
            }
            let grant = format!("GRANT CREATE ON SCHEMA {schema} TO \"{user}\"");
            return denied(
                &format!("may not make the tables of the schema {schema}"),
                &grant,
            );
        }
        if !self.is("may_send") {
            let grant = format!(
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO \"{user}\"; GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO \"{user}\""
            );
            return denied(
                &format!("may not write to the tables of the schema {schema}"),
                &grant,
            );
        }
        Ok(())
    }

    fn loses_at_failover(&self) -> bool {
        let waits =
            self.is("has_synchronous_standby") && self.setting("synchronous_commit") != "local";
        self.is("has_standby") && !waits
    }
}
