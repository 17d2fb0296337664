//! Findings of `status`: for people, and for programs.

use super::record::Record;
use crate::connect::Changes;
use crate::durations;
use crate::output::print;
use labelrelay_core::DeadLetterCount;
use serde::Serialize;
use std::time::Duration;

/// Printed by `--json`.
#[derive(Default, Serialize)]
pub(super) struct Report {
    pub(super) ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) configuration: Option<String>,
    /// Address of the `serve` that owns the queue's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) serve: Option<String>,
    pub(super) sources: Vec<String>,
    /// Requests that `serve` refused since it began.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) refused: Vec<Refused>,
    /// Platforms that could be asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) platforms: Vec<Platform>,
    /// Platforms that could not be asked, and the cure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) not_asked: Vec<NotAsked>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) queue: Option<String>,
    /// Each cloud, and the identity that it was asked with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) identities: Vec<String>,
    /// Events in the queue, where it is a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) events: Option<Events>,
    /// An event was written into that file and read back, and nothing of it is left.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_written_and_read: bool,
    /// What was not tried with a queue elsewhere, why, and how a person does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_tried: Option<String>,
    /// Dead letters of a queue elsewhere, about, where it tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dead_letters: Option<u64>,
    /// There may be more of them: so many were seen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) dead_letters_at_least: bool,
    /// Words on how a person finds out, where the queue does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dead_letters_unknown: Option<&'static str>,
    /// Whoever takes them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) consumer: Option<Consumer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) blob_store: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fallback: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) archive: Option<Archive>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) record: Option<Record>,
    pub(super) warnings: Vec<String>,
    /// Everything was looked at, and this is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) faults: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// Requests to a source that were refused in one way.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refused {
    pub(super) source: String,
    pub(super) outcome: String,
    pub(super) requests: u64,
}

/// The platform of a source, and its webhooks.
#[derive(Serialize)]
pub(super) struct Platform {
    pub(super) source: String,
    pub(super) server: String,
    pub(super) webhooks: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) changes: Option<Changes>,
}

#[derive(Serialize)]
pub(super) struct NotAsked {
    pub(super) source: String,
    pub(super) cure: String,
}

#[derive(Serialize)]
pub(super) struct Events {
    pub(super) ready: u64,
    pub(super) in_flight: u64,
    pub(super) dead: u64,
}

#[derive(Serialize)]
pub(super) struct Consumer {
    /// Absent where none was ever seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seen_seconds_ago: Option<u64>,
    /// Time for which the oldest event that is ready has waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) oldest_waits_seconds: Option<u64>,
}

impl Consumer {
    fn words(&self) -> String {
        let seconds = |seconds: u64| durations::words(Duration::from_secs(coarse(seconds)));
        let seen = match self.seen_seconds_ago {
            None => "none was seen lately".to_owned(),
            Some(0) => "seen a moment ago".to_owned(),
            Some(ago) => format!("last seen {} ago", seconds(ago)),
        };
        match self.oldest_waits_seconds {
            None | Some(0) => seen,
            Some(waits) => format!("{seen}; the oldest event waits for {}", seconds(waits)),
        }
    }
}

/// In seconds for minutes, in minutes for hours, in hours for days: more says nothing.
const fn coarse(seconds: u64) -> u64 {
    let unit = match seconds {
        0..600 => 1,
        600..36_000 => 60,
        36_000..864_000 => 3600,
        _ => 86_400,
    };
    seconds / unit * unit
}

/// The archive, and how far it is.
#[derive(Default, Serialize)]
pub(super) struct Archive {
    pub(super) url: String,
    /// `serve` has not made it yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_missing: bool,
    /// Events of the queue's file that it has not got yet, about. Absent where it could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) waiting_events: Option<u64>,
    /// Time for which the oldest of them has waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) oldest_waits_seconds: Option<u64>,
    /// Notes on events that it will never have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gaps: Option<usize>,
}

impl Archive {
    fn words(&self) -> String {
        let url = &self.url;
        if self.is_missing {
            return format!("{url}: made by the next `serve`");
        }
        let waiting = match self.waiting_events {
            None => String::new(),
            Some(0) => ": has all events of the queue".to_owned(),
            Some(1) => ": about 1 event waits to be written".to_owned(),
            Some(events) => format!(": about {events} events wait to be written"),
        };
        let gaps = match self.gaps {
            None | Some(0) => String::new(),
            Some(gaps) => format!(
                "; notes on events that it will never have: {gaps}; `labelrelay events list --from {url}` names them"
            ),
        };
        format!("{url}{waiting}{gaps}")
    }
}

impl Report {
    /// Dead letters of a queue elsewhere.
    pub(super) fn found_dead_letters(&mut self, found: DeadLetterCount) {
        let (count, about) = match found {
            DeadLetterCount::About(count) => (count, "about"),
            DeadLetterCount::AtLeast(count) => (count, "at least"),
            DeadLetterCount::Unknown(how) => {
                self.dead_letters_unknown = how;
                return;
            }
        };
        self.dead_letters = Some(count);
        self.dead_letters_at_least = matches!(found, DeadLetterCount::AtLeast(_));
        if count == 0 {
            return;
        }
        let letters = if count == 1 { "letter" } else { "letters" };
        self.warnings.push(format!(
            "{about} {count} dead {letters} beside the queue: rejected, or received too often; mend the consumer, then move them back with the cloud's own tools"
        ));
    }

