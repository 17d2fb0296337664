//! The way out: the events of a queue, for a consumer.
//!
//! Whoever waits for events is told of them by the server, and looks once a second besides. A receipt is an event's
//! number and the count of its receives: it is good until the event is received again.

use crate::connection::{Connected, TO_CONNECT};
use crate::failure::{Failure, Trouble};
use crate::receipt::Hold;
use crate::store::{LIMIT, Store};
use labelrelay_core::clock::within;
use labelrelay_core::event_source::{Burial, LONGEST_VISIBILITY, bury_too_often, check_visibility};
use labelrelay_core::{BoxFuture, EventSource, EventSourceError, Extended, ReceivedEvent, Settled};
use std::collections::HashSet;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
use tokio_postgres::types::ToSql;

/// Events that one receive takes at most.
const BATCH: usize = 100;

/// Pause between two looks at an empty queue that nobody tells of events.
const POLL: Duration = Duration::from_secs(1);

type Answer<T> = Result<T, EventSourceError>;

/// A parameter of a statement.
type Parameter<'a> = &'a (dyn ToSql + Sync);

/// A queue in tables of Postgres, as a source of events.
pub struct PostgresSource {
    store: Arc<Store>,
    /// Receives after which an event becomes a dead letter, if this source was told to see to that.
    max_receives: Option<u32>,
    /// Rung when there are events.
    bell: Arc<Notify>,
    /// The connection on which the server tells of events.
    listener: Mutex<Option<Connected>>,
}

impl PostgresSource {
    pub(crate) fn new(store: Arc<Store>, max_receives: Option<u32>) -> Self {
        Self {
            store,
            max_receives: max_receives.map(|most| most.max(1)),
            bell: Arc::default(),
            listener: Mutex::default(),
        }
    }

    fn error(&self, failure: &Failure) -> EventSourceError {
        failure.fault.of_source(self.store.resource())
    }

    async fn try_receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> Answer<Vec<ReceivedEvent>> {
        if max == 0 {
            return Ok(Vec::new());
        }
        self.known_time(visibility)?;
        if !wait.is_zero() {
            self.listen().await;
        }
        let clock = &*self.store.pool.clock;
        let begun = clock.monotonic();
        loop {
            // Before the look: what comes while it runs rings, too.
            let mut rung = pin!(self.bell.notified());
            rung.as_mut().enable();
            let events = self.take(max.min(BATCH), visibility).await;
            let events = events.map_err(|failure| self.error(&failure))?;
            let tell = |burial: &Burial| self.tell(burial);
            let events = bury_too_often(self, self.max_receives, events, &tell).await;
            let left = wait.saturating_sub(clock.monotonic().saturating_sub(begun));
            if !events.is_empty() || left.is_zero() {
                return Ok(events);
            }
            let _ = within(clock, left.min(POLL), rung).await;
        }
    }

    /// Has the server tell of events. Without that, they are found a second later at most.
    async fn listen(&self) {
        let mut listener = self.listener.lock().await;
        if listener
            .as_ref()
            .is_some_and(|connected| !connected.client.is_closed())
        {
            return;
        }
        *listener = None;
        let pool = &self.store.pool;
        let work = async {
            let bell = Some(Arc::clone(&self.bell));
            let connected = pool.server.connect(&*pool.clock, bell).await.ok()?;
            let listens = format!("LISTEN \"{}\"", self.store.channel());
            connected.client.batch_execute(&listens).await.ok()?;
            Some(connected)
        };
        *listener = within(&*pool.clock, TO_CONNECT, work).await.ok().flatten();
    }

    async fn take(&self, max: usize, visibility: Duration) -> Result<Vec<ReceivedEvent>, Failure> {
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        let seconds = visibility.as_secs_f64();
        let mut lease = self.store.pool.lease().await?;
        let work = async {
            let connected = self.store.with_tables(lease.connected()).await?;
            let statement = connected.prepared(include_str!("sql/receive.sql")).await?;
            let rows = connected
                .client
                .query(&statement, &[&max, &seconds])
                .await?;
            let mut events = Vec::with_capacity(rows.len());
            for row in rows {
                let hold = Hold {
                    number: row.try_get(0)?,
                    receives: row.try_get(2)?,
                };
                let envelope: Vec<u8> = row.try_get(1)?;
                let count = u32::try_from(hold.receives).unwrap_or(u32::MAX);
                let mut event =
                    ReceivedEvent::new(envelope, hold.to_text(), hold.number.to_string());
                event.receive_count = Some(count);
                events.push(event);
            }
            Ok::<_, Trouble>(events)
        };
        let taken = within(&*self.store.pool.clock, LIMIT, work).await;
        lease
            .settle(LIMIT, taken)
            .map_err(|failure| self.store.noted(failure))
    }

