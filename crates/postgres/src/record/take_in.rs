//! Rows on their way in, and out again where they are too many or too old.

use super::texts::without_nul;
use crate::connection::Connected;
use crate::failure::Trouble;
use labelrelay_record::{Class, Moving, Options, Row};
use std::borrow::Cow;
use tokio_postgres::Transaction;
use tokio_postgres::types::ToSql;

/// Longest text in an index, which takes none that is much longer.
const INDEXED_BYTES: usize = 1024;

type Text = fn(&Row) -> Option<&str>;

/// The columns of texts, in the order of `sql/record_insert.sql`. Those that have an index are cut off at a length.
const TEXTS: [(Text, usize); 14] = [
    (|row| Some(row.outcome.as_str()), usize::MAX),
    (|row| row.source.as_deref(), usize::MAX),
    (|row| row.event_id.as_deref(), INDEXED_BYTES),
    (|row| row.event_type.as_deref(), usize::MAX),
    (|row| row.subject.as_deref(), INDEXED_BYTES),
    (|row| row.project.as_deref(), INDEXED_BYTES),
    (|row| row.delivery_id.as_deref(), INDEXED_BYTES),
    (|row| row.verified_by.as_deref(), usize::MAX),
    (|row| row.client.as_deref(), usize::MAX),
    (|row| row.body_sha256.as_deref(), usize::MAX),
    (|row| row.method.as_deref(), usize::MAX),
    (|row| row.path.as_deref(), usize::MAX),
    (|row| row.reason.as_deref(), usize::MAX),
    (|row| row.head.as_deref(), usize::MAX),
];

/// Rows as a statement takes them: column by column.
pub(super) struct Columns<'r> {
    classes: Vec<i16>,
    statuses: Vec<i32>,
    /// When they came, bytes, flags, bytes of bodies, and the time that they took.
    numbers: [Vec<i64>; 5],
    queue_us: Vec<Option<i64>>,
    texts: [Vec<Option<Cow<'r, str>>>; 14],
    /// The bodies that there are, with the places of their rows, the first of which is 1.
    bodies: Vec<&'r [u8]>,
    bodies_at: Vec<i64>,
}

impl<'r> Columns<'r> {
    pub(super) fn of(rows: &'r [Row]) -> Self {
        let numbers: [fn(&Row) -> i64; 5] = [
            |row| row.arrived_ms,
            Row::kept_bytes,
            Row::flags,
            |row| row.body_bytes,
            |row| row.elapsed_us,
        ];
        let places = (1_i64..).zip(rows);
        let bodies = places.filter_map(|(place, row)| Some((place, row.body_start.as_deref()?)));
        let (bodies_at, bodies) = bodies.unzip();
        Self {
            classes: rows.iter().map(|row| class(row.class())).collect(),
            statuses: rows.iter().map(|row| row.status.into()).collect(),
            numbers: numbers.map(|number| rows.iter().map(number).collect()),
            queue_us: rows.iter().map(|row| row.queue_us).collect(),
            texts: TEXTS.map(|(text, most)| {
                let texts = rows
                    .iter()
                    .map(|row| text(row).map(|text| kept(text, most)));
                texts.collect()
            }),
            bodies,
            bodies_at,
        }
    }

    /// Inserts them behind the delivery `last`.
    async fn insert(
        &self,
        transaction: &Transaction<'_>,
        last: i64,
        replica: &str,
    ) -> Result<(), Trouble> {
        if self.classes.is_empty() {
            return Ok(());
        }
        let mut parameters: Vec<&(dyn ToSql + Sync)> =
            vec![&last, &replica, &self.classes, &self.statuses];
        for numbers in &self.numbers {
            parameters.push(numbers);
        }
        parameters.push(&self.queue_us);
        for texts in &self.texts {
            parameters.push(texts);
        }
        let insert = include_str!("../sql/record_insert.sql");
        transaction.execute(insert, &parameters).await?;
        if self.bodies.is_empty() {
            return Ok(());
        }
        let insert = "INSERT INTO delivery_bodies (number, class, start) \
            SELECT $1::bigint + place, ($2::smallint[])[place], start \
            FROM unnest($3::bigint[], $4::bytea[]) AS given (place, start)";
        transaction
            .execute(
                insert,
                &[&last, &self.classes, &self.bodies_at, &self.bodies],
            )
            .await?;
        Ok(())
    }
}

