//! A connection with its statements, and the tables.

use crate::state::holders::Walk;
use crate::state::key_text::{key_of, keys_of, written};
use crate::state::{Known, StateError};
use labelrelay_event::changes::Key;
use std::collections::HashMap;
use tokio_postgres::{Client, Statement};

/// The tables, as the consumer in Python makes them. `collate "C"`: versions compare by their bytes, and not as a language
/// sorts. The lock: two that begin together would both make the tables.
const TABLES: &str = r#"
select pg_advisory_xact_lock(5220726);
create table if not exists labelrelay_things (
    key text collate "C" primary key, version text collate "C", is_there boolean not null default false,
    until text collate "C" not null default '', parents text not null default '[]',
    owner text, leased timestamptz not null default '-infinity');
create table if not exists labelrelay_below (
    parent text collate "C", key text collate "C", primary key (parent, key));
create table if not exists labelrelay_events (event text collate "C" primary key, handled timestamptz not null);
create index if not exists labelrelay_events_handled on labelrelay_events (handled);
"#;

/// Whether the tables are where this user would make them.
const ARE_THERE: &str = "
select count(*) = 3 from pg_catalog.pg_tables where schemaname = current_schema()
    and tablename in ('labelrelay_things', 'labelrelay_below', 'labelrelay_events')
";

/// What has to be granted to this user; null if nothing has.
const MISSING_RIGHTS: &str = "
select string_agg(grants, '; ' order by grants) from (
    select format('GRANT %s ON %I.%I TO %I', string_agg(privilege, ', ' order by privilege), current_schema(), name,
        current_user) as grants
    from (values
        ('labelrelay_things', 'SELECT'), ('labelrelay_things', 'INSERT'), ('labelrelay_things', 'UPDATE'),
        ('labelrelay_below', 'SELECT'), ('labelrelay_below', 'INSERT'),
        ('labelrelay_events', 'SELECT'), ('labelrelay_events', 'INSERT'), ('labelrelay_events', 'UPDATE'),
        ('labelrelay_events', 'DELETE')) as needed (name, privilege)
    where not has_table_privilege(format('%I.%I', current_schema(), name), privilege)
    group by name) as missing
";

const LEASE: &str = "
insert into labelrelay_things as t (key, owner, leased, is_there, parents)
values ($1, $2, now() + $3::double precision * interval '1 second', $4, $5)
on conflict (key) do update set owner = excluded.owner, leased = excluded.leased,
    is_there = t.is_there or excluded.is_there,
    parents = case when excluded.is_there then excluded.parents else t.parents end
where t.owner is null or starts_with(t.owner, $6) or t.leased < now()
";

/// Makes the tables where there are none, in the one transaction that a message of several statements is.
pub(super) async fn make_tables(client: &Client) -> Result<(), StateError> {
    // Postgres asks for the right to make tables before it looks whether there is one to make.
    let are_there = client.query_one(ARE_THERE, &[]).await?;
    if !are_there.try_get::<_, bool>(0)? {
        client.batch_execute(TABLES).await?;
    }
    let missing = client.query_one(MISSING_RIGHTS, &[]).await?;
    match missing.try_get::<_, Option<String>>(0)? {
        None => Ok(()),
        Some(grants) => Err(StateError::new(format!(
            "this user may not use its tables in Postgres: {grants}"
        ))),
    }
}

/// An open connection, and the statements that the server planned for it.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) look: Statement,
    pub(super) handle: Statement,
    pub(super) forget: Statement,
    pub(super) lease: Statement,
    pub(super) leave: Statement,
    pub(super) free: Statement,
    pub(super) keep: Statement,
    pub(super) remove: Statement,
    pub(super) hold: Statement,
    pub(super) below: Statement,
    known: Statement,
}

impl Session {
    pub(super) async fn of(client: Client) -> Result<Self, StateError> {
        Ok(Self {
            look: client
                .prepare("select 1 from labelrelay_events where event = $1")
                .await?,
            handle: client
                .prepare("insert into labelrelay_events values ($1, now()) on conflict (event) do update set handled = now()")
                .await?,
            forget: client
                .prepare("delete from labelrelay_events where handled < now() - $1::double precision * interval '1 second'")
                .await?,
            lease: client.prepare(LEASE).await?,
            leave: client
                .prepare("update labelrelay_things set version = $1, is_there = $2, parents = $3, owner = null where key = $4 and owner = $5")
                .await?,
            free: client
                .prepare("update labelrelay_things set owner = null where key = any($1) and owner = any($2)")
                .await?,
            keep: client
                .prepare("update labelrelay_things set leased = now() + $1::double precision * interval '1 second' where key = any($2) and owner = any($3)")
                .await?,
            remove: client
                .prepare("insert into labelrelay_things as t (key, until) values ($1, $2) on conflict (key) do update set until = greatest(t.until, excluded.until)")
                .await?,
            hold: client
                .prepare("insert into labelrelay_below values ($1, $2) on conflict do nothing")
                .await?,
            below: client
                .prepare("select key from labelrelay_below where parent = $1")
                .await?,
            known: client
                .prepare("select key, version, is_there, until, parents from labelrelay_things where key = any($1)")
                .await?,
            client,
        })
    }

    /// Knowledge of those of these things of which something is known.
    pub(super) async fn known(
        &self,
        keys: &[Key<'static>],
    ) -> Result<HashMap<Key<'static>, Known>, StateError> {
        let names: Vec<String> = keys.iter().map(written).collect();
        let rows = self.client.query(&self.known, &[&names]).await?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in rows {
            let (key, parents): (String, String) = (row.try_get(0)?, row.try_get(4)?);
            let known = Known {
                version: row.try_get(1)?,
                is_there: row.try_get(2)?,
                until: row.try_get(3)?,
                parents: keys_of(&parents)?,
            };
            found.insert(key_of(&key)?, known);
        }
        Ok(found)
    }

    /// Knowledge of `key` and of everything that holds it, level by level.
    pub(super) async fn with_holders(
        &self,
        key: &Key<'static>,
        parents: &[Key<'static>],
    ) -> Result<HashMap<Key<'static>, Known>, StateError> {
        let mut walk = Walk::new(key, parents);
        loop {
            let level = walk.level();
            if level.is_empty() {
                return Ok(walk.found());
            }
            for (next, known) in self.known(&level).await? {
                walk.note(next, known);
            }
        }
    }
}

impl From<tokio_postgres::Error> for StateError {
    fn from(error: tokio_postgres::Error) -> Self {
        // The server's own words are in its source alone.
        let said = error.as_db_error().map(ToString::to_string);
        let said = said.unwrap_or_else(|| error.to_string());
        Self::new(format!("Postgres cannot be used: {said}")).caused_by(error)
    }
}
