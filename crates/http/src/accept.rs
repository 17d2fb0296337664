//! Takes connections from a listener, no more at once than there are slots.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long to wait after the system refused a connection: out of file descriptors, most likely, and
/// others end in a moment.
const PAUSE: Duration = Duration::from_millis(50);

/// A listener with a bounded number of open connections.
pub(crate) struct Accept {
    listener: TcpListener,
    slots: Arc<Semaphore>,
    /// Whether it was said already that all slots are taken.
    full: bool,
}

/// A connection, and the slot that it takes until it is dropped.
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) slot: OwnedSemaphorePermit,
}

impl Accept {
    pub(crate) fn new(listener: TcpListener, max_connections: usize) -> Self {
        let slots = max_connections.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            listener,
            slots: Arc::new(Semaphore::new(slots)),
            full: false,
        }
    }

    /// The next connection. Dropping the future loses none.
    pub(crate) async fn next(&mut self) -> Accepted {
        loop {
            // The slot first: a connection that is not accepted costs this process nothing.
            let Some(slot) = self.slot().await else {
                std::future::pending().await
            };
            match self.listener.accept().await {
                Ok((stream, peer)) => return Accepted { stream, peer, slot },
                Err(error) => {
                    tracing::warn!(name: "accept_failed", %error, "cannot accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// `None` never comes: nobody closes the semaphore.
    async fn slot(&mut self) -> Option<OwnedSemaphorePermit> {
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            self.full = false;
            return Some(slot);
        }
        // Once for each time that they fill up after there was room, not for every connection.
        if !std::mem::replace(&mut self.full, true) {
            tracing::warn!(name: "connections_full", "all connections are taken; others wait until one ends");
        }
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }
}
