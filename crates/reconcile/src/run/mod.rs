//! One run: everything that was missed, from the first project to the last.

mod batch;
mod deletions;
mod live_events;
mod prefetch;
mod reconcile;
mod walk;

pub use live_events::things_of;
pub use reconcile::{Reconcile, ReconcileError, Summary};

use crate::page::{Entity, Page};
use crate::platform::{EntityRef, Project};
use crate::sink::SendOutcome;
use batch::Batch;
use jiff::Timestamp;
use labelrelay_core::ledger::Change;
use prefetch::Wanted;
use std::sync::Arc;
use std::time::Duration;

/// Everything is looked at this often, though the counts agree: what came and what went may be as many.
const FULL_PASS_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// Things that are asked for, sent and recorded together.
const AT_A_TIME: usize = 200;

/// A look at everything in a project, of which it is open what is gone.
struct Look<'p> {
    project: &'p Project,
    /// The pass in which it began.
    first: u64,
    /// The platform's time at its first answer.
    began: Option<Timestamp>,
    /// `true` if the queue took all that is there.
    is_whole: bool,
}

impl Reconcile<'_> {
    /// Looks through all projects once.
    ///
    /// # Errors
    /// [`ReconcileError`], at the first thing that is not as it should be.
    pub async fn run(&mut self) -> Result<Summary, ReconcileError> {
        let mut summary = Summary::default();
        let projects = self.platform.projects().await?;
        self.read_live_events().await?;
        let mut looks = Vec::new();
        let mut shown = Ok(());
        for project in &projects {
            match self.project(project, &mut summary).await {
                Ok(look) => looks.extend(look),
                Err(error) => {
                    shown = Err(error);
                    break;
                }
            }
        }
        // Only now: the id of what is gone from one project may be given again in another, and a deletion would hide from
        // consumers what has it now. Where a project cannot be read, those before it are ended all the same.
        let ended = self.end_looks(looks, &mut summary).await;
        shown?;
        ended?;
        self.check_vanished_projects(&projects, &mut summary)
            .await?;
        self.note_silent_projects(&projects, &mut summary).await?;
        Ok(summary)
    }

    /// Only at a run's end: of a run that broke off before, somebody is told here.
    async fn note_silent_projects(
        &mut self,
        projects: &[Project],
        summary: &mut Summary,
    ) -> Result<(), ReconcileError> {
        // The delivery of what the platform showed may have been under way.
        self.read_live_events().await?;
        let ids: Vec<_> = projects.iter().map(|project| &*project.id).collect();
        for (project, changes) in self.ledger.take_silent(&ids)? {
            summary.silent.push(project);
            summary.silent_changes += changes;
        }
        Ok(())
    }

    /// Sends what is new in a project. If everything in it was looked at, the end of that is left to
    /// [`end_looks`](Self::end_looks).
    async fn project<'p>(
        &mut self,
        project: &'p Project,
        summary: &mut Summary,
    ) -> Result<Option<Look<'p>>, ReconcileError> {
        self.progress.project(project);
        let since = self
            .ledger
            .watermark(&project.id)?
            .and_then(|watermark| watermark.checked_sub(self.overlap).ok());
        let pass = self.ledger.begin(&project.id)?;
        let refused = summary.refused;
        // Without a watermark, everything counts as changed.
        let (began, walked) = match since {
            None => {
                let walk = self.walk(project, pass, Wanted::Contents, summary).await?;
                (walk.began, Some(walk.pass))
            }
            Some(since) => {
                let changed = Wanted::Changed(since);
                let began = self.pages(project, pass, changed, summary).await?;
                let walked = if self.needs_full_pass(project).await? {
                    let walk = self.walk(project, pass, Wanted::Ids, summary).await?;
                    Some(walk.pass)
                } else {
                    None
                };
                (began, walked)
            }
        };
        summary.projects += 1;
        let is_whole = summary.refused == refused;
        match walked {
            Some(first) if self.platform.lists_unchanged() => Ok(Some(Look {
                project,
                first,
                began,
                is_whole,
            })),
            // Nothing else is looked for. A run that breaks off in a later project need not begin with this one again.
            Some(_) => {
                self.end_look(project, began.filter(|_| is_whole))?;
                Ok(None)
            }
            None => {
                if let Some(began) = began.filter(|_| is_whole) {
                    self.ledger.finish(&project.id, began, None)?;
                }
                Ok(None)
            }
        }
    }

    /// Sends what is gone from projects, and notes that everything in them was looked at.
    async fn end_looks(
        &mut self,
        looks: Vec<Look<'_>>,
        summary: &mut Summary,
    ) -> Result<(), ReconcileError> {
        for look in looks {
            let project = look.project;
            let refused = summary.refused;
            self.send_deletions(project, look.first, summary).await?;
            let is_whole = look.is_whole && summary.refused == refused;
            self.end_look(project, look.began.filter(|_| is_whole))?;
        }
        Ok(())
    }

    /// Notes that everything in a project was looked at; `began` is `None` if that does not count.
    fn end_look(
        &mut self,
        project: &Project,
        began: Option<Timestamp>,
    ) -> Result<(), ReconcileError> {
        match began {
            Some(began) => {
                let now = self.clock.now();
                self.ledger.finish(&project.id, began, Some(now))?;
            }
            // It is forgotten: going on behind its end would find nothing.
            None => self.ledger.keep_walk(&project.id, None)?,
        }
        Ok(())
    }

    /// Tells whether something can be gone, or there, that no change told of: a bulk action of the platform's may
    /// leave tasks as they were.
    async fn needs_full_pass(&mut self, project: &Project) -> Result<bool, ReconcileError> {
        if !self.platform.lists_unchanged() {
            return Ok(false);
        }
        if self.ledger.walk(&project.id)?.is_some() {
            return Ok(true);
        }
        let last = self.ledger.last_full_pass(&project.id)?;
        let now = self.clock.now();
        let is_recent = last.is_some_and(|last| {
            // A time in the future came from a wrong clock.
            last <= now && now.duration_since(last).unsigned_abs() < FULL_PASS_EVERY
        });
        if self.full || !is_recent {
            return Ok(true);
        }
        let Some(counts) = self.platform.counts(&project.id).await? else {
            return Ok(true);
        };
        self.read_live_events().await?;
        for (kind, count) in counts {
            if self.ledger.count(&project.id, kind)? != count {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Sends what is new among the things that are asked for. The platform's time at its first answer, whatever the
    /// later ones say: what changes after that was written is found by the next pass.
    async fn pages(
        &mut self,
        project: &Project,
        pass: u64,
        wanted: Wanted,
        summary: &mut Summary,
    ) -> Result<Option<Timestamp>, ReconcileError> {
        let mut pages = prefetch::start(Arc::clone(&self.platform), project.clone(), wanted);
        let mut began = None;
        while let Some(page) = pages.next().await {
            let page = page?;
            began = began.or(Some(page.now));
            self.page(project, pass, page, summary).await?;
        }
        Ok(began.flatten())
    }

    async fn page(
        &mut self,
        project: &Project,
        pass: u64,
        page: Page,
        summary: &mut Summary,
    ) -> Result<(), ReconcileError> {
        let entities = page.entities.len() as u64;
        self.read_live_events().await?;
        let mut batch = Batch::new(pass);
        batch.is_news = self.ledger.watermark(&project.id)?.is_some();
        let unknown = self.sort(&project.id, &page.entities, &mut batch)?;
        for some in unknown.chunks(AT_A_TIME) {
            let found = self.platform.fetch(&project.id, some).await?;
            self.sort(&project.id, &found, &mut batch)?;
        }
        self.deliver(&project.id, batch, summary).await?;
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
        project: &str,
        mut batch: Batch,
        summary: &mut Summary,
    ) -> Result<(), ReconcileError> {
        if !batch.messages.is_empty() {
            let after = self.ledger.queue_position()?;
            let outcomes = self.sink.send(&batch.messages, after).await?;
            let (mut sent, mut undelivered) = (0, 0);
            for ((change, key), outcome) in batch.changes.iter().zip(outcomes) {
                if let SendOutcome::Refused(reason) = &outcome {
                    self.progress
                        .warn(&format!("{} {} was not sent: {reason}", key.kind, key.id));
                    batch.seen.retain(|(seen, _)| seen != key);
                } else {
                    sent += 1;
                }
                let should_have_come = batch.is_news && *change != Change::Deleted;
                if should_have_come && outcome == SendOutcome::New {
                    undelivered += 1;
                }
                summary.count(*change, &outcome);
            }
            self.progress.sent(sent);
            if undelivered > 0 {
                self.ledger.note_undelivered(project, undelivered)?;
                summary.undelivered += undelivered;
                self.progress.undelivered(undelivered);
            }
        }
        if let Some(latest) = batch.latest {
            self.progress.changed(latest);
        }
        summary.passed_over += batch.passed_over;
        self.ledger.record(&batch.seen, batch.pass, None)?;
        Ok(())
    }
}
