//! A lease that is given back, whatever becomes of whoever has it.

use crate::state::State;
use futures_util::FutureExt as _;
use labelrelay_core::chain;
use labelrelay_event::changes::Key;
use std::sync::Arc;

/// A thing that this process may have leased. Dropped, since a run was given up in the middle, it gives the lease back:
/// the state would prolong it as long as the process lives.
pub(super) struct Lease {
    state: Arc<dyn State>,
    /// `None` once somebody else sees to the end of it.
    key: Option<Key<'static>>,
}

impl Lease {
    /// Made before the state is asked, which may lease the thing for an answer that nobody waits for any more.
    pub(super) fn asked_for(state: &Arc<dyn State>, key: &Key<'static>) -> Self {
        Self {
            state: Arc::clone(state),
            key: Some(key.clone()),
        }
    }

    /// Leaves the end of the lease to the caller.
    pub(super) fn ended(mut self) {
        self.key = None;
    }

    /// Gives it back, with nothing new known of the thing.
    pub(super) async fn give_back(mut self) {
        if let Some(key) = self.key.take() {
            give_back(&*self.state, &key).await;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let state = Arc::clone(&self.state);
        let mut given_back = Box::pin(async move { give_back(&*state, &key).await });
        // Begun here: whoever takes the thing next, in this process, must not lose it by that.
        let is_done = (&mut given_back).now_or_never().is_some();
        // Without a runtime the process ends, and the lease runs out.
        if !is_done && let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(given_back);
        }
    }
}

async fn give_back(state: &dyn State, key: &Key<'static>) {
    if let Err(error) = state.leave(key, None, None).await {
        tracing::debug!(name: "lease_left", reason = %chain(&error), "a lease was not given back, and runs out");
    }
}
