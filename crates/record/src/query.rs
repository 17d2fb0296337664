//! What is asked of the deliveries that stand in tables, whatever database these are in.

use crate::filter::{Filter, Pattern};
use crate::meant::{Meant, meant, named};
use crate::row::Recorded;
use crate::sql::{Dialect, Statement};

/// Deliveries that one index may name. A text with more of them says so little that the newest are looked through
/// instead: the list is full soon.
const CANDIDATES: usize = 2000;

/// A database with the table of deliveries.
pub trait Database {
    /// Why it did not answer.
    type Error;

    /// What it understands.
    const DIALECT: Dialect;

    /// The deliveries that a statement reads, without their bodies.
    ///
    /// # Errors
    /// When the database does not answer.
    fn deliveries(&self, statement: &Statement) -> Result<Vec<Recorded>, Self::Error>;

    /// The numbers that a statement reads.
    ///
    /// # Errors
    /// When the database does not answer.
    fn numbers(&self, statement: &Statement) -> Result<Vec<i64>, Self::Error>;
}

/// Deliveries that pass `filter`, in its order, `limit` at most.
///
/// # Errors
/// When the database does not answer.
pub fn list<D: Database>(
    database: &D,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<Recorded>, D::Error> {
    let mut statement = Statement::of_deliveries(D::DIALECT);
    filter.add_to(&mut statement);
    filter.order(&mut statement, limit);
    database.deliveries(&statement)
}

/// Deliveries that pass `filter`, and have `text` as an id or as the beginning of one, in the filter's order, `limit` at
/// most.
///
/// # Errors
/// When the database does not answer.
pub fn search<D: Database>(
    database: &D,
    text: &str,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<Recorded>, D::Error> {
    let mut statement = Statement::of_deliveries(D::DIALECT);
    filter.add_to(&mut statement);
    match meant(text) {
        Meant::Type(pattern) => {
            let is = pattern.condition("event_type", &mut statement);
            statement.and(&is);
        }
        Meant::Id(columns) => {
            if let Some(numbers) = candidates(database, named(text), &columns)? {
                if numbers.is_empty() {
                    return Ok(Vec::new());
                }
                let numbers = numbers.iter().map(i64::to_string).collect::<Vec<_>>();
                statement.and(&format!("number IN ({})", numbers.join(",")));
            } else {
                let mut any = Vec::new();
                for (column, pattern) in &columns {
                    // An expression has no index. By one, all of them would be gathered before they are sorted.
                    any.push(pattern.condition(&format!("({column} || '')"), &mut statement));
                }
                statement.and(&format!("({})", any.join(" OR ")));
            }
        }
    }
    filter.order(&mut statement, limit);
    database.deliveries(&statement)
}

/// Numbers of all deliveries that have it; `None` where that are too many.
fn candidates<D: Database>(
    database: &D,
    number: Option<i64>,
    columns: &[(&str, Pattern)],
) -> Result<Option<Vec<i64>>, D::Error> {
    let mut numbers = Vec::from_iter(number);
    for (column, pattern) in columns {
        let mut statement = Statement::begin(D::DIALECT, "number");
        let condition = pattern.condition(column, &mut statement);
        statement.and(&condition);
        statement.push(&format!(" LIMIT {}", CANDIDATES + 1));
        let found = database.numbers(&statement)?;
        if found.len() > CANDIDATES {
            return Ok(None);
        }
        numbers.extend(found);
    }
    Ok(Some(numbers))
}

/// Deliveries that somebody calls `which`: by their name in the record, by the beginning of the event's id, or by that of
/// the platform's id of the delivery. The newest comes first, `limit` at most.
///
/// # Errors
/// When the database does not answer.
pub fn find<D: Database>(
    database: &D,
    which: &str,
    limit: usize,
) -> Result<Vec<Recorded>, D::Error> {
    // It would be the beginning of every id.
    if which.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(number) = named(which)
        && let Some(found) = numbered(database, number)?
    {
        return Ok(vec![found]);
    }
    begins(database, which, limit)
}

/// The delivery with this number.
pub(crate) fn numbered<D: Database>(
    database: &D,
    number: i64,
) -> Result<Option<Recorded>, D::Error> {
    let mut statement = Statement::of_deliveries(D::DIALECT);
    let place = statement.bind(number);
    statement.and(&format!("number = {place}"));
    Ok(database.deliveries(&statement)?.pop())
}

/// Deliveries whose event's id, or the platform's id, begins with `which`, the newest first, `limit` at most.
pub(crate) fn begins<D: Database>(
    database: &D,
    which: &str,
    limit: usize,
) -> Result<Vec<Recorded>, D::Error> {
    let begins = Pattern::begins(which);
    let mut statement = Statement::of_deliveries(D::DIALECT);
    let by_event = begins.condition("event_id", &mut statement);
    let by_platform = begins.condition("delivery_id", &mut statement);
    statement.and(&format!("({by_event} OR {by_platform})"));
    let newest = Filter {
        newest_first: true,
        ..Filter::default()
    };
    newest.order(&mut statement, limit);
    database.deliveries(&statement)
}
