//! Compares what changed on Label Studio with what is known to have come: a webhook that does not work says nothing by itself.

use super::project_names::named_projects;
use super::target::Target;
use crate::connect::changes::Changes;
use crate::error::chain;
use crate::evidence::Evidence;
use crate::recent_deliveries::SourceDeliveries;
use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use labelrelay_core::config::SourceConfig;
use labelrelay_core::ledger::LedgerError;
use labelrelay_event::EventType;
use labelrelay_reconcile::PlatformError;
use labelrelay_reconcile::label_studio::{Activity, ProjectTitle};
use std::time::Duration;

/// Projects that are asked for their changes: one request each, two at a time.
const MOST_PROJECTS: usize = 20;
const AT_ONCE: usize = 2;

/// Time for all of them. What was answered by then counts.
const PATIENCE: Duration = Duration::from_secs(5);

/// So far back is looked where a queue does not say how far it knows.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A change that is younger may be under way.
const UNDER_WAY: Duration = Duration::from_secs(60);

/// A change and its delivery may seem to be so far apart: the platform's clock is known to the second.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

/// Events of which each change is one.
const TOLD: [&str; 3] = [
    "io.labelstud.annotation.created",
    "io.labelstud.annotation.updated",
    "io.labelstud.task.created",
];

/// Everything that is known of the platform by now.
pub(super) struct Seen<'a> {
    pub(super) source: &'a SourceConfig,
    pub(super) projects: &'a [ProjectTitle],
    /// Projects that no webhook of ours tells of.
    pub(super) without: &'a [&'a ProjectTitle],
    /// The platform's time less ours.
    pub(super) ahead: SignedDuration,
    pub(super) now: Timestamp,
}

/// A project, and its changes of which nothing is known to have come.
struct Quiet<'a> {
    project: &'a ProjectTitle,
    since: Timestamp,
    changes: u64,
    latest: Option<Timestamp>,
    at_least: bool,
}

