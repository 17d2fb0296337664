//! Objects in a table beside the queue: the ledgers of pulls, which all replicas share.

use crate::failure::Failure;
use crate::rights::TO_KEEP_LEDGERS;
use crate::store::Store;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use labelrelay_core::fallback::StoredBody;
use labelrelay_core::{BlobError, BoxFuture, FallbackStore, Payload};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// Bytes of a body that go in one row: what a slow connection carries within the time of a statement.
const PIECE: usize = 4 * 1024 * 1024;

/// The version of the tables that brought this one.
const SINCE: i32 = 2;

const PUT: &str = "INSERT INTO objects (place, name, is_body, piece, bytes) VALUES ($1, $2, false, 0, $3) \
    ON CONFLICT (place, is_body, name, piece) DO UPDATE SET bytes = excluded.bytes";
const LIST: &str = "SELECT name FROM objects \
    WHERE place = $1 AND NOT is_body AND name > $2 ORDER BY name LIMIT $3";
const GET: &str = "SELECT bytes FROM objects WHERE place = $1 AND NOT is_body AND name = $2";
const REMOVE: &str = "DELETE FROM objects WHERE place = $1 AND NOT is_body AND name = $2";
// The name of a body has its digest in it: what is there has the same bytes.
const PUT_PIECE: &str = "INSERT INTO objects (place, name, is_body, piece, bytes) VALUES ($1, $2, true, $3, $4) \
    ON CONFLICT DO NOTHING";
const MEASURE: &str = "SELECT count(*), COALESCE(sum(octet_length(bytes)), 0)::bigint FROM objects \
    WHERE place = $1 AND is_body AND name = $2";
const GET_PIECE: &str = "SELECT bytes FROM objects \
    WHERE place = $1 AND is_body AND name = $2 AND piece = $3";
const REMOVE_BODY: &str = "DELETE FROM objects WHERE place = $1 AND is_body AND name = $2";

/// Age at which a body that no envelope names is an orphan: whoever put it there ended before the envelope, or removed the
/// envelope and ended before the body. Whoever saves a ledger takes a save of more than an hour for failed, and does it anew;
/// to deliver an event takes seconds. The rest is for a machine whose clock is wrong: the age is that of the name, which has
/// the time of whoever put the body there.
const ORPHANED: Duration = Duration::from_secs(24 * 60 * 60);

/// Time between two looks for orphans.
const BETWEEN_LOOKS: Duration = Duration::from_secs(60 * 60);

/// Pieces that one statement removes, at most: the number in `sql/remove_orphans.sql`.
const REMOVED_AT_ONCE: usize = 16;

/// The objects of one place.
#[derive(Clone)]
pub(crate) struct PostgresObjects {
    store: Arc<Store>,
    place: String,
    /// On the monotonic clock; orphans are looked for no earlier.
    next_look: Arc<Mutex<Duration>>,
}

impl PostgresObjects {
    pub(crate) fn new(store: Arc<Store>, place: String) -> Self {
        Self {
            store,
            place,
            next_look: Arc::default(),
        }
    }

    fn error(&self, failure: &Failure) -> BlobError {
        failure.of_store(self.store.resource())
    }

    async fn bytes(&self, name: &str) -> Result<Option<Bytes>, Failure> {
        let rows = self.store.look(SINCE, GET, &[&self.place, &name]).await?;
        rows.first().map(bytes_of).transpose()
    }

    async fn put_piece(&self, name: &str, piece: i32, bytes: &[u8]) -> Result<(), BlobError> {
        let parameters: [&(dyn ToSql + Sync); 4] = [&self.place, &name, &piece, &bytes];
        let put = self.store.query(PUT_PIECE, &parameters).await;
        put.map(drop).map_err(|failure| self.error(&failure))
    }

    async fn piece(self, name: String, piece: i32) -> io::Result<Bytes> {
        let read = async {
            let parameters: [&(dyn ToSql + Sync); 3] = [&self.place, &name, &piece];
            let rows = self.store.query(GET_PIECE, &parameters).await?;
            rows.first().map(bytes_of).transpose()
        };
        match read.await {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(io::Error::other("it was removed while it was read")),
            Err(failure) => Err(io::Error::other(self.error(&failure))),
        }
    }

    async fn remove_by(&self, sql: &'static str, name: &str) -> Result<(), BlobError> {
        let removed = self.store.query(sql, &[&self.place, &name]).await;
        removed.map(drop).map_err(|failure| self.error(&failure))
    }

