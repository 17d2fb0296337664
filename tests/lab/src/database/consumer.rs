//! A consumer beside the replicas, to which everything comes that was accepted.

use labelrelay_core::config::Environment;
use labelrelay_core::{Clock, EventSource as _, SourceOptions};
use labelrelay_postgres::Postgres;
use labelrelay_startup::SystemClock;
use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time after which an event whose acknowledgement was lost is received again.
const VISIBILITY: Duration = Duration::from_secs(3);

/// Longest wait for events in one go: whoever ends this waits for it.
const WAIT: Duration = Duration::from_millis(300);

/// Pause after a failure.
const PAUSE: Duration = Duration::from_millis(50);

/// A consumer, in a thread of its own.
pub(crate) struct Consumer {
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    is_over: AtomicBool,
    /// What was received, with its place in the queue. The same twice is one event whose acknowledgement was lost.
    received: Mutex<HashSet<(String, Vec<u8>)>>,
}

impl Consumer {
    pub(super) fn start(url: String, variables: Vec<(String, String)>) -> Self {
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            let variables = variables.into_iter().collect();
            runtime.block_on(shared.consume(&url, &variables));
        });
        Self {
            state,
            thread: Some(thread),
        }
    }

    /// Envelopes that were received so far: one for each place in the queue.
    pub(crate) fn received(&self) -> Vec<Vec<u8>> {
        let received = self.state.received.lock().unwrap();
        received
            .iter()
            .map(|(_, envelope)| envelope.clone())
            .collect()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // Its panic was printed, and what it did not receive is missed.
            let _ = thread.join();
        }
    }
}

impl State {
    async fn consume(&self, url: &str, variables: &Environment) {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let postgres = Postgres::load(variables, Arc::clone(&clock));
        let options = SourceOptions::default();
        let source = loop {
            if self.is_over() {
                return;
            }
            match postgres.event_source(url, Path::new("/"), &options).await {
                Ok(source) => break source,
                Err(_) => clock.sleep(PAUSE).await,
            }
        };
        while !self.is_over() {
            let Ok(events) = source.receive(100, VISIBILITY, WAIT).await else {
                clock.sleep(PAUSE).await;
                continue;
            };
            let receipts: Vec<_> = events.iter().map(|event| event.receipt.as_str()).collect();
            let places = events
                .iter()
                .map(|event| (event.place.clone(), event.envelope.to_vec()));
            self.received.lock().unwrap().extend(places);
            // If that fails, they come again.
            let _ = source.ack(&receipts).await;
        }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }
}
