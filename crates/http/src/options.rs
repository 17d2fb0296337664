//! How a server behaves towards connections.

use std::time::Duration;

/// How a server behaves towards connections.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ServeOptions {
    /// A request's head must be complete this long after the connection was opened, or after the
    /// answer to the request before: so that silent and dripping connections end.
    pub head_timeout: Duration,
    /// How long a stop waits for requests whose body is still arriving. Deliveries whose last byte
    /// has arrived by then are always finished.
    pub drain: Duration,
    /// Connections that are open at once. Those beyond wait in the system's queue until one ends, so
    /// that file descriptors and memory are bounded whoever connects.
    pub max_connections: usize,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(60),
            drain: Duration::from_secs(5),
            max_connections: 1024,
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
}
