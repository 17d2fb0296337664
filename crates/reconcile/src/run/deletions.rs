//! Deletions: entities that the ledger knows and the platform does not show.

use super::batch::Batch;
use super::{AT_A_TIME, Reconcile, ReconcileError, Summary};
use crate::platform::{EntityRef, Project};
use jiff::Timestamp;
use labelrelay_core::ledger::Key;
use std::collections::HashSet;

impl Reconcile<'_> {
    /// Sends the deletions of what a pass did not show. Each is asked for once more: what came while the pass
    /// ran was not shown either.
    pub(super) async fn send_deletions(
        &mut self,
        project: &Project,
        pass: u64,
        summary: &mut Summary,
    ) -> Result<(), ReconcileError> {
        let mut after = None;
        loop {
            self.read_live_events().await?;
            let missing = self
                .ledger
                .missing(&project.id, pass, after.as_ref(), AT_A_TIME)?;
            let Some((last, _)) = missing.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            let shown = missing
                .into_iter()
                .filter(|(key, _)| self.platform.shows(&key.kind));
            let missing: Vec<_> = shown.collect();
            let wanted: Vec<_> = missing
                .iter()
                .map(|(key, known)| EntityRef {
                    key: key.clone(),
                    holder: known.holder.clone(),
                })
                .collect();
            let asked = self.clock.now();
            let there = self.platform.fetch(&project.id, &wanted).await?;
            let mut batch = Batch::new(pass);
            self.sort(&project.id, &there, &mut batch)?;
            let there: HashSet<_> = there.into_iter().map(|entity| entity.key).collect();
            for (key, known) in missing {
                if !there.contains(&key) {
                    batch.add_gone(self, key, known, asked);
                }
            }
            self.deliver(&project.id, batch, summary).await?;
        }
    }

    /// Projects of the ledger that the platform no longer shows. Whether they were deleted, or the credential
    /// lost its right to see them, looks the same; and deletions are final. So the operator decides.
    pub(super) async fn check_vanished_projects(
        &mut self,
        shown: &[Project],
        summary: &mut Summary,
    ) -> Result<(), ReconcileError> {
        for id in self.ledger.projects()? {
            let is_shown = shown.iter().any(|project| project.id == id);
            let asked = self.clock.now();
            if is_shown || self.platform.has_project(&id).await? {
                continue;
            }
            if self.deleted_projects.contains(&id) || self.was_deleted(&id)? {
                self.delete_project(&id, asked, summary).await?;
            } else if self.platform.lists_all_projects() {
                summary.vanished.push(id);
            }
        }
        Ok(())
    }

    /// Tells whether the queue got the deletion of the project.
    fn was_deleted(&self, id: &str) -> Result<bool, ReconcileError> {
        let known = self.ledger.known(&[Key::new("project", id)])?;
        Ok(known.into_iter().flatten().any(|project| project.gone))
    }

    /// Sends the deletions of everything in a project that was gone when the platform was `asked`.
    async fn delete_project(
        &mut self,
        project: &str,
        asked: Timestamp,
        summary: &mut Summary,
    ) -> Result<(), ReconcileError> {
        let pass = self.ledger.begin(project)?;
        let refused = summary.refused;
        loop {
            let missing = self.ledger.missing(project, pass, None, AT_A_TIME)?;
            if missing.is_empty() {
                break;
            }
            let mut batch = Batch::new(pass);
            for (key, known) in missing {
                batch.add_gone(self, key, known, asked);
            }
            self.deliver(project, batch, summary).await?;
            if summary.refused > refused {
                // An event that was not sent is not recorded, and would be missing again.
                return Ok(());
            }
        }
        self.ledger.forget(project)?;
        Ok(())
    }
}