    /// The events that a statement changed.
    async fn changed(
        &self,
        sql: &'static str,
        parameters: &[Parameter<'_>],
    ) -> Result<HashSet<Hold>, Failure> {
        let mut lease = self.store.pool.lease().await?;
        let work = async {
            let connected = lease.connected();
            let statement = connected.prepared(sql).await?;
            let mut changed = HashSet::new();
            for row in connected.client.query(&statement, parameters).await? {
                changed.insert(Hold {
                    number: row.try_get(0)?,
                    receives: row.try_get(1)?,
                });
            }
            Ok::<_, Trouble>(changed)
        };
        let done = within(&*self.store.pool.clock, LIMIT, work).await;
        lease
            .settle(LIMIT, done)
            .map_err(|failure| self.store.noted(failure))
    }

    /// Settles several receipts by one statement; the outcomes are in their order.
    async fn settle(
        &self,
        sql: &'static str,
        receipts: &[&str],
        seconds: Option<f64>,
    ) -> Answer<Vec<Settled>> {
        let holds: Vec<_> = receipts
            .iter()
            .map(|receipt| Hold::parse(receipt))
            .collect();
        let numbers: Vec<_> = holds.iter().flatten().map(|hold| hold.number).collect();
        let receives: Vec<_> = holds.iter().flatten().map(|hold| hold.receives).collect();
        if numbers.is_empty() {
            return Ok(vec![Settled::Stale; holds.len()]);
        }
        let mut parameters: Vec<Parameter<'_>> = vec![&numbers, &receives];
        if let Some(seconds) = &seconds {
            parameters.push(seconds);
        }
        let changed = self.changed(sql, &parameters).await;
        let mut changed = changed.map_err(|failure| self.error(&failure))?;
        // A receipt that is given twice is good once.
        let settled = holds.into_iter().map(|hold| match hold {
            Some(hold) if changed.remove(&hold) => Settled::Done,
            _ => Settled::Stale,
        });
        Ok(settled.collect())
    }

    /// In one transaction: there is never a moment at which an event is both, or neither.
    async fn try_reject(&self, event: &ReceivedEvent, reason: &str) -> Answer<Settled> {
        let Some(hold) = Hold::parse(&event.receipt) else {
            return Ok(Settled::Stale);
        };
        // The one character that a text of Postgres does not hold.
        let reason = reason.replace('\0', "\u{fffd}");
        let parameters: [Parameter<'_>; 3] = [&hold.number, &hold.receives, &reason];
        let moved = self
            .changed(include_str!("sql/reject.sql"), &parameters)
            .await;
        let moved = moved.map_err(|failure| self.error(&failure))?;
        Ok(if moved.is_empty() {
            Settled::Stale
        } else {
            Settled::Done
        })
    }

    /// Logs what became of an event that was received too often.
    fn tell(&self, burial: &Burial) {
        let (queue, place, times) = (self.store.resource(), &burial.place, burial.times);
        match &burial.outcome {
            // Others have it again, and will see the same.
            Ok(Settled::Stale) => {}
            Ok(Settled::Done) => {
                tracing::warn!(name: "event_buried", %queue, %place, times, "an event was received too often, and is a dead letter now");
            }
            Err(error) => {
                tracing::error!(name: "event_not_buried", %queue, %place, times, %error, "an event was received too often, and could not be made a dead letter; tried again when it comes again");
            }
        }
    }

    async fn try_extend(&self, receipt: &str, visibility: Duration) -> Answer<Extended> {
        self.known_time(visibility)?;
        let sql = include_str!("sql/hide.sql");
        let settled = self
            .settle(sql, &[receipt], Some(visibility.as_secs_f64()))
            .await?;
        Ok(if settled == [Settled::Done] {
            Extended::Until(receipt.to_owned())
        } else {
            Extended::Stale
        })
    }

    fn known_time(&self, time: Duration) -> Answer<()> {
        check_visibility(self.store.resource(), time, LONGEST_VISIBILITY)
    }
}

impl EventSource for PostgresSource {
    fn limits_receives(&self) -> bool {
        self.max_receives.is_some()
    }

    fn receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> BoxFuture<'_, Answer<Vec<ReceivedEvent>>> {
        Box::pin(self.try_receive(max, visibility, wait))
    }

    fn ack<'a>(&'a self, receipts: &'a [&'a str]) -> BoxFuture<'a, Answer<Vec<Settled>>> {
        Box::pin(self.settle(include_str!("sql/ack.sql"), receipts, None))
    }

    fn retry<'a>(
        &'a self,
        receipts: &'a [&'a str],
        after: Duration,
    ) -> BoxFuture<'a, Answer<Vec<Settled>>> {
        let seconds = after.min(LONGEST_VISIBILITY).as_secs_f64();
        Box::pin(self.settle(include_str!("sql/hide.sql"), receipts, Some(seconds)))
    }

    fn extend<'a>(
        &'a self,
        receipt: &'a str,
        visibility: Duration,
    ) -> BoxFuture<'a, Answer<Extended>> {
        Box::pin(self.try_extend(receipt, visibility))
    }

    fn reject<'a>(
        &'a self,
        event: &'a mut ReceivedEvent,
        reason: &'a str,
    ) -> BoxFuture<'a, Answer<Settled>> {
        Box::pin(self.try_reject(event, reason))
    }
}

impl fmt::Debug for PostgresSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresSource({})", self.store.resource())
    }
}
