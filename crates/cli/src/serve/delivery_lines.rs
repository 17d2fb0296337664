//! At a terminal, one line for each delivery, and for what was refused a way out: for whoever looks on while `serve`
//! runs. The log has the refusals themselves; this comes after its line.

use super::Args;
use crate::env::Env;
use crate::error::CliError;
use crate::logging::Format;
use crate::output::{one_line, say_coloured};
use labelrelay_core::observe::millis;
use labelrelay_core::time::rfc3339;
use labelrelay_core::{Clock, Observer, Outcome, QueueError, Report};
use labelrelay_local::QueueStats;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Lines of one second: nobody reads more, and a flood must not fill the screen.
const LINES: u32 = 20;
const SECOND: Duration = Duration::from_secs(1);

/// The same way out is told again after this.
const CURE_AGAIN: Duration = Duration::from_secs(60);

/// Time between two lines of the queue.
const STATUS_EVERY: Duration = Duration::from_secs(10);

const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

#[derive(Clone)]
pub(super) struct DeliveryLines(Option<Arc<Shown>>);

struct Shown {
    clock: Arc<dyn Clock>,
    is_coloured: bool,
    has_record: bool,
    said: Mutex<Said>,
}

#[derive(Default)]
struct Said {
    /// Beginning of the second that is counted.
    second: Duration,
    lines: u32,
    /// Deliveries without a line since the last line.
    left_out: u64,
    /// Deliveries since then, for the line of the queue.
    came: u64,
    since: Duration,
    cures: Vec<(Outcome, Duration)>,
}

impl DeliveryLines {
    /// Shows them to a person at a terminal who did not ask for silence, nor for the log of all deliveries.
    pub(super) fn of(
        args: &Args,
        env: &Env<'_>,
        clock: &Arc<dyn Clock>,
        has_record: bool,
    ) -> Result<Self, CliError> {
        let is_wanted = !args.quiet && !args.verbose && args.log == Format::Human;
        if !is_wanted || !std::io::stderr().is_terminal() {
            return Ok(Self(None));
        }
        // https://no-color.org
        let no_colour = env.var("NO_COLOR")?.is_some_and(|value| !value.is_empty());
        let is_dumb = env.var("TERM")?.is_some_and(|name| name == "dumb");
        Ok(Self(Some(Arc::new(Shown {
            clock: Arc::clone(clock),
            is_coloured: !no_colour && !is_dumb,
            has_record,
            said: Mutex::default(),
        }))))
    }

    /// Told of the queue once a second; says now and then how it stands, while deliveries come.
    pub(super) fn queue(&self, stats: &QueueStats) {
        let text = self.0.as_ref().and_then(|shown| shown.status(stats));
        if let Some(text) = text {
            say_coloured(&text);
        }
    }
}

impl Observer for DeliveryLines {
    fn request(&self, report: &Report) {
        let Some(shown) = &self.0 else {
            return;
        };
        if let Some(text) = shown.text(report) {
            say_coloured(&text);
        }
    }

    fn queue_attempt_failed(&self, _: &str, _: &str, _: &QueueError) {}
}

impl Shown {
    /// What is said of a delivery, if anything.
    fn text(&self, report: &Report) -> Option<String> {
        let now = self.clock.monotonic();
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_good(report.outcome) {
            let cure = self.cure(report)?;
            return said
                .may_cure(report.outcome, now)
                .then(|| format!("          {cure}"));
        }
        said.came += 1;
        let left_out = said.may_say(now)?;
        drop(said);
        let mut text = String::new();
        if left_out > 0 {
            // Writing into memory does not fail.
            let _ = writeln!(text, "          … and {left_out} more");
        }
        let time = rfc3339(self.clock.now());
        let time = time.get(11..19).unwrap_or_default();
        text.push_str(&self.line(report, time));
        Some(text)
    }

