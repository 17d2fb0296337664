//! Records what a queue took that cannot be looked into, so that a pull does not send it again.

use crate::arrivals::Arrived;
use labelrelay_core::Ledger as _;
use labelrelay_core::config::SourceConfig;
use labelrelay_local::LedgerFile;
use labelrelay_reconcile::{Platform, things_of};
use std::sync::Arc;
use std::thread::JoinHandle;

/// Events that are recorded together.
const AT_A_TIME: usize = 1000;

pub(super) struct Recorder {
    pub(super) arrived: Arrived,
    pub(super) ledger: LedgerFile,
    pub(super) source: SourceConfig,
    pub(super) platform: Arc<dyn Platform>,
}

impl Recorder {
    /// Begins, on a thread of its own; ends when nothing arrives any more.
    pub(super) fn start(self) -> std::io::Result<JoinHandle<()>> {
        let thread = std::thread::Builder::new().name("ledger".to_owned());
        thread.spawn(move || self.run())
    }

    fn run(mut self) {
        let mut has_failed = false;
        let mut lost = 0;
        while let Some(events) = self.arrived.next(AT_A_TIME) {
            let seen: Vec<_> = events
                .into_iter()
                .flat_map(|event| things_of(&self.source, &*self.platform, event))
                .collect();
            let recorded = self.ledger.record(&seen, None, None);
            match (&recorded, has_failed) {
                (Err(error), false) => {
                    tracing::warn!(name: "ledger_failed", source = self.source.name, reason = %error, "deliveries are not recorded: a pull may send them again, with the same ids");
                }
                (Ok(()), true) => {
                    tracing::info!(name: "ledger_works_again", source = self.source.name, "deliveries are recorded again");
                }
                _ => {}
            }
            has_failed = recorded.is_err();
            let now_lost = self.arrived.lost();
            if now_lost > lost {
                tracing::warn!(name: "ledger_late", source = self.source.name, events = now_lost - lost, "the ledger is slower than the deliveries: a pull may send these again, with the same ids");
                lost = now_lost;
            }
        }
    }
}
