//! Reads from the embedded queue when each source last delivered something, project by project.

use jiff::Timestamp;
use labelrelay_core::time;
use labelrelay_event::Attributes;
use labelrelay_local::{FileError, QueueFile};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// So far back is looked, at most.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Events that are read at a time, and in all: with more than that, the look does not reach as far back.
const AT_A_TIME: u64 = 500;
const MOST: u64 = 20_000;

/// Old events in a row that end the look.
const MANY_OLD: u32 = 100;

/// A project; empty where an event names none.
type Project = String;

/// Deliveries of one source, as the queue has them.
#[derive(Debug, Default)]
pub(crate) struct SourceDeliveries {
    /// By project: the newest event, whoever brought it. A pull brings every change up to its time.
    came: BTreeMap<Project, Timestamp>,
    /// Number of deliveries.
    pub(crate) deliveries: u64,
}

/// Deliveries of all sources, as far back as the queue can tell.
#[derive(Debug)]
pub(crate) struct RecentDeliveries {
    /// Nothing is known of what came before.
    pub(crate) since: Timestamp,
    sources: BTreeMap<String, SourceDeliveries>,
}

impl RecentDeliveries {
    /// Reads the newest events of the queue in `file`. What was pruned is not known to have come, so it goes back to the
    /// first gap.
    pub(crate) fn read(queue: &QueueFile, file: &Path, now: Timestamp) -> Result<Self, FileError> {
        let mut recent = Self {
            since: now,
            sources: BTreeMap::new(),
        };
        let day_ago = now.checked_sub(DAY).unwrap_or(now);
        let last = queue.last_number()?;
        let (mut next, mut old) = (last, 0);
        'all: while next > last.saturating_sub(MOST) {
            let after = next.saturating_sub(AT_A_TIME);
            let part = usize::try_from(next - after).unwrap_or_default();
            let heads = queue.attributes_after(after, part)?;
            for head in heads.iter().rev() {
                // It came after the look began.
                if head.seq > next {
                    continue;
                }
                if head.seq != next {
                    return Ok(recent);
                }
                next -= 1;
                let attributes: Option<Attributes> = serde_json::from_slice(&head.attributes).ok();
                let received = attributes
                    .as_ref()
                    .and_then(|attributes| time::parse(&attributes.receivedtime));
                let (Some(attributes), Some(received)) = (attributes, received) else {
                    continue;
                };
                // Events out of a fallback come late; each still says when it was received. So one that is old says
                // little, and many in a row say that the day is over.
                if received < day_ago {
                    old += 1;
                    if old == MANY_OLD {
                        recent.since = day_ago;
                        break 'all;
                    }
                    continue;
                }
                old = 0;
                recent.since = recent.since.min(received);
                recent.add(attributes, received);
            }
            if next > after {
                return Ok(recent);
            }
        }
        // All that ever came was read: before, the queue was not there.
        if next == 0 {
            let made = file.metadata().and_then(|file| file.created()).ok();
            let made = made.and_then(|made| Timestamp::try_from(made).ok());
            let made = made.unwrap_or(now);
            recent.since = recent.since.min(made).max(day_ago);
        }
        Ok(recent)
    }

    fn add(&mut self, event: Attributes, received: Timestamp) {
        // Sent again on purpose, it says nothing of the platform.
        if event.replayedtime.is_some() {
            return;
        }
        let source = event.source.trim_start_matches('/').to_owned();
        let of_source = self.sources.entry(source).or_default();
        let project = event.project.unwrap_or_default();
        let last = of_source.came.entry(project).or_insert(received);
        *last = received.max(*last);
        if event.origin.is_none() {
            of_source.deliveries += 1;
        }
    }

    pub(crate) fn of(&self, source: &str) -> Option<&SourceDeliveries> {
        self.sources.get(source)
    }
}

impl SourceDeliveries {
    /// When something last came of the project, by whatever way.
    pub(crate) fn last(&self, project: u64) -> Option<Timestamp> {
        // One that names no project may be about this one.
        let of = |project: &str| self.came.get(project).copied();
        of(&project.to_string()).max(of(""))
    }
}
