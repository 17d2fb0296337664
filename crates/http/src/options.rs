//! Settings of a server's connections.

use std::time::Duration;

/// Settings of a server's connections.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ServeOptions {
    /// A request's head must be complete this long after the connection was opened, or after the
    /// answer to the request before: so that silent and dripping connections end.
    pub head_timeout: Duration,
    /// A connection that has brought an event may idle this long before its next request begins. More
    /// than the minute after which proxies drop an idle connection by themselves: were it less, a proxy
    /// would now and then send a delivery down a connection that is being closed.
    pub idle_timeout: Duration,
    /// A peer that takes no byte of its answers for this long is gone.
    pub write_timeout: Duration,
    /// Time that a stop waits for requests whose body is still arriving. Deliveries whose last byte
    /// has arrived by then are always finished.
    pub drain: Duration,
    /// Connections that are served at once, so that file descriptors and memory are bounded whoever
    /// connects. For one beyond, the one that idles longest is closed; where none idles, it waits.
    pub max_connections: usize,
    /// The same for one address, or one /64 of IPv6. `None` where all come from a proxy.
    pub max_connections_per_address: Option<usize>,
    /// `true` if HTTP/2 without TLS is spoken besides HTTP/1.1.
    #[cfg(feature = "h2c")]
    pub(crate) has_http2: bool,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(10),
            drain: Duration::from_secs(5),
            // With those that come and go, fewer than deliveries that may be under way: else bodies that
            // nobody has verified could use those up, and a delivery would be told 503.
            max_connections: 816,
            max_connections_per_address: None,
            #[cfg(feature = "h2c")]
            has_http2: false,
        }
    }
}

impl ServeOptions {
    /// The same options with another [`head_timeout`](Self::head_timeout).
    #[must_use]
    pub fn with_head_timeout(mut self, head_timeout: Duration) -> Self {
        self.head_timeout = head_timeout;
        self
    }

    /// The same options with another [`drain`](Self::drain).
    #[must_use]
    pub fn with_drain(mut self, drain: Duration) -> Self {
        self.drain = drain;
        self
    }

    /// The same options with another [`max_connections`](Self::max_connections); at least one.
    #[must_use]
    pub fn with_max_connections(mut self, max_connections: usize) -> Self {
        self.max_connections = max_connections.max(1);
        self
    }

    /// The same options with another [`idle_timeout`](Self::idle_timeout).
    #[must_use]
    pub fn with_idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.idle_timeout = idle_timeout;
        self
    }

    /// The same options with another [`write_timeout`](Self::write_timeout).
    #[must_use]
    pub fn with_write_timeout(mut self, write_timeout: Duration) -> Self {
        self.write_timeout = write_timeout;
        self
    }

    /// The same options with another
    /// [`max_connections_per_address`](Self::max_connections_per_address).
    #[must_use]
    pub fn with_max_connections_per_address(mut self, most: Option<usize>) -> Self {
        self.max_connections_per_address = most.map(|most| most.max(1));
        self
    }

    /// The same options, with HTTP/2 without TLS besides HTTP/1.1.
    #[cfg(feature = "h2c")]
    #[must_use]
    pub fn with_http2(mut self) -> Self {
        self.has_http2 = true;
        self
    }

    /// Sockets that are open at once: those of [`max_connections`](Self::max_connections), and a
    /// quarter of that of connections that were just accepted or are being closed.
    pub fn sockets(&self) -> usize {
        self.max_connections + self.max_connections / 4 + 1
    }
}

/// Bytes that a connection may hold before anybody asked for them; also the largest head. hyper's own limit is six
/// times as much, which a thousand connections of strangers would turn into 400 MiB.
pub(crate) const READ_BUFFER_BYTES: usize = 64 * 1024;
