//! One run: everything that was missed, from the first project to the last.

mod batch;
mod deletions;
mod live_events;
mod prefetch;
mod reconcile;

pub use reconcile::{Reconcile, ReconcileError, Summary};

use crate::page::{Entity, Page};
use crate::platform::{EntityRef, Project};
use crate::sink::SendOutcome;
use batch::Batch;
use std::sync::Arc;

/// Things that are asked for, sent and recorded together.
const AT_A_TIME: usize = 200;

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
        let pass = self.ledger.begin(&project.id)?;
        let refused = summary.refused;
        let mut pages = prefetch::start(Arc::clone(&self.platform), project.clone(), since);
        // The first page's, whatever others say: what changes after it was written is found by the next pass.
        let mut began = None;
        while let Some(page) = pages.next().await {
            let page = page?;
            began = began.or(Some(page.now));
            self.page(project, pass, page, summary).await?;
        }
        if self.platform.lists_unchanged() {
            self.send_deletions(project, pass, summary).await?;
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
        pass: u64,
        page: Page,
        summary: &mut Summary,
    ) -> Result<(), ReconcileError> {
        let entities = page.entities.len() as u64;
        self.read_live_events()?;
        let mut batch = Batch::new(pass);
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
            let after = self.ledger.queue_position()?;
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
        self.ledger.record(&batch.seen, batch.pass, None)?;
        Ok(())
    }
}