    fn cure(&self, report: &Report) -> Option<&'static str> {
        let is_of_credential = matches!(report.outcome, Outcome::Unauthorized | Outcome::Malformed);
        // It never became a request of a source, and its headers were not looked at: the log says what it is.
        if is_of_credential && report.source.is_none() {
            return None;
        }
        if is_of_credential && report.credential_headers.is_empty() {
            Some(NO_CREDENTIAL)
        } else {
            cure(report.outcome, self.has_record)
        }
    }

    /// How the queue stands, if it is time to say so.
    fn status(&self, stats: &QueueStats) -> Option<String> {
        let now = self.clock.monotonic();
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let time = now.saturating_sub(said.since);
        if said.came > 0 && time < STATUS_EVERY {
            return None;
        }
        said.since = now;
        let came = std::mem::take(&mut said.came);
        (came > 0).then(|| self.status_line(came, time, stats))
    }

    fn status_line(&self, came: u64, time: Duration, stats: &QueueStats) -> String {
        let (dim, plain) = self.colours(DIM);
        let oldest = stats.oldest_ready_age.unwrap_or_default();
        format!(
            "          {dim}{came} in {} s; on the queue {} ready, the oldest for {} s, {} in flight, {} dead{plain}",
            time.as_secs(),
            stats.ready,
            oldest.as_secs(),
            stats.in_flight,
            stats.dead,
        )
    }

    /// A colour and its end.
    const fn colours(&self, colour: &'static str) -> (&'static str, &'static str) {
        if self.is_coloured {
            (colour, PLAIN)
        } else {
            ("", "")
        }
    }

    /// The line of a delivery that is well.
    fn line(&self, report: &Report, time: &str) -> String {
        let (colour, outcome) = match report.outcome {
            _ if report.fell_back => (YELLOW, "fallback"),
            Outcome::Accepted => (GREEN, "accepted"),
            outcome => (DIM, outcome.as_str()),
        };
        let (colour, plain) = self.colours(colour);
        let word = |text: Option<&String>| match text {
            Some(text) => one_line(text).into_owned(),
            None => "-".to_owned(),
        };
        format!(
            "{time}  {colour}{outcome:<9}{plain} {:>9.1} ms  {:<14}  {}  {}",
            millis(report.elapsed),
            word(report.source.as_ref()),
            word(report.event_type.as_ref()),
            word(report.subject.as_ref()),
        )
    }
}

impl Said {
    /// Takes room for a line; the number of deliveries that had none since the last one.
    fn may_say(&mut self, now: Duration) -> Option<u64> {
        if now.saturating_sub(self.second) >= SECOND {
            self.second = now;
            self.lines = 0;
        }
        if self.lines >= LINES {
            self.left_out += 1;
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.left_out))
    }

    fn may_cure(&mut self, outcome: Outcome, now: Duration) -> bool {
        let is_recent = |at: Duration| now.saturating_sub(at) < CURE_AGAIN;
        match self.cures.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, at)) if is_recent(*at) => false,
            Some((_, at)) => {
                *at = now;
                true
            }
            None => {
                self.cures.push((outcome, now));
                true
            }
        }
    }
}

const fn is_good(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Accepted | Outcome::Repeat | Outcome::Filtered | Outcome::Replied
    )
}

/// What to do about a delivery whose head has none.
pub(super) const NO_CREDENTIAL: &str = "no credential came: enter the secret on the platform, and see that no proxy removes the header";

