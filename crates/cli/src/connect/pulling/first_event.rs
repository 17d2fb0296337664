//! Waits until `serve` pulls, as the configuration says from now on, and its first event is in the queue.

use super::figures::Pull;
use super::{Named, PlatformWords, look};
use crate::connect::facts::{Facts, FirstEvent};
use crate::connect::report::Report;
use crate::durations::words;
use crate::error::CliError;
use crate::serve_address::{self, Listening};
use labelrelay_core::config::SecretRef;
use labelrelay_event::Attributes;
use labelrelay_local::{Filter, Pattern, QueueFile};
use std::path::Path;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(200);

/// The first look at everything may take minutes. Once an event is there, its end is waited for so long.
const COUNTED_WITHIN: Duration = Duration::from_secs(10);

/// Runs that fail before anything came: a third one would not help.
const ENOUGH_FAILURES: u64 = 2;

/// Number of the last event in the queue, before anything is changed; `None` where it cannot be told, so that no old
/// event is taken for the first one.
pub(super) fn last_number(queue: Option<&Path>) -> Option<u64> {
    let queue = queue?;
    if !queue.exists() {
        // `serve` makes it.
        return Some(0);
    }
    look(queue, QueueFile::last_number).ok()
}

/// The event that is waited for.
pub(super) struct Awaited<'a> {
    /// Name of the source.
    pub(super) source: &'a str,
    /// The embedded queue, where that is the queue.
    pub(super) queue: Option<&'a Path>,
    /// Number of the last event before it, as [`last_number`] said.
    pub(super) before: Option<u64>,
    /// Reference to the token, as it stands in the configuration now.
    pub(super) token: &'a SecretRef,
    pub(super) projects: &'a [Named],
    pub(super) words: &'a PlatformWords,
    pub(super) patience: Duration,
}

/// Waits for it. Where nothing can be seen from here, says what to do.
pub(super) async fn wait(
    awaited: &Awaited<'_>,
    report: &mut Report,
    facts: &mut Facts,
) -> Result<(), CliError> {
    let Awaited {
        token, patience, ..
    } = *awaited;
    let queue = awaited.queue.zip(awaited.before);
    let serve =
        queue.and_then(|(queue, before)| Some((queue, before, serve_address::listening(queue)?)));
    let Some((queue, before, serve)) = serve.filter(|_| !patience.is_zero()) else {
        let token = needed(token);
        return report.hint(format_args!(
            "A `serve` that runs takes it up within some seconds; else start `labelrelay serve`.{token} Its first pull brings what is there already."
        ));
    };
    let mut watch = Watch {
        awaited,
        queue,
        serve,
        before,
        begun: Instant::now(),
        pull: None,
        first: None,
        trouble: None,
        is_told: false,
    };
    watch.run(report, facts).await?;
    watch.conclude(report, facts)
}

/// Words about a variable that `serve` has to have.
fn needed(token: &SecretRef) -> String {
    match token {
        SecretRef::Env(name) => {
            format!(" It needs the variable {name} then, and does not start without it.")
        }
        _ => String::new(),
    }
}

struct Watch<'a> {
    awaited: &'a Awaited<'a>,
    queue: &'a Path,
    serve: Listening,
    before: u64,
    begun: Instant,
    /// What `serve` says of its pull, once it pulls.
    pull: Option<Pull>,
    /// The first event, and when it was seen.
    first: Option<(Duration, Attributes)>,
    /// Why the queue could not be looked into the last time.
    trouble: Option<String>,
    /// It was said that `serve` pulls.
    is_told: bool,
}

