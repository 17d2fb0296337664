//! The start check: whether the server keeps what it has taken, and lets us use the tables. It makes nothing.

use crate::connection::Connected;
use crate::failure::{Failure, Trouble};
use crate::queue::PostgresQueue;
use crate::rights::{Missing, Needs, TO_SEND, TO_UPGRADE};
use crate::schema;
use crate::store::{LIMIT, Store};
use labelrelay_core::QueueErrorKind::{Denied, Misconfigured};
use labelrelay_core::clock::within;
use std::sync::atomic::Ordering;
use tokio_postgres::Row;

/// What the server says of itself and of us.
pub(crate) struct Facts {
    row: Row,
    version: Option<i32>,
    /// Rights to the tables that are there.
    missing: Missing,
}

impl PostgresQueue {
    /// Fails with what keeps events from being sent, or from being kept.
    pub(crate) async fn examine(&self) -> Result<(), Failure> {
        let facts = self.store.examine(TO_SEND).await?;
        if facts.loses_at_failover() && !self.has_warned.swap(true, Ordering::Relaxed) {
            let queue = self.store.resource();
            tracing::warn!(name: "standby_is_asynchronous", %queue, "the server has a standby that commits do not wait for: if it takes the server's place, it may lack the last events that were accepted; name it in synchronous_standby_names, and leave synchronous_commit on");
        }
        Ok(())
    }
}

impl Store {
    /// Fails with what keeps the tables from being used by whoever needs these rights, or from keeping what they take.
    pub(crate) async fn examine(&self, needs: Needs) -> Result<Facts, Failure> {
        let url = &self.pool.server.url;
        let mut lease = self.pool.lease().await?;
        let uses_tables = self.uses_tables();
        let asked = Facts::ask(lease.connected(), &url.schema, uses_tables, needs);
        let asked = within(&*self.pool.clock, LIMIT, asked).await;
        let facts = lease.settle(LIMIT, asked)?;
        facts.judge(&url.user, &url.schema)?;
        Ok(facts)
    }
}

impl Facts {
    async fn ask(
        connected: &mut Connected,
        schema: &str,
        uses_tables: bool,
        needs: Needs,
    ) -> Result<Self, Trouble> {
        let client = &connected.client;
        let row = client
            .query_one(include_str!("sql/examine.sql"), &[&schema])
            .await?;
        // Whoever may not look at the version hears of that.
        let (may_use, may_see): (bool, bool) =
            (row.try_get("may_use")?, row.try_get("may_see_version")?);
        let version = if may_use && may_see {
            schema::version(client).await?
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
        let missing = match version {
            Some(version) if version < schema::CURRENT => Missing::of(client, TO_UPGRADE).await?,
            Some(_) => Missing::of(client, needs).await?,
            None => Missing::default(),
        };
        Ok(Self {
            row,
            version,
            missing,
        })
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
        if !self.is("may_see_version") {
            let grant = format!("GRANT SELECT ON {schema}.schema_version TO \"{user}\"");
            return denied(
                &format!("may not read schema_version in the schema {schema}"),
                &grant,
            );
        }
        let create = format!("GRANT CREATE ON SCHEMA {schema} TO \"{user}\"");
        match self.version {
            Some(version) if version < schema::CURRENT => {
                if self.is("may_make") && self.missing.is_nothing() {
                    return Ok(());
                }
                let problem = format!(
                    "may not change the tables of the schema {schema} from version {version} to version {}",
                    schema::CURRENT
                );
                let grant = format!(
                    "{create}; GRANT SELECT, INSERT ON {schema}.schema_version TO \"{user}\", or let another user change them: docs/postgres.md says how (Rights)"
                );
                denied(&problem, &grant)
            }
            Some(_) => self.missing.judge(user, schema),
            None if self.is("may_make") => Ok(()),
            None => denied(
                &format!("may not make the tables of the schema {schema}"),
                &create,
            ),
        }
    }

    fn loses_at_failover(&self) -> bool {
        let waits =
            self.is("has_synchronous_standby") && self.setting("synchronous_commit") != "local";
        self.is("has_standby") && !waits
    }
}
