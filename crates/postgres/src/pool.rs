//! Connections, so many at most.

use crate::connection::{Connected, Server};
use crate::failure::{Failure, Trouble};
use labelrelay_core::clock::{Elapsed, within};
use labelrelay_core::{Clock, QueueErrorKind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Time to get a connection, without that to open it.
const TO_GET: Duration = Duration::from_secs(3);

/// Connections that are open and in use by nobody, and the right to open others.
pub(crate) struct Pool {
    pub(crate) server: Server,
    pub(crate) clock: Arc<dyn Clock>,
    idle: Mutex<Vec<Connected>>,
    permits: Semaphore,
}

/// A connection for one exchange. If that is given up, the connection goes with it: an answer may be on its way.
pub(crate) struct Lease<'a> {
    connected: Connected,
    pool: &'a Pool,
    _permit: SemaphorePermit<'a>,
}

impl Pool {
    pub(crate) fn new(server: Server, clock: Arc<dyn Clock>) -> Self {
        let connections = server.url.connections;
        Self {
            server,
            clock,
            idle: Mutex::default(),
            permits: Semaphore::new(usize::try_from(connections).unwrap_or(usize::MAX)),
        }
    }

    /// A connection that is free, or another one.
    pub(crate) async fn lease(&self) -> Result<Lease<'_>, Failure> {
        let clock = &*self.clock;
        let permit = within(clock, TO_GET, self.permits.acquire()).await;
        let Ok(Ok(permit)) = permit else {
            return Err(Failure::busy(TO_GET));
        };
        let connected = match self.take_idle() {
            Some(connected) => connected,
            None => self.server.connect(clock, None).await?,
        };
        Ok(Lease {
            connected,
            pool: self,
            _permit: permit,
        })
    }

    fn take_idle(&self) -> Option<Connected> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // What the server has ended meanwhile is of no use.
        std::iter::from_fn(|| idle.pop()).find(|connected| !connected.client.is_closed())
    }

    /// What is idle is not worth a try: the server went away, or hangs.
    fn forget_idle(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        drop(idle);
    }
}

impl Lease<'_> {
    pub(crate) fn connected(&mut self) -> &mut Connected {
        &mut self.connected
    }

    /// Gives the connection back after an exchange, if it is still good, and says what came of the exchange, which had
    /// `limit`.
    pub(crate) fn settle<T>(
        self,
        limit: Duration,
        exchanged: Result<Result<T, Trouble>, Elapsed>,
    ) -> Result<T, Failure> {
        let exchanged = match exchanged {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(trouble)) => Err(Failure::of(&trouble)),
            Err(Elapsed) => Err(Failure::late(limit)),
        };
        let keeps = exchanged
            .as_ref()
            .err()
            .is_none_or(|failure| failure.keeps_connection);
        if keeps && !self.connected.client.is_closed() {
            let mut idle = self
                .pool
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            idle.push(self.connected);
        } else if let Err(failure) = &exchanged
            && matches!(
                failure.fault.kind,
                QueueErrorKind::Unavailable | QueueErrorKind::Late
            )
        {
            self.pool.forget_idle();
        }
        exchanged
    }
}