impl Watch<'_> {
    async fn run(&mut self, report: &mut Report, facts: &mut Facts) -> Result<(), CliError> {
        let patience = self.awaited.patience;
        loop {
            if let Some(admin) = self.serve.admin {
                let now = Pull::of(admin, self.awaited.source).await;
                self.pull = now.or(self.pull);
            }
            if self.first.is_none() {
                match self.look() {
                    Ok(found) => {
                        self.first = found.map(|event| (self.begun.elapsed(), event));
                        self.trouble = None;
                    }
                    Err(why) => self.trouble = Some(why),
                }
            }
            if !self.is_told
                && let Some(pull) = self.pull.filter(|pull| pull.runs > 0)
            {
                self.tell(pull.events, "", report, facts)?;
                if self.first.is_none() {
                    report.hint(format_args!(
                        "{}: its event is waited for, {} at most.",
                        self.awaited.words.submit,
                        words(patience)
                    ))?;
                }
            }
            let elapsed = self.begun.elapsed();
            if self.is_over(elapsed) || elapsed >= patience {
                return Ok(());
            }
            tokio::time::sleep(POLL.min(patience.saturating_sub(elapsed))).await;
        }
    }

    /// Tells whether there is nothing to wait for any more.
    fn is_over(&self, elapsed: Duration) -> bool {
        if let Some((seen, _)) = &self.first {
            let is_late = elapsed.saturating_sub(*seen) >= COUNTED_WITHIN;
            return self.is_told || self.serve.admin.is_none() || is_late;
        }
        let fails = |pull: Pull| pull.runs == 0 && pull.failures >= ENOUGH_FAILURES;
        self.pull.is_some_and(fails)
    }

    /// The first event that came of this source.
    fn look(&self) -> Result<Option<Attributes>, String> {
        let filter = Filter {
            source: Some(Pattern::is(&format!("/{}", self.awaited.source))),
            after: Some(self.before),
            ..Filter::default()
        };
        let head = look(self.queue, |file| {
            let Some(event) = file.list(&filter, 1)?.into_iter().next() else {
                return Ok(None);
            };
            let heads = file.attributes_after(event.seq.saturating_sub(1), 1)?;
            Ok(heads.into_iter().next())
        })?;
        // One of a newer version may not be readable: it came all the same.
        Ok(head.map(|head| serde_json::from_slice(&head.attributes).unwrap_or_default()))
    }

    /// Says that `serve` pulls, and how much it brought of what was there.
    fn tell(
        &mut self,
        events: u64,
        so_far: &str,
        report: &mut Report,
        facts: &mut Facts,
    ) -> Result<(), CliError> {
        self.is_told = true;
        facts.queued = Some(events);
        let queued = match events {
            0 => "nothing is there that the queue does not have".to_owned(),
            1 => format!("1 existing {} queued{so_far}", self.awaited.words.one_thing),
            events => format!(
                "{events} existing {} queued{so_far}",
                self.awaited.words.things
            ),
        };
        report.done(format_args!(
            "pulling every {} instead ({}); {queued}",
            self.awaited.words.every_words, self.awaited.words.events
        ))
    }

    fn conclude(mut self, report: &mut Report, facts: &mut Facts) -> Result<(), CliError> {
        let Some((after, event)) = self.first.take() else {
            if let Some(why) = &self.trouble {
                return report.failed(format_args!(
                    "whether the first event came is not known: {why}"
                ));
            }
            if self.is_told {
                return Ok(());
            }
            return report.failed(self.no_pull());
        };
        if !self.is_told {
            let events = self.pull.map_or(1, |pull| pull.events.max(1));
            self.tell(events, " so far", report, facts)?;
        }
        report.done(format_args!(
            "first event after {} s: {}",
            after.as_secs().max(1),
            named(&event, self.awaited.projects)
        ))?;
        facts.first_event = Some(FirstEvent {
            event_type: event.event_type,
            subject: event.subject,
            project: event.project,
            after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
        });
        Ok(())
    }

    /// Why nothing came, and what to do.
    fn no_pull(&self) -> String {
        if serve_address::find(self.queue).is_none() {
            return "`serve` has ended meanwhile: see its log, and start it again".to_owned();
        }
        let within = words(self.awaited.patience);
        match self.pull {
            Some(pull) if pull.failures > 0 => {
                "`serve` pulls, and fails: its log says why (`pulling failed`)".to_owned()
            }
            Some(_) => format!(
                "`serve` pulls, and nothing came within {within}: its first look at everything goes on; see `labelrelay events tail`"
            ),
            None => format!(
                "the `serve` that runs here has not taken up [source.pull] within {within}: its log says why; or it is an older version, so start it again.{}",
                needed(self.awaited.token)
            ),
        }
    }
}

/// Kind and id of the thing that an event is about, and its project.
fn named(event: &Attributes, projects: &[Named]) -> String {
    let about = event.subject.as_deref().unwrap_or(&event.event_type);
    let about = about.replacen('/', " ", 1);
    let Some(id) = &event.project else {
        return about;
    };
    let is_it = |project: &&Named| project.id == *id;
    match projects.iter().find(is_it) {
        Some(project) if !project.name.is_empty() => {
            format!("{about}, project \"{}\"", project.name)
        }
        _ => format!("{about}, project {id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_event::{Digest, EventType};

    #[test]
    fn an_event_is_named_by_its_thing_and_its_project() {
        let event = |subject: Option<&str>, project: Option<&str>| {
            let event_type = EventType::from_static("io.labelstud.annotation.created");
            let time = "2026-11-21T12:00:00Z";
            let mut event = Attributes::new("1", "/a", &event_type, &Digest::of(b"{}"), time);
            event.subject = subject.map(str::to_owned);
            event.project = project.map(str::to_owned);
            event
        };
        let named = |subject, project| named(&event(subject, project), &[]);
        assert_eq!(
            named(Some("annotation/17"), Some("3")),
            "annotation 17, project 3"
        );
        assert_eq!(named(Some("annotation/17"), None), "annotation 17");
        assert_eq!(named(None, None), "io.labelstud.annotation.created");
    }
}
