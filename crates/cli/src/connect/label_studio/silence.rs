//! Compares what changed on Label Studio with what the queue got: a webhook that does not work says nothing by itself.

use super::target::Target;
use super::walk::named_projects;
use crate::connect::changes::Changes;
use crate::heard::{Heard, Hearing};
use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use labelrelay_core::config::SourceConfig;
use labelrelay_event::EventType;
use labelrelay_reconcile::PlatformError;
use labelrelay_reconcile::label_studio::{Activity, ProjectTitle};
use std::time::Duration;

/// Projects that are asked for their changes: one request each, two at a time.
const MOST_PROJECTS: usize = 20;
const AT_ONCE: usize = 2;

/// Time for all of them. What was answered by then counts.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// A project, and its changes since something last came of it.
struct Quiet<'a> {
    project: &'a ProjectTitle,
    since: Timestamp,
    activity: Activity,
}

impl Seen<'_> {
    /// Asks for the changes. `None` where they cannot be compared: the source leaves some of their events out.
    pub(super) async fn compare(
        &self,
        target: &Target,
        hearing: &Hearing,
    ) -> Result<Option<Changes>, PlatformError> {
        let is_told = |event_type: &str| {
            let event_type = event_type.parse::<EventType>();
            event_type.is_ok_and(|event_type| self.source.filter.passes(&event_type))
        };
        if !TOLD.into_iter().all(is_told) || !target.credential.wanted.is_everything() {
            return Ok(None);
        }
        let heard = hearing.of(&self.source.name);
        let pull = self.source.pull.as_ref();
        let under_way = pull.map_or(UNDER_WAY, |pull| UNDER_WAY.max(pull.every * 3));
        let until = self.now.checked_sub(under_way).unwrap_or(self.now);
        let chosen = self.chosen(heard);
        let asks = chosen.iter().map(|&project| async move {
            let last = heard.and_then(|heard| heard.last(project.id));
            let since = last.unwrap_or(hearing.since).max(hearing.since);
            if since >= until {
                return Ok(None);
            }
            let (from, to) = (
                self.theirs(since, SLACK),
                self.theirs(until, SignedDuration::ZERO),
            );
            let activity = target.management.activity(project.id, from, to).await?;
            Ok::<_, PlatformError>(activity.map(|activity| Quiet {
                project,
                since,
                activity,
            }))
        });
        let mut asks = std::pin::pin!(stream::iter(asks).buffer_unordered(AT_ONCE));
        let (mut asked, mut quiet, mut failed) = (0, Vec::new(), None);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while let Ok(Some(found)) = tokio::time::timeout_at(deadline, asks.next()).await {
            match found {
                Ok(found) => {
                    asked += 1;
                    quiet.extend(found.filter(|quiet| quiet.activity.changes > 0));
                }
                Err(error) => failed = Some(error),
            }
        }
        // A fault that was found counts more than a project that does not answer.
        if let Some(error) = failed.filter(|_| quiet.is_empty()) {
            return Err(error);
        }
        quiet.sort_by_key(|quiet| quiet.project.id);
        let total = |of: fn(&ProjectTitle) -> Option<u64>| {
            let counts = self.projects.iter().map(of);
            counts.sum::<Option<u64>>()
        };
        Ok(Some(Changes {
            since: told(
                quiet
                    .iter()
                    .map(|quiet| quiet.since)
                    .min()
                    .unwrap_or(hearing.since),
            ),
            deliveries: heard.map_or(0, |heard| heard.deliveries),
            missing: quiet.iter().map(|quiet| quiet.activity.changes).sum(),
            at_least: quiet.iter().any(|quiet| quiet.activity.at_least),
            asked,
            projects: self.projects.len(),
            tasks: total(|project| project.tasks),
            annotations: total(|project| project.annotations),
            fault: self.fault(target, &quiet, pull.is_some()),
        }))
    }

    /// Those of which something came lately first, and then the newest: an old project may be asleep.
    fn chosen(&self, heard: Option<&Heard>) -> Vec<&ProjectTitle> {
        let holds_any = |project: &&ProjectTitle| project.tasks != Some(0);
        let mut chosen: Vec<_> = self.projects.iter().filter(holds_any).collect();
        chosen.retain(|project| self.comes(project));
        let last = |project: &ProjectTitle| heard.and_then(|heard| heard.last(project.id));
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
        let changes: u64 = quiet.iter().map(|quiet| quiet.activity.changes).sum();
        let more = if quiet.iter().any(|quiet| quiet.activity.at_least) {
            "at least "
        } else {
            ""
        };
        let latest = quiet.iter().filter_map(|quiet| quiet.activity.latest).max();
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

/// A time to the second.
fn told(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
