//! Takes connections from a listener, no more at once than there are slots.

use crate::options::ServeOptions;
use crate::slots::{Slot, Slots};
use socket2::SockRef;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};

/// Pause after the system refused a connection: out of file descriptors, most likely, and
/// others end in a moment.
const PAUSE: Duration = Duration::from_millis(50);

/// Connections that may wait to be accepted; the system may allow fewer. A sender whose connection finds no
/// slot there tries again after a second, when it has given up already.
const BACKLOG: i32 = 4096;

/// Size of the system's buffer for answers that a peer does not read. The system would let it grow to megabytes a
/// connection; answers are a few hundred bytes.
const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// A listener with a bounded number of open connections.
pub(crate) struct Accept {
    listener: TcpListener,
    pub(crate) slots: Arc<Slots>,
}

/// A connection, and the entry among the slots that it has until it is dropped.
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) slot: Slot,
}

impl Accept {
    pub(crate) fn new(listener: TcpListener, options: &ServeOptions) -> Self {
        let socket = SockRef::from(&listener);
        // Connections inherit the buffer. A system that refuses either serves as well.
        let _ = socket.set_send_buffer_size(SEND_BUFFER_BYTES);
        let _ = socket.listen(BACKLOG);
        Self {
            slots: Slots::new(options),
            listener,
        }
    }

    /// The next connection. Dropping the future loses none.
    pub(crate) async fn next(&mut self) -> Accepted {
        loop {
            self.slots.wait_for_room().await;
            match self.listener.accept().await {
                Ok((stream, peer)) => return self.accepted(stream, peer),
                Err(error) => {
                    tracing::warn!(name: "accept_failed", %error, "cannot accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn accepted(&self, stream: TcpStream, peer: SocketAddr) -> Accepted {
        let slot = self.slots.enter(peer.ip());
        Accepted { stream, peer, slot }
    }

    /// Closes the listener, when all connections that wait there were given to `each`, or at `end`. The system
    /// is asked, not the runtime, which learns of a connection a moment after it was made.
    pub(crate) async fn rest(self, end: Instant, mut each: impl FnMut(Accepted)) {
        let Ok(listener) = self.listener.into_std() else {
            return;
        };
        let slots = self.slots;
        while Instant::now() < end
            && tokio::time::timeout_at(end.into(), slots.wait_for_room())
                .await
                .is_ok()
        {
            let taken = listener.accept().and_then(|(stream, peer)| {
                stream.set_nonblocking(true)?;
                Ok((TcpStream::from_std(stream)?, peer))
            });
            match taken {
                Ok((stream, peer)) => {
                    let slot = slots.enter(peer.ip());
                    each(Accepted { stream, peer, slot });
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => {
                    tracing::warn!(name: "accept_failed", %error, "cannot accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
