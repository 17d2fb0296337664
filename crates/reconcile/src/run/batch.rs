//! The entities of one page: sent, recorded, or passed over.

use super::reconcile::{Reconcile, Summary};
use crate::page::Entity;
use crate::sink::SendOutcome;
use jiff::Timestamp;
use labelrelay_core::OutboundMessage;
use labelrelay_core::from_api::ReconciledEvent;
use labelrelay_core::ledger::{Change, Key, Known};
use labelrelay_core::time::{parse, sequence};

/// Things of one page, sorted into what is sent and what is only recorded.
pub(super) struct Batch {
    pub(super) pass: Option<u64>,
    pub(super) messages: Vec<OutboundMessage>,
    /// Change and key of each message, in their order.
    pub(super) changes: Vec<(Change, Key)>,
    pub(super) seen: Vec<(Key, Known)>,
    pub(super) passed_over: u64,
    /// `true` if the project was looked at before, so that a delivery should have brought what is new.
    pub(super) is_news: bool,
    /// Newest change of what the platform showed.
    pub(super) latest: Option<Timestamp>,
}

impl Batch {
    pub(super) fn new(pass: u64) -> Self {
        Self {
            is_news: false,
            latest: None,
            pass: Some(pass),
            messages: Vec::new(),
            changes: Vec::new(),
            seen: Vec::new(),
            passed_over: 0,
        }
    }

    /// Adds a thing that is there, of whose contents nothing is known but that they did not change.
    pub(super) fn add_present(&mut self, key: &Key, known: Known) {
        self.seen.push((key.clone(), known));
    }

    /// Adds a thing that the platform showed, of which this was known.
    pub(super) fn add(
        &mut self,
        run: &Reconcile<'_>,
        project: &str,
        entity: &Entity,
        content: &[u8],
        known: Option<Known>,
    ) {
        // The id of a thing that is gone may be given again.
        let change = match &known {
            Some(known) if !known.gone => Change::Updated,
            _ => Change::Created,
        };
        let Key { kind, id } = &entity.key;
        let Some(found) = ReconciledEvent::describe(run.source, &entity.key, change, content)
        else {
            // One odd thing shall not keep all others back. It stays what it was, known or unknown.
            run.progress.warn(&format!(
                "project {project}: {kind} {id} is not what this version can read, and is passed over"
            ));
            self.passed_over += 1;
            self.seen
                .extend(known.map(|known| (entity.key.clone(), known)));
            return;
        };
        let changed = found.description().time.as_deref().and_then(parse);
        // A task's own time moves without a change that anybody is told of.
        if kind != "task" {
            self.latest = self.latest.max(changed);
        }
        let new = Known {
            project: Some(project.to_owned()),
            holder: entity.holder.clone(),
            event_id: found.id().to_owned(),
            sequence: found.description().sequence.clone(),
            gone: false,
            until: None,
        };
        let is_old = known.as_ref().is_some_and(|known| known.covers(&new));
        if !is_old {
            let before_the_beginning = known.is_none()
                && matches!((run.begin, &new.sequence), (Some(begin), Some(its)) if *its < sequence(begin));
            if before_the_beginning {
                self.passed_over += 1;
            } else {
                self.send(run, change, &entity.key, &found, run.clock.now());
            }
        }
        self.seen.push((entity.key.clone(), new));
    }

    /// Adds a thing that was gone when the platform was `asked`. Its id may be given again from then on, and nobody may take
    /// what has it then for the thing that went.
    pub(super) fn add_gone(
        &mut self,
        run: &Reconcile<'_>,
        key: Key,
        known: Known,
        asked: Timestamp,
    ) {
        let tombstone = run.platform.tombstone(&key, &known);
        let newest = known.sequence.as_deref();
        let found = ReconciledEvent::deletion(run.source, &key, newest, tombstone.as_bytes());
        let event_id = found.as_ref().map(|found| found.id().to_owned());
        if let Some(found) = &found {
            self.send(run, Change::Deleted, &key, found, asked);
        }
        let known = Known {
            event_id: event_id.unwrap_or(known.event_id),
            gone: true,
            ..known
        };
        self.seen.push((key, known));
    }

    fn send(
        &mut self,
        run: &Reconcile<'_>,
        change: Change,
        key: &Key,
        found: &ReconciledEvent<'_>,
        at: Timestamp,
    ) {
        let source = run.source;
        if source.filter.passes(&found.description().event_type) {
            let message = found.message(source, run.sink.limits(), at);
            self.messages.push(message);
            self.changes.push((change, key.clone()));
        } else {
            self.passed_over += 1;
        }
    }
}

impl Summary {
    pub(super) fn count(&mut self, change: Change, outcome: &SendOutcome) {
        let count = match (outcome, change) {
            (SendOutcome::Refused(_), _) => &mut self.refused,
            (SendOutcome::Repeat, _) => &mut self.repeats,
            (SendOutcome::New, Change::Created) => &mut self.created,
            (SendOutcome::New, Change::Updated) => &mut self.updated,
            (SendOutcome::New, Change::Deleted) => &mut self.deleted,
        };
        *count += 1;
    }
}
