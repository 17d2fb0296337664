//! Rights to the tables: what each use of them needs, as docs/postgres.md lists it, and what a user lacks of it.

use crate::failure::{Failure, Trouble};
use labelrelay_core::QueueErrorKind::Denied;
use tokio_postgres::Client;

/// Tables, and a sequence, each with what somebody does to it.
pub(crate) type Needs = &'static [(&'static str, &'static [&'static str])];

const ALL: &[&str] = &["SELECT", "INSERT", "UPDATE", "DELETE"];

/// Of the sequence of events.
const USAGE: &str = "USAGE";

/// What who sends does.
pub(crate) const TO_SEND: Needs = &[
    ("ids", ALL),
    ("events", &["INSERT"]),
    ("events_number", &[USAGE]),
];

/// What who receives does, and rejects.
pub(crate) const TO_CONSUME: Needs = &[
    ("events", &["SELECT", "UPDATE", "DELETE"]),
    ("dead_letters", &["SELECT", "INSERT"]),
];

/// What who keeps ledgers does.
pub(crate) const TO_KEEP_LEDGERS: Needs = &[("objects", ALL)];

/// What who records deliveries does.
#[cfg(feature = "record")]
pub(crate) const TO_RECORD: Needs = &[
    ("deliveries", ALL),
    ("delivery_bodies", ALL),
    ("record_totals", &["SELECT", "UPDATE"]),
    ("record_last", &["SELECT", "UPDATE"]),
    ("record_journals", ALL),
];

/// What who changes the tables of an earlier version does to those that are there.
pub(crate) const TO_UPGRADE: Needs = &[("schema_version", &["SELECT", "INSERT"])];

/// What a user lacks: tables, each with the rights to it.
#[derive(Debug, Default)]
pub(crate) struct Missing(Vec<(String, Vec<String>)>);

impl Missing {
    /// What the user of this connection lacks.
    ///
    /// # Errors
    /// [`Trouble`] when the server cannot be asked.
    pub(crate) async fn of(client: &Client, needs: Needs) -> Result<Self, Trouble> {
        let pairs = needs
            .iter()
            .flat_map(|(table, rights)| rights.iter().map(move |right| (*table, *right)));
        let (tables, rights): (Vec<&str>, Vec<&str>) = pairs.unzip();
        let sql = include_str!("sql/missing_rights.sql");
        let mut missing: Vec<(String, Vec<String>)> = Vec::new();
        for row in client.query(sql, &[&tables, &rights]).await? {
            let (table, right): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            match missing.last_mut() {
                Some((last, rights)) if *last == table => rights.push(right),
                _ => missing.push((table, vec![right])),
            }
        }
        Ok(Self(missing))
    }

    /// Tells whether the user lacks nothing.
    pub(crate) fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }

    /// Fails if something is missing, and says by which statements somebody gives it.
    ///
    /// # Errors
    /// [`Failure`] with all that is missing.
    pub(crate) fn judge(&self, user: &str, schema: &str) -> Result<(), Failure> {
        if self.is_nothing() {
            return Ok(());
        }
        let said = self
            .0
            .iter()
            .map(|(table, rights)| format!("{} on {table}", rights.join(", ")));
        let said: Vec<_> = said.collect();
        let problem = format!(
            "the user {user} lacks rights in the schema {schema}: {}",
            said.join(" and ")
        );
        Err(Failure::new(Denied, problem, self.grants(user, schema)))
    }

    /// The statements that give it.
    fn grants(&self, user: &str, schema: &str) -> String {
        let grants = self.0.iter().map(|(table, rights)| {
            let sequence = if rights.iter().any(|right| right == USAGE) {
                "SEQUENCE "
            } else {
                ""
            };
            let rights = rights.join(", ");
            format!("GRANT {rights} ON {sequence}{schema}.{table} TO \"{user}\"")
        });
        grants.collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_statements_that_give_it() {
        let rights = |rights: &[&str]| -> Vec<String> {
            rights.iter().map(|&right| right.to_owned()).collect()
        };
        let missing = Missing(vec![
            ("ids".to_owned(), rights(&["UPDATE", "DELETE"])),
            ("events_number".to_owned(), rights(&["USAGE"])),
        ]);
        let failure = missing.judge("relay", "eu").unwrap_err();
        assert_eq!(
            failure.fault.problem,
            "the user relay lacks rights in the schema eu: UPDATE, DELETE on ids and USAGE on events_number"
        );
        assert_eq!(
            failure.fault.cure,
            "GRANT UPDATE, DELETE ON eu.ids TO \"relay\"; GRANT USAGE ON SEQUENCE eu.events_number TO \"relay\""
        );
        assert!(Missing::default().judge("relay", "eu").is_ok());
    }
}