/// Answer of one project.
enum Found<'a> {
    /// Nothing that should have come.
    Nothing,
    Quiet(Quiet<'a>),
    /// More tasks changed than were looked at, and those that were looked at moved by themselves or came; or no look through
    /// the project has come to its end.
    Unclear(&'a ProjectTitle),
}

impl Seen<'_> {
    /// Asks for the changes. `None` where they cannot be compared: the source leaves some of their events out.
    pub(super) async fn compare(
        &self,
        target: &Target,
        evidence: Evidence<'_>,
    ) -> Result<Option<Changes>, PlatformError> {
        let is_told = |event_type: &str| {
            let event_type = event_type.parse::<EventType>();
            event_type.is_ok_and(|event_type| self.source.filter.passes(&event_type))
        };
        if !TOLD.into_iter().all(is_told) || !target.credential.wanted.is_everything() {
            return Ok(None);
        }
        let of_source = self.of_source(evidence);
        let chosen = self.chosen(of_source);
        let asks = chosen
            .iter()
            .map(|&project| self.ask(target, evidence, project));
        let mut asks = std::pin::pin!(stream::iter(asks).buffer_unordered(AT_ONCE));
        let (mut asked, mut quiet, mut unclear, mut failed) = (0, Vec::new(), Vec::new(), None);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while let Ok(Some(found)) = tokio::time::timeout_at(deadline, asks.next()).await {
            match found {
                Ok(Found::Unclear(project)) => unclear.push(project.id),
                Ok(found) => {
                    asked += 1;
                    if let Found::Quiet(one) = found {
                        quiet.push(one);
                    }
                }
                Err(error) => failed = Some(error),
            }
        }
        // A fault that was found counts more than a project that does not answer.
        if let Some(error) = failed.filter(|_| quiet.is_empty()) {
            return Err(error);
        }
        quiet.sort_by_key(|quiet| quiet.project.id);
        unclear.sort_unstable();
        let total = |of: fn(&ProjectTitle) -> Option<u64>| {
            let counts = self.projects.iter().map(of);
            counts.sum::<Option<u64>>()
        };
        let changes = quiet.iter().map(|quiet| quiet.changes).sum();
        let not_known = not_known(evidence);
        let is_known = not_known.is_none();
        let since = quiet.iter().map(|quiet| quiet.since).min();
        Ok(Some(Changes {
            since: told(since.unwrap_or_else(|| self.horizon(evidence))),
            deliveries: match evidence {
                Evidence::Queue(_) => Some(of_source.map_or(0, |of_source| of_source.deliveries)),
                Evidence::Ledger(_) | Evidence::Nothing(_) => None,
            },
            missing: is_known.then_some(changes),
            uncertain: if is_known { 0 } else { changes },
            at_least: quiet.iter().any(|quiet| quiet.at_least),
            fault: is_known
                .then(|| self.fault(target, &quiet, self.source.pull.is_some()))
                .flatten(),
            not_known,
            unclear_projects: unclear,
            asked,
            projects: self.projects.len(),
            tasks: total(|project| project.tasks),
            annotations: total(|project| project.annotations),
        }))
    }

    /// Asks for the changes of one project since something last came of it.
    async fn ask<'p>(
        &self,
        target: &Target,
        evidence: Evidence<'_>,
        project: &'p ProjectTitle,
    ) -> Result<Found<'p>, PlatformError> {
        let pull = self.source.pull.as_ref();
        let under_way = pull.map_or(UNDER_WAY, |pull| UNDER_WAY.max(pull.every * 3));
        let day_ago = self.horizon(evidence);
        let (since, from, late) = match evidence {
            Evidence::Queue(recent) => {
                let last = self
                    .of_source(evidence)
                    .and_then(|of_source| of_source.last(project.id));
                let since = last.unwrap_or(recent.since).max(recent.since);
                (since, self.theirs(since, SLACK), Duration::ZERO)
            }
            Evidence::Ledger(things) => {
                let Some(seen) = things
                    .watermark(project.id)
                    .map_err(|error| unreadable(&error))?
                else {
                    return Ok(Found::Unclear(project));
                };
                // By the platform's clock already.
                let from = seen.max(self.theirs(day_ago, SignedDuration::ZERO));
                (from, from, things.late)
            }
            Evidence::Nothing(_) => (day_ago, self.theirs(day_ago, SLACK), Duration::ZERO),
        };
        let until = self.now.checked_sub(under_way + late).unwrap_or(self.now);
        let to = self.theirs(until, SignedDuration::ZERO);
        if from >= to {
            return Ok(Found::Nothing);
        }
        let activity = target.management.activity(project.id, from, to).await?;
        let Some(Activity { changes, at_least }) = activity else {
            return Ok(Found::Nothing);
        };
        if changes.is_empty() && at_least {
            return Ok(Found::Unclear(project));
        }
        let changes = match evidence {
            Evidence::Ledger(things) => things
                .unknown(changes)
                .map_err(|error| unreadable(&error))?,
            Evidence::Queue(_) | Evidence::Nothing(_) => changes,
        };
        let latest = changes.iter().map(|change| change.time).max();
        if latest.is_none() {
            // Of the changes that were not looked at, nothing is known.
            return Ok(if at_least {
                Found::Unclear(project)
            } else {
                Found::Nothing
            });
        }
        Ok(Found::Quiet(Quiet {
            project,
            since,
            changes: changes.len() as u64,
            latest,
            at_least,
        }))
    }

    fn of_source<'e>(&self, evidence: Evidence<'e>) -> Option<&'e SourceDeliveries> {
        match evidence {
            Evidence::Queue(recent) => recent.of(&self.source.name),
            Evidence::Ledger(_) | Evidence::Nothing(_) => None,
        }
    }

    /// Nothing before it is compared.
    fn horizon(&self, evidence: Evidence<'_>) -> Timestamp {
        match evidence {
            Evidence::Queue(recent) => recent.since,
            Evidence::Ledger(_) | Evidence::Nothing(_) => {
                self.now.checked_sub(DAY).unwrap_or(self.now)
            }
        }
    }

    /// Projects of which something came lately first, and then the newest: an old project may be asleep.
    fn chosen(&self, of_source: Option<&SourceDeliveries>) -> Vec<&ProjectTitle> {
        let holds_any = |project: &&ProjectTitle| project.tasks != Some(0);
        let mut chosen: Vec<_> = self.projects.iter().filter(holds_any).collect();
        chosen.retain(|project| self.comes(project));
        let last =
            |project: &ProjectTitle| of_source.and_then(|of_source| of_source.last(project.id));
        chosen.sort_by_key(|project| std::cmp::Reverse((last(project), project.id)));
        chosen.truncate(MOST_PROJECTS);
        chosen
    }

    /// Tells whether events of the project shall come: by a webhook, or by a pull that is not for other projects alone.
    fn comes(&self, project: &ProjectTitle) -> bool {
        let has_webhook = self.without.iter().all(|one| one.id != project.id);
        let is_pulled = self.source.pull.as_ref().is_none_or(|pull| {
            let id = project.id.to_string();
            pull.projects.is_empty() || pull.projects.contains(&id)
        });
        has_webhook || is_pulled
    }

    /// A time of ours by the platform's clock.
    fn theirs(&self, time: Timestamp, later: SignedDuration) -> Timestamp {
        let shifted = time.checked_add(self.ahead);
        let shifted = shifted.and_then(|time| time.checked_add(later));
        shifted.unwrap_or(time)
    }

    fn fault(&self, target: &Target, quiet: &[Quiet<'_>], is_pulled: bool) -> Option<String> {
        let since = quiet.iter().map(|quiet| quiet.since).min()?;
        let changes: u64 = quiet.iter().map(|quiet| quiet.changes).sum();
        let more = if quiet.iter().any(|quiet| quiet.at_least) {
            "at least "
        } else {
            ""
        };
        let latest = quiet.iter().filter_map(|quiet| quiet.latest).max();
        let latest = latest.map_or_else(String::new, |latest| {
            format!(", the last at {}", told(latest))
        });
        let projects: Vec<_> = quiet.iter().map(|quiet| quiet.project).collect();
        let of = named_projects(&projects);
        let is_without =
            |project: &&&ProjectTitle| self.without.iter().any(|one| one.id == project.id);
        let without = projects.iter().filter(is_without).count();
        let (what, cure) = if is_pulled {
            (
                "events",
                "`serve` pulls, and brings none of them: see that it runs, and its log for `pull_failed`"
                    .to_owned(),
            )
        } else if without == projects.len() {
            (
                "deliveries",
                format!("no webhook sends them: `{}` makes it", target.repair),
            )
        } else {
            (
                "deliveries",
                format!(
                    "the webhook is there, and what it sends does not come: `{}` says why",
                    target.probe
                ),
            )
        };
        let fetch = if is_pulled {
            String::new()
        } else {
            format!("; `{}` fetches what was missed", target.fetch)
        };
        Some(format!(
            "{}: {more}{changes} {} since {}, 0 {what} ({of}{latest}): {cure}{fetch}",
            self.source.name,
            if changes == 1 { "change" } else { "changes" },
            told(since)
        ))
    }
}

/// Why it is not known whether the changes came, where it is not.
fn not_known(evidence: Evidence<'_>) -> Option<String> {
    match evidence {
        Evidence::Queue(_) => None,
        Evidence::Ledger(things) if things.knows_deliveries => None,
        Evidence::Ledger(_) => Some(
            "`labelrelay pull` has not seen them yet, and its ledger does not know what a webhook delivered".to_owned(),
        ),
        Evidence::Nothing(why) => Some(why.to_owned()),
    }
}

fn unreadable(error: &LedgerError) -> PlatformError {
    PlatformError::permanent(chain(error))
}

/// A time to the second.
fn told(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
