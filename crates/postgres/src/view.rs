//! A look into the tables of a queue. It makes nothing, and takes nothing.

use crate::failure::{Failure, Trouble};
use crate::store::Store;
use bytes::Bytes;
use labelrelay_core::{BoxFuture, EventSourceError, QueueView, ViewPage, ViewedEvent, ViewedState};
use std::fmt;
use std::sync::Arc;
use tokio_postgres::Row;

/// Events and dead letters of a range, in the one order or the other: each order goes by an index. All together have some
/// 8 MiB, or one event more.
macro_rules! in_order {
    ($order:literal) => {
        concat!(
            "WITH these AS (
                (
                    SELECT number, queued_at, CASE WHEN visible_at <= now() THEN 0 ELSE 1 END AS state, receives, envelope,
                        NULL::text AS reason
                    FROM events WHERE number > $1 AND number < $2 ORDER BY number ",
            $order,
            " LIMIT $3
                ) UNION ALL (
                    SELECT number, queued_at, 2, receives, envelope, reason
                    FROM dead_letters WHERE number > $1 AND number < $2 ORDER BY number ",
            $order,
            " LIMIT $3
                )
            ), sized AS (
                SELECT *, sum(octet_length(envelope)) OVER (ORDER BY number ",
            $order,
            ") - octet_length(envelope) AS before FROM these
            )
            SELECT number, (extract(epoch FROM queued_at) * 1000)::bigint, state, receives, envelope, reason
            FROM sized WHERE before < 8388608 ORDER BY number ",
            $order,
            " LIMIT $3"
        )
    };
}

/// The events of a queue in Postgres, to look at.
pub(crate) struct PostgresView(Arc<Store>);

impl PostgresView {
    pub(crate) fn new(store: Store) -> Self {
        Self(Arc::new(store))
    }

    async fn try_page(&self, page: ViewPage) -> Result<Vec<ViewedEvent>, EventSourceError> {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let after = page.after.map_or(-1, number);
        let before = page.before.map_or(i64::MAX, number);
        let max = i64::try_from(page.max).unwrap_or(i64::MAX);
        let sql = if page.newest_first {
            in_order!("DESC")
        } else {
            in_order!("ASC")
        };
        let store = &*self.0;
        let rows = store.look(1, sql, &[&after, &before, &max]).await;
        let events = rows.and_then(|rows| {
            let events: Result<Vec<_>, Trouble> = rows.iter().map(viewed).collect();
            events.map_err(|trouble| Failure::of(&trouble))
        });
        events.map_err(|failure| failure.fault.of_source(store.resource()))
    }
}

fn viewed(row: &Row) -> Result<ViewedEvent, Trouble> {
    let (number, state, receives): (i64, i32, i32) =
        (row.try_get(0)?, row.try_get(2)?, row.try_get(3)?);
    let envelope: Vec<u8> = row.try_get(4)?;
    Ok(ViewedEvent {
        number: u64::try_from(number).unwrap_or_default(),
        queued_ms: row.try_get(1)?,
        state: match state {
            0 => ViewedState::Ready,
            1 => ViewedState::Hidden,
            _ => ViewedState::Dead,
        },
        receives: u32::try_from(receives).unwrap_or_default(),
        reason: row.try_get(5)?,
        envelope: Bytes::from(envelope),
    })
}

impl QueueView for PostgresView {
    fn page(&self, page: ViewPage) -> BoxFuture<'_, Result<Vec<ViewedEvent>, EventSourceError>> {
        Box::pin(self.try_page(page))
    }
}

impl fmt::Debug for PostgresView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresView({})", self.0.resource())
    }
}
