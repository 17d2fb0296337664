//! One run: everything that was missed, from the first project to the last.

mod batch;
mod deletions;
mod live_events;
mod prefetch;

use crate::page::{Entity, Page};
use crate::platform::{EntityRef, Platform, PlatformError, Project};
use crate::progress::Progress;
use crate::sink::{SendOutcome, Sink, SinkError};
use batch::Batch;
use jiff::Timestamp;
use labelrelay_core::config::SourceConfig;
use labelrelay_core::{Clock, Ledger, LedgerError};
use std::sync::Arc;
use std::time::Duration;

/// Things that are asked for, sent and recorded together.
const AT_A_TIME: usize = 200;

/// Everything that a run goes by.
pub struct Reconcile<'a> {
    /// The source as which the deliveries would have come.
    pub source: &'a SourceConfig,
    /// The platform to look through.
    pub platform: Arc<dyn Platform>,
    /// Versions that were seen so far.
    pub ledger: &'a mut dyn Ledger,
    /// The queue's side: every event goes there.
    pub sink: &'a mut dyn Sink,
    /// Receiver of the progress.
    pub progress: &'a dyn Progress,
    /// For the time at which something was found.
    pub clock: &'a dyn Clock,
    /// How far before the watermark a look begins: for what is committed later than it says, and for clocks
    /// of several servers of one platform.
    pub overlap: Duration,
    /// An older thing is remembered and not sent, unless it was known before.
    pub begin: Option<Timestamp>,
    /// Projects that were deleted, as the operator says, though the platform only does not show them.
    pub deleted_projects: &'a [String],
}

/// Figures of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Projects that were looked through.
    pub projects: u64,
    /// Things that the platform holds in them.
    pub entities: u64,
    /// Events sent for things that were not known.
    pub created: u64,
    /// Events sent for versions that were not known.
    pub updated: u64,
    /// Events sent for things that are gone.
    pub deleted: u64,
    /// Of what was to be sent, what came live in the same moment.
    pub repeats: u64,
    /// New, but of a type that the source does not forward, or older than what shall be sent.
    pub passed_over: u64,
    /// Events that the queue will never take. Each was warned of, and the watermark of its project is where it
    /// was.
    pub refused: u64,
    /// Projects that are no longer seen, for whatever reason.
    pub vanished: Vec<String>,
}

/// Why a run ended early. Watermarks of projects that were not finished are where they were.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The platform did not tell.
    #[error(transparent)]
    Platform(#[from] PlatformError),
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The queue did not take what was found.
    #[error("queue: {0}")]
    Sink(#[from] SinkError),
}

impl Reconcile<'_> {
    /// Looks through all projects once.
    ///
    /// # Errors
    /// [`ReconcileError`], at the first thing that is not as it should be.
    pub async fn run(&mut self) -> Result<Summary, ReconcileError> {
        let mut summary = Summary::default();
        let projects = self.platform.projects().await?;
        self.read_live_events()?;
        for project in &projects {
            self.project(project, &mut summary).await?;
        }
        self.check_vanished_projects(&projects, &mut summary)
            .await?;
        Ok(summary)
    }

    async fn project(
        &mut self,
        project: &Project,
        summary: &mut Summary,
    ) -> Result<(), ReconcileError> {
        self.progress.project(project);
        let since = self
            .ledger
            .watermark(&project.id)?
            .and_then(|watermark| watermark.checked_sub(self.overlap).ok());
        let scan = self.ledger.begin(&project.id)?;
        let refused = summary.refused;
        let mut pages = prefetch::start(Arc::clone(&self.platform), project.clone(), since);
        // The first page's, whatever others say: what changes after it was written is found by the next look.
        let mut began = None;
        while let Some(page) = pages.next().await {
            let page = page?;
            began = began.or(Some(page.now));
            self.page(project, scan, page, summary).await?;
        }
        if self.platform.lists_unchanged() {
            self.send_deletions(project, scan, summary).await?;
        }
        summary.projects += 1;
        if let Some(Some(began)) = began
            && summary.refused == refused
        {
            self.ledger.finish(&project.id, began)?;
        }
        Ok(())
    }

    async fn page(
        &mut self,
        project: &Project,
        scan: u64,
        page: Page,
        summary: &mut Summary,
    ) -> Result<(), ReconcileError> {
        let entities = page.entities.len() as u64;
        self.read_live_events()?;
        let mut batch = Batch::new(scan);
        let unknown = self.sort(&project.id, &page.entities, &mut batch)?;
        for some in unknown.chunks(AT_A_TIME) {
            let found = self.platform.fetch(&project.id, some).await?;
            self.sort(&project.id, &found, &mut batch)?;
        }
        self.deliver(batch, summary).await?;
        summary.entities += entities;
        self.progress.scanned(entities);
        Ok(())
    }

    /// Puts things into the batch by what was known of them; returns those that are there, of which nothing is
    /// known, not even their contents.
    fn sort(
        &self,
        project: &str,
        entities: &[Entity],
        batch: &mut Batch,
    ) -> Result<Vec<EntityRef>, ReconcileError> {
        let keys: Vec<_> = entities.iter().map(|entity| entity.key.clone()).collect();
        let known = self.ledger.known(&keys)?;
        let mut unknown = Vec::new();
        for (entity, known) in entities.iter().zip(known) {
            match (&entity.content, known) {
                (Some(content), known) => batch.add(self, project, entity, content, known),
                (None, Some(known)) => batch.add_present(&entity.key, known),
                (None, None) => unknown.push(EntityRef {
                    key: entity.key.clone(),
                    holder: entity.holder.clone(),
                }),
            }
        }
        Ok(unknown)
    }

    /// Sends, then records what was sent.
    async fn deliver(
        &mut self,
        mut batch: Batch,
        summary: &mut Summary,
    ) -> Result<(), ReconcileError> {
        if !batch.messages.is_empty() {
            let after = self.ledger.arrivals()?;
            let outcomes = self.sink.send(&batch.messages, after).await?;
            let mut sent = 0;
            for ((change, key), outcome) in batch.changes.iter().zip(outcomes) {
                if let SendOutcome::Refused(reason) = &outcome {
                    self.progress
                        .warn(&format!("{} {} was not sent: {reason}", key.kind, key.id));
                    batch.seen.retain(|(seen, _)| seen != key);
                } else {
                    sent += 1;
                }
                summary.count(*change, &outcome);
            }
            self.progress.sent(sent);
        }
        summary.passed_over += batch.passed_over;
        self.ledger.record(&batch.seen, batch.scan, None)?;
        Ok(())
    }
}
