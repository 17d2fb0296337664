//! Takes an author's e-mail address out of the record.

use super::tables::Tables;
use super::take_in;
use crate::connection::Connected;
use crate::failure::Trouble;
use crate::store::LIMIT;
use labelrelay_record::{Address, RecordError};

/// Rows of one transaction: whoever records waits no longer than that takes.
const AT_ONCE: i64 = 256;

/// Rows that there are.
pub(super) const COUNT: &str = "SELECT sum(deliveries)::bigint FROM record_totals";

/// Columns in which it may stand.
const TEXTS: [&str; 5] = ["path", "reason", "head", "subject", "delivery_id"];

/// Takes the address out of rows and bodies. Returns the number of deliveries in which it stood.
pub(super) fn forget(tables: &Tables, address: &str) -> Result<u64, RecordError> {
    let address = Address::new(address);
    let mut numbers = Vec::new();
    // Nothing was recorded, and perhaps there are no tables.
    if tables.total(COUNT)? == 0 {
        return Ok(0);
    }
    let mut after = Some(0);
    while let Some(number) = after {
        let cleaned = tables.exchange(LIMIT, async |connected| {
            in_rows(connected, number, &address).await
        })?;
        after = cleaned.last;
        numbers.extend(cleaned.numbers);
    }
    after = Some(0);
    while let Some(number) = after {
        let cleaned = tables.exchange(LIMIT, async |connected| {
            in_bodies(connected, number, &address).await
        })?;
        after = cleaned.last;
        numbers.extend(cleaned.numbers);
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers.len() as u64)
}

/// What one transaction did.
struct Cleaned {
    /// The last number that was looked at; `None` at the end.
    last: Option<i64>,
    /// Deliveries in which it stood.
    numbers: Vec<i64>,
}

async fn in_rows(
    connected: &mut Connected,
    after: i64,
    address: &Address,
) -> Result<Cleaned, Trouble> {
    let transaction = take_in::begin(connected, 0).await?.transaction;
    let columns = TEXTS.join(", ");
    let select = format!(
        "SELECT number, {columns} FROM deliveries WHERE number > $1 ORDER BY number LIMIT $2"
    );
    let rows = transaction.query(&select, &[&after, &AT_ONCE]).await?;
    let mut cleaned = Cleaned {
        last: None,
        numbers: Vec::new(),
    };
    // A column at a time: the database may be far away.
    for (place, column) in (1..).zip(TEXTS) {
        let (mut numbers, mut texts) = (Vec::new(), Vec::new());
        for row in &rows {
            let number: i64 = row.try_get(0)?;
            cleaned.last = Some(number);
            let text: Option<String> = row.try_get(place)?;
            if let Some(clean) = text.and_then(|text| address.taken_out_of(text.as_bytes())) {
                numbers.push(number);
                texts.push(String::from_utf8_lossy(&clean).into_owned());
            }
        }
        if !numbers.is_empty() {
            let update = format!(
                "UPDATE deliveries SET {column} = clean.text \
                FROM unnest($1::bigint[], $2::text[]) AS clean (number, text) \
                WHERE deliveries.number = clean.number"
            );
            transaction.execute(&update, &[&numbers, &texts]).await?;
        }
        // One that is there several times counts once.
        cleaned.numbers.extend(numbers);
    }
    transaction.commit().await?;
    Ok(cleaned)
}

async fn in_bodies(
    connected: &mut Connected,
    after: i64,
    address: &Address,
) -> Result<Cleaned, Trouble> {
    let transaction = take_in::begin(connected, 0).await?.transaction;
    let select = "SELECT number, class, start FROM delivery_bodies \
        WHERE number > $1 ORDER BY number LIMIT $2";
    // Bodies are larger than rows.
    let rows = transaction.query(select, &[&after, &(AT_ONCE / 8)]).await?;
    let mut cleaned = Cleaned {
        last: None,
        numbers: Vec::new(),
    };
    for row in &rows {
        let (number, class): (i64, i16) = (row.try_get(0)?, row.try_get(1)?);
        cleaned.last = Some(number);
        let start: &[u8] = row.try_get(2)?;
        let Some(clean) = address.taken_out_of(start) else {
            continue;
        };
        cleaned.numbers.push(number);
        let update = "UPDATE delivery_bodies SET start = $1 WHERE number = $2";
        transaction.execute(update, &[&clean, &number]).await?;
        let grown = take_in::length(&clean) - take_in::length(start);
        let update = "UPDATE record_totals SET body_bytes = body_bytes + $1 WHERE class = $2";
        transaction.execute(update, &[&grown, &class]).await?;
    }
    transaction.commit().await?;
    Ok(cleaned)
}
