//! Connections to a back end, and their retirement.
//!
//! A connection that stood while the instance was frozen may never answer again, and clients go on waiting for it.
//! So an attempt that is given up, or breaks, retires the connection that it used: the next attempt opens another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The connection in use, or the pool of them. `C::default()` is one that nobody has opened yet.
#[derive(Debug, Default)]
pub struct Connections<C>(Mutex<Arc<C>>);

impl<C: Default> Connections<C> {
    /// The connection in use.
    pub fn current(&self) -> Arc<C> {
        Arc::clone(&self.lock())
    }

    /// Begins an attempt on the connection in use.
    pub fn attempt(&self) -> Attempt<'_, C> {
        Attempt {
            connections: self,
            connection: self.current(),
            answered: false,
        }
    }

    /// Lets no later attempt use `connection`. Attempts that are under way on it end by themselves.
    fn retire(&self, connection: &Arc<C>) {
        let mut current = self.lock();
        // Another attempt may have retired it already.
        if Arc::ptr_eq(&current, connection) {
            *current = Arc::default();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arc<C>> {
        // Held to look at or to replace a pointer, never longer.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One attempt. Dropped before [`answered`](Self::answered), because it failed or because somebody lost patience, it
/// retires its connection.
#[derive(Debug)]
#[must_use = "an attempt that is dropped retires its connection"]
pub struct Attempt<'a, C: Default> {
    connections: &'a Connections<C>,
    connection: Arc<C>,
    answered: bool,
}

impl<C: Default> Attempt<'_, C> {
    /// The connection that this attempt uses.
    pub fn connection(&self) -> &C {
        &self.connection
    }

    /// Ends the attempt: the other side answered sensibly, whatever it said, so the connection is sound.
    pub fn answered(mut self) {
        self.answered = true;
    }
}

impl<C: Default> Drop for Attempt<'_, C> {
    fn drop(&mut self) {
        if !self.answered {
            self.connections.retire(&self.connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_attempt_without_an_answer_retires_the_connection_that_it_used() {
        let connections = Connections::<()>::default();
        let first = connections.current();
        connections.attempt().answered();
        assert!(Arc::ptr_eq(&first, &connections.current()));
        let (one, other) = (connections.attempt(), connections.attempt());
        drop(one);
        let second = connections.current();
        assert!(!Arc::ptr_eq(&first, &second));
        drop(other);
        assert!(
            Arc::ptr_eq(&second, &connections.current()),
            "it used the first one"
        );
    }
}