/// Takes deliveries in, and removes what is too much. Returns how far the journal was moved.
pub(super) async fn take_in(
    connected: &mut Connected,
    moving: &Moving<'_>,
    columns: &Columns<'_>,
    replica: &str,
) -> Result<i64, Trouble> {
    let rows = moving.rows.len();
    let transaction = begin(connected, i64::try_from(rows).unwrap_or(i64::MAX)).await?;
    let Turn { transaction, last } = transaction;
    // Nothing but what was lost has no journal.
    if moving.upto != moving.after {
        let mark = "INSERT INTO record_journals (id, replica, moved) VALUES ($1, $2, $3) \
            ON CONFLICT (id) DO UPDATE SET replica = excluded.replica, seen_at = now() RETURNING moved";
        let mark = transaction
            .query_one(mark, &[&moving.journal, &replica, &moving.after])
            .await?;
        let mark: i64 = mark.try_get(0)?;
        if mark != moving.after {
            return Ok(mark);
        }
        let mark = "UPDATE record_journals SET moved = $2 WHERE id = $1";
        transaction
            .execute(mark, &[&moving.journal, &moving.upto])
            .await?;
    }
    let before = last - i64::try_from(rows).unwrap_or(i64::MAX);
    columns.insert(&transaction, before, replica).await?;
    for of in Class::ALL {
        let (mut deliveries, mut bytes, mut body_bytes) = (0_i64, 0_i64, 0_i64);
        for row in moving.rows.iter().filter(|row| row.class() == of) {
            deliveries += 1;
            bytes += row.kept_bytes();
            body_bytes += length(row.body_start.as_deref().unwrap_or_default());
        }
        let lost = i64::try_from(moving.lost_of(of)).unwrap_or(i64::MAX);
        let add = include_str!("../sql/record_add.sql");
        transaction
            .execute(
                add,
                &[&class(of), &deliveries, &bytes, &body_bytes, &lost, &before],
            )
            .await?;
    }
    enforce(&transaction, moving.options, moving.oldest_ms).await?;
    transaction.commit().await?;
    Ok(moving.upto)
}

/// Removes what is too much or too old, and what is known of journals that nobody has any more.
pub(super) async fn prune(
    connected: &mut Connected,
    options: &Options,
    oldest_ms: i64,
) -> Result<(), Trouble> {
    let Turn { transaction, .. } = begin(connected, 0).await?;
    enforce(&transaction, options, oldest_ms).await?;
    // A journal that waited this long has nothing but what is too old.
    let journals = "DELETE FROM record_journals WHERE seen_at < now() - make_interval(secs => $1)";
    // Postgres has no time that is more than some thousands of years ago.
    let kept = (options.max_age.as_secs_f64() * 2.0).min(1e10);
    transaction.execute(journals, &[&kept]).await?;
    Ok(transaction.commit().await?)
}

/// A transaction that changes the record, while no other does.
pub(super) struct Turn<'c> {
    pub(super) transaction: Transaction<'c>,
    /// The number that was given last, those of this transaction included.
    last: i64,
}

/// Begins one that gives so many numbers.
pub(super) async fn begin(connected: &mut Connected, numbers: i64) -> Result<Turn<'_>, Trouble> {
    let transaction = connected.client.transaction().await?;
    // No standby is waited for: nothing depends on a row that is lost with the server's machine.
    let local = "SET LOCAL synchronous_commit = local";
    transaction.batch_execute(local).await?;
    let last = "UPDATE record_last SET number = number + $1 RETURNING number";
    let last = transaction.query_one(last, &[&numbers]).await?.try_get(0)?;
    Ok(Turn { transaction, last })
}

async fn enforce(
    transaction: &Transaction<'_>,
    options: &Options,
    oldest_ms: i64,
) -> Result<(), Trouble> {
    for of in Class::ALL {
        let limits = match of {
            Class::Verified => &options.verified,
            Class::Stranger => &options.stranger,
        };
        let bound = |most: u64| i64::try_from(most).unwrap_or(i64::MAX);
        let (most, most_bytes) = (bound(limits.deliveries), bound(limits.bytes));
        let most_of_bodies = bound(limits.body_bytes);
        let class = class(of);
        let totals = "SELECT deliveries, bytes, body_bytes, \
                EXISTS (SELECT FROM deliveries WHERE class = $1 AND arrived_ms < $2) \
            FROM record_totals WHERE class = $1";
        let Some(totals) = transaction.query_opt(totals, &[&class, &oldest_ms]).await? else {
            continue;
        };
        let (mut deliveries, mut bytes): (i64, i64) = (totals.try_get(0)?, totals.try_get(1)?);
        let mut body_bytes: i64 = totals.try_get(2)?;
        let is_too_old: bool = totals.try_get(3)?;
        let rows_go = deliveries > most || bytes > most_bytes || is_too_old;
        if rows_go {
            let pruned = transaction
                .query_one(
                    include_str!("../sql/record_prune.sql"),
                    &[&class, &deliveries, &most, &bytes, &most_bytes, &oldest_ms],
                )
                .await?;
            (deliveries, bytes) = (pruned.try_get(0)?, pruned.try_get(1)?);
            body_bytes -= pruned.try_get::<_, i64>(2)?;
        }
        let bodies_go = body_bytes > most_of_bodies;
        if bodies_go {
            let pruned = transaction
                .query_one(
                    include_str!("../sql/record_prune_bodies.sql"),
                    &[&class, &body_bytes, &most_of_bodies],
                )
                .await?;
            body_bytes = pruned.try_get(0)?;
        }
        if rows_go || bodies_go {
            let set = "UPDATE record_totals SET deliveries = $2, bytes = $3, body_bytes = $4 WHERE class = $1";
            transaction
                .execute(set, &[&class, &deliveries, &bytes, &body_bytes])
                .await?;
        }
    }
    Ok(())
}

/// A text as a column takes it.
fn kept(text: &str, most: usize) -> Cow<'_, str> {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    without_nul(text.get(..end).unwrap_or_default())
}

pub(super) fn class(of: Class) -> i16 {
    match of {
        Class::Verified => 0,
        Class::Stranger => 1,
    }
}

pub(super) fn length(bytes: &[u8]) -> i64 {
    i64::try_from(bytes.len()).unwrap_or(i64::MAX)
}