    /// Words behind the name of a queue elsewhere.
    fn dead_letter_words(&self) -> String {
        match (self.dead_letters, self.dead_letters_at_least) {
            (None, _) => String::new(),
            (Some(0), true) => ": no dead letter was seen".to_owned(),
            (Some(count), true) => format!(": at least {count} dead"),
            (Some(count), false) => format!(": about {count} dead"),
        }
    }

    /// For people, in the order of a delivery's way.
    pub(super) fn print(&self) -> std::io::Result<()> {
        let line = |name: &str, words: &str| print(format_args!("  {name:<12}{words}"));
        print(format_args!(
            "{}: {}",
            if self.faults.is_empty() {
                "ok"
            } else {
                "not ok"
            },
            self.configuration.as_deref().unwrap_or_default()
        ))?;
        match &self.serve {
            Some(address) => line("serve", &format!("listens on {address}"))?,
            None if self.queue.as_deref().is_some_and(is_file) => {
                line("serve", "does not run; `labelrelay serve` starts it")?;
            }
            // Nothing tells from here.
            None => {}
        }
        line("sources", &self.sources.join(", "))?;
        for Refused {
            source,
            outcome,
            requests,
        } in &self.refused
        {
            let words =
                format!("{source}: {requests} {outcome} since `serve` began; its log says why");
            line("refused", &words)?;
        }
        for platform in &self.platforms {
            line("platform", &platform.server)?;
            line("webhooks", &platform.webhooks)?;
            if let Some(changes) = &platform.changes {
                line("changes", &words(changes))?;
            }
        }
        for NotAsked { source, cure } in &self.not_asked {
            line("platform", &format!("{source}: not asked; {cure}"))?;
        }
        let queue = self.queue.as_deref().unwrap_or_default();
        match &self.events {
            Some(events) => line(
                "queue",
                &format!(
                    "{queue}: {} ready, {} in flight, {} dead{}",
                    events.ready,
                    events.in_flight,
                    events.dead,
                    if self.is_written_and_read {
                        "; takes an event and gives it back"
                    } else {
                        ""
                    }
                ),
            )?,
            None if is_file(queue) => line("queue", &format!("{queue}: made by the next `serve`"))?,
            None => {
                line("queue", &format!("{queue}{}", self.dead_letter_words()))?;
                if let Some(how) = self.dead_letters_unknown {
                    line("dead", how)?;
                }
                if let Some(words) = &self.not_tried {
                    line("not tried", words)?;
                }
            }
        }
        for identity in &self.identities {
            line("identity", identity)?;
        }
        if let Some(consumer) = &self.consumer {
            line("consumer", &consumer.words())?;
        }
        let archive = self.archive.as_ref().map(Archive::words);
        let record = self.record.as_ref().map(Record::words);
        for (name, store) in [
            ("blob store", &self.blob_store),
            ("fallback", &self.fallback),
            ("archive", &archive),
            ("record", &record),
        ] {
            if let Some(store) = store {
                line(name, store)?;
            }
        }
        Ok(())
    }
}

fn words(changes: &Changes) -> String {
    let at_least = if changes.at_least { "at least " } else { "" };
    let since = &changes.since;
    let missing = match (&changes.not_known, changes.missing.unwrap_or_default()) {
        (Some(_), _) if changes.uncertain == 0 => format!("no change since {since}"),
        (Some(why), _) => format!(
            "{at_least}{} since {since}; whether events of them came is not known: {why}",
            counted(changes.uncertain)
        ),
        (None, 0) if changes.unclear_projects.is_empty() => {
            format!("no change is missing since {since}")
        }
        (None, 0) => format!("no change was found to be missing since {since}"),
        (None, missing) if changes.at_least => {
            format!("at least {missing} changes are missing since {since}")
        }
        (None, missing) => format!("changes that are missing: {missing} since {since}"),
    };
    let unclear = match changes.unclear_projects.len() {
        0 => String::new(),
        count => format!("; projects of which it is not known: {count}"),
    };
    let deliveries = changes.deliveries;
    let deliveries = deliveries.map_or_else(String::new, |count| format!("; deliveries: {count}"));
    let held = match (changes.tasks, changes.annotations) {
        (Some(tasks), Some(annotations)) => {
            format!("; tasks: {tasks}, annotations: {annotations}")
        }
        _ => String::new(),
    };
    format!(
        "{missing}{unclear}{deliveries}; projects compared: {} of {}{held}",
        changes.asked, changes.projects
    )
}

fn counted(changes: u64) -> String {
    match changes {
        1 => "1 change".to_owned(),
        changes => format!("{changes} changes"),
    }
}

fn is_file(queue: &str) -> bool {
    queue.starts_with("sqlite:")
}