/// What to do about a refusal; `None` where the log's line says it.
pub(super) const fn cure(outcome: Outcome, has_record: bool) -> Option<&'static str> {
    match outcome {
        Outcome::Unauthorized | Outcome::Malformed if has_record => Some(
            "why: `labelrelay events list --refused` names it, and `labelrelay verify --delivery NAME --secret REF` explains it",
        ),
        Outcome::Unauthorized | Outcome::Malformed => Some(
            "why: `labelrelay verify` explains it; without `enabled = false` in [serve.record], `serve` keeps what it needs for that",
        ),
        Outcome::Forbidden => Some(
            "add the address to `allow` of the source; set `trusted_proxies` if it is that of a proxy",
        ),
        Outcome::Timeout => {
            Some("look at what is between the sender and here, or raise `serve.body_timeout_ms`")
        }
        Outcome::TooLarge => Some("raise `max_body_bytes`, or name a `blob_store`"),
        Outcome::WrongMethod => {
            Some("enter this URL on the platform: it takes deliveries, and shows nothing")
        }
        Outcome::Unavailable => Some("what is wrong: `labelrelay status`"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_startup::SystemClock;

    fn shown(is_coloured: bool) -> Shown {
        Shown {
            clock: Arc::new(SystemClock::new()),
            is_coloured,
            has_record: false,
            said: Mutex::default(),
        }
    }

    fn report(outcome: Outcome) -> Report {
        let mut report = Report::refused(outcome, String::new(), None);
        report.source = Some("labelbox".to_owned());
        report.event_type = Some("a.b".to_owned());
        report.subject = Some("c/\u{1b}[31m".to_owned());
        report.elapsed = Duration::from_micros(1300);
        report
    }

    #[test]
    fn what_came_without_a_credential_is_not_held_against_a_secret() {
        let mut report = report(Outcome::Unauthorized);
        assert_eq!(shown(false).cure(&report), Some(NO_CREDENTIAL));
        report.credential_headers.push("authorization".to_owned());
        assert!(shown(false).cure(&report).unwrap().contains("verify"));
    }

    fn stats() -> QueueStats {
        let mut stats = QueueStats::default();
        stats.ready = 3;
        stats.in_flight = 1;
        stats.oldest_ready_age = Some(Duration::from_millis(2500));
        stats
    }

    #[test]
    fn columns_are_aligned_and_hold_nothing_that_a_terminal_obeys() {
        let line = |outcome| shown(false).line(&report(outcome), "20:04:05");
        assert_eq!(
            line(Outcome::Accepted),
            "20:04:05  accepted        1.3 ms  labelbox        a.b  c/\\u{1b}[31m"
        );
        assert_eq!(
            line(Outcome::Repeat),
            "20:04:05  repeat          1.3 ms  labelbox        a.b  c/\\u{1b}[31m"
        );
        let coloured = shown(true).line(&report(Outcome::Accepted), "20:04:05");
        assert!(
            coloured.contains("\u{1b}[32maccepted \u{1b}[0m"),
            "{coloured}"
        );
        assert_eq!(coloured.matches('\u{1b}').count(), 2);
    }

    #[test]
    fn the_queue_is_told_while_deliveries_come() {
        let shown = shown(false);
        let stats = stats();
        assert_eq!(shown.status(&stats), None, "nothing came");
        shown.said.lock().unwrap().came = 7;
        assert_eq!(shown.status(&stats), None, "a moment ago");
        assert_eq!(
            shown.status_line(7, Duration::from_secs(10), &stats),
            "          7 in 10 s; on the queue 3 ready, the oldest for 2 s, 1 in flight, 0 dead"
        );
    }

    #[test]
    fn a_flood_is_told_by_its_number() {
        let mut said = Said::default();
        let told = (0..1000).filter_map(|_| said.may_say(SECOND)).count();
        assert_eq!(told, 20);
        assert_eq!(said.may_say(SECOND * 2), Some(980));
        assert_eq!(said.may_say(SECOND * 2), Some(0));
    }

    #[test]
    fn a_way_out_is_told_once_a_minute() {
        let mut said = Said::default();
        for (at, outcome, told) in [
            (0, Outcome::Unauthorized, true),
            (59, Outcome::Unauthorized, false),
            (59, Outcome::Timeout, true),
            (61, Outcome::Unauthorized, true),
        ] {
            let now = Duration::from_secs(at);
            assert_eq!(said.may_cure(outcome, now), told, "{at} s, {outcome:?}");
        }
    }
}