    /// Removes some bodies that no envelope names, now and then. It is told to nobody if that fails: what is the matter shows
    /// in the next put, too, and orphans need nothing but room.
    async fn remove_orphans(&self) {
        let now = self.store.pool.clock.monotonic();
        {
            let mut next = self.next_look();
            if now < *next {
                return;
            }
            *next = now + BETWEEN_LOOKS;
        }
        let age = ORPHANED.as_secs_f64();
        let sql = include_str!("sql/remove_orphans.sql");
        let removed = self.store.query(sql, &[&self.place, &age]).await;
        if removed.is_ok_and(|removed| removed.len() >= REMOVED_AT_ONCE) {
            // There may be more.
            *self.next_look() = now;
        }
    }

    fn next_look(&self) -> MutexGuard<'_, Duration> {
        self.next_look
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes_of(row: &Row) -> Result<Bytes, Failure> {
    let bytes: Result<Vec<u8>, _> = row.try_get(0);
    match bytes {
        Ok(bytes) => Ok(Bytes::from(bytes)),
        Err(error) => Err(Failure::of(&error.into())),
    }
}

impl FallbackStore for PostgresObjects {
    fn put<'a>(&'a self, key: &'a str, envelope: Bytes) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            let bytes: &[u8] = &envelope;
            let put = self.store.query(PUT, &[&self.place, &key, &bytes]).await;
            put.map_err(|failure| self.error(&failure))?;
            self.remove_orphans().await;
            Ok(())
        })
    }

    fn list<'a>(
        &'a self,
        after: Option<&'a str>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        Box::pin(async move {
            let after = after.unwrap_or_default();
            let max = i64::try_from(max).unwrap_or(i64::MAX);
            let parameters: [&(dyn ToSql + Sync); 3] = [&self.place, &after, &max];
            let rows = self.store.look(SINCE, LIST, &parameters).await;
            let rows = rows.map_err(|failure| self.error(&failure))?;
            let names = rows.iter().map(|row| row.try_get(0));
            let names: Result<Vec<String>, _> = names.collect();
            names.map_err(|error| self.error(&Failure::of(&error.into())))
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        Box::pin(async move {
            let got = self.bytes(key).await;
            got.map_err(|failure| self.error(&failure))
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(self.remove_by(REMOVE, key))
    }

    fn put_body<'a>(
        &'a self,
        name: &'a str,
        body: &'a Payload,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            let mut parts = body.stream();
            let mut piece = BytesMut::new();
            let mut number = 0;
            while let Some(part) = parts.next().await {
                let part = part.map_err(|error| {
                    BlobError::transient(format!("the body cannot be read: {error}"))
                })?;
                piece.extend_from_slice(&part);
                // At the same places however the bytes come: a piece that is there may be of an attempt that broke off.
                while piece.len() >= PIECE {
                    let full = piece.split_to(PIECE);
                    self.put_piece(name, number, &full).await?;
                    number += 1;
                }
            }
            if number > 0 && piece.is_empty() {
                return Ok(());
            }
            self.put_piece(name, number, &piece).await
        })
    }

    fn get_body<'a>(
        &'a self,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        Box::pin(async move {
            let measured = async {
                let parameters: [&(dyn ToSql + Sync); 2] = [&self.place, &name];
                let rows = self.store.look(SINCE, MEASURE, &parameters).await?;
                let Some(row) = rows.first() else {
                    return Ok((0, 0));
                };
                let sizes: Result<(i64, i64), tokio_postgres::Error> = row
                    .try_get(0)
                    .and_then(|count| Ok((count, row.try_get(1)?)));
                sizes.map_err(|error| Failure::of(&error.into()))
            };
            let (count, bytes) = measured.await.map_err(|failure| self.error(&failure))?;
            if count == 0 {
                return Ok(None);
            }
            let (objects, name) = (self.clone(), name.to_owned());
            let pieces = 0..i32::try_from(count).unwrap_or(i32::MAX);
            let read = move |piece| objects.clone().piece(name.clone(), piece);
            Ok(Some(StoredBody {
                bytes: u64::try_from(bytes).unwrap_or_default(),
                stream: Box::pin(stream::iter(pieces).then(read)),
            }))
        })
    }

    fn remove_body<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(self.remove_by(REMOVE_BODY, name))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(async move {
            let examined = self.store.examine(TO_KEEP_LEDGERS).await;
            examined.map(drop).map_err(|failure| self.error(&failure))
        })
    }
}

impl fmt::Debug for PostgresObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PostgresObjects({} {})",
            self.store.resource(),
            self.place
        )
    }
}
