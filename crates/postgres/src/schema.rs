//! The tables: made and changed by one program, while the others wait.

use crate::connection::Connected;
use crate::failure::Trouble;
use std::cmp::Ordering;
use tokio_postgres::Client;

/// The version that this program knows.
pub(crate) const CURRENT: i32 = 3;

/// Every version's change, from an empty schema on. What was released is never edited.
const CHANGES: [(i32, &str); 3] = [
    (1, include_str!("sql/version_1.sql")),
    (2, include_str!("sql/version_2.sql")),
    (CURRENT, include_str!("sql/version_3.sql")),
];

/// Makes the tables what this program knows. Looks first, so that whoever may not make tables can use those that are there.
///
/// # Errors
/// [`Trouble::LaterSchema`] when a later version of this program has changed them.
pub(crate) async fn migrate(connected: &mut Connected, schema: &str) -> Result<(), Trouble> {
    let client = &mut connected.client;
    if let Some(version) = version(client).await?
        && is_known(version)?
    {
        return Ok(());
    }
    let transaction = client.transaction().await?;
    // Until the end of the transaction. Whoever comes second finds the work done.
    let lock = format!("labelrelay schema {schema}");
    let locked = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
    transaction.execute(locked, &[&lock]).await?;
    let there = "SELECT to_regnamespace($1) IS NOT NULL";
    let there: bool = transaction.query_one(there, &[&schema]).await?.try_get(0)?;
    if !there {
        transaction
            .batch_execute(&format!("CREATE SCHEMA \"{schema}\""))
            .await?;
    }
    let table = "CREATE TABLE IF NOT EXISTS schema_version (version integer PRIMARY KEY, made_at timestamptz NOT NULL DEFAULT now())";
    transaction.batch_execute(table).await?;
    let version = "SELECT COALESCE(max(version), 0) FROM schema_version";
    let version: i32 = transaction.query_one(version, &[]).await?.try_get(0)?;
    if !is_known(version)? {
        for (number, change) in CHANGES {
            if number > version {
                transaction.batch_execute(change).await?;
                let noted = "INSERT INTO schema_version (version) VALUES ($1)";
                transaction.execute(noted, &[&number]).await?;
            }
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// Version of the tables; `None` when there are none.
///
/// # Errors
/// [`Trouble`] when they cannot be looked at.
pub(crate) async fn version(client: &Client) -> Result<Option<i32>, Trouble> {
    let there = "SELECT to_regclass('schema_version') IS NOT NULL";
    let there: bool = client.query_one(there, &[]).await?.try_get(0)?;
    if !there {
        return Ok(None);
    }
    let version = "SELECT COALESCE(max(version), 0) FROM schema_version";
    Ok(client.query_one(version, &[]).await?.try_get(0)?)
}

/// Tells whether this is the version that this program knows, and no earlier one.
///
/// # Errors
/// [`Trouble::LaterSchema`].
pub(crate) fn is_known(version: i32) -> Result<bool, Trouble> {
    match version.cmp(&CURRENT) {
        Ordering::Less => Ok(false),
        Ordering::Equal => Ok(true),
        Ordering::Greater => Err(Trouble::LaterSchema {
            found: version,
            known: CURRENT,
        }),
    }
}
