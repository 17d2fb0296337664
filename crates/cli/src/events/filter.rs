//! The one language that says which events are meant.

use super::time;
use crate::error::CliError;
use clap::builder::NonEmptyStringValueParser;
use jiff::Timestamp;
use labelrelay_local::{Filter, Pattern, QueueFile, State};

/// Shown by the help of every verb that takes a filter.
pub(super) const HELP: &str = "\
A filter's value matches itself, and itself with more after a dot or a slash: `--subject task` matches \
task/17, `--subject task/1` does not. A final * matches any ending. Of an id, the beginning is enough. An event \
must match every filter.";

/// Says what an event is about and when it came.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct Content {
    /// Received at this time or later: 2026-11-01T00:00:00Z, or so long ago: 2h
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Received before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Of this source
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    source: Option<String>,
    /// Of this type
    #[arg(long = "type", value_name = "TYPE", value_parser = NonEmptyStringValueParser::new())]
    event_type: Option<String>,
    /// About this, such as task/17
    #[arg(long, value_name = "SUBJECT", value_parser = NonEmptyStringValueParser::new())]
    subject: Option<String>,
    /// Of this project
    #[arg(long, value_name = "PROJECT", value_parser = NonEmptyStringValueParser::new())]
    project: Option<String>,
    /// Delivered under this id of the platform
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    delivery: Option<String>,
    /// With this id
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    id: Option<String>,
}

/// Says where an event stands, too.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct Which {
    #[command(flatten)]
    content: Content,
    /// Dead letters: received too often and never acknowledged, or rejected
    #[arg(long)]
    dead: bool,
    /// Not acknowledged yet: ready or in flight
    #[arg(long)]
    pending: bool,
}

impl Content {
    /// Tells whether the filter asks for anything at all.
    pub(super) const fn is_given(&self) -> bool {
        let Self {
            since,
            until,
            source,
            event_type,
            subject,
            project,
            delivery,
            id,
        } = self;
        since.is_some()
            || until.is_some()
            || source.is_some()
            || event_type.is_some()
            || subject.is_some()
            || project.is_some()
            || delivery.is_some()
            || id.is_some()
    }

    /// The beginning and the end of the time that is asked for.
    fn times(&self) -> Result<(Option<i64>, Option<i64>), CliError> {
        let now = Timestamp::now();
        let time = |flag: &str, text: &Option<String>| {
            let parsed = text.as_deref().map(|text| time::parse(text, now));
            parsed
                .transpose()
                .map_err(|problem| CliError::usage(format_args!("`{flag}`: {problem}")))
        };
        let (from_ms, before_ms) = (time("--since", &self.since)?, time("--until", &self.until)?);
        if let (Some(from), Some(before)) = (from_ms, before_ms)
            && from >= before
        {
            return Err(CliError::usage("`--since` is not before `--until`"));
        }
        Ok((from_ms, before_ms))
    }

    /// The same filter, for the record of deliveries.
    fn recorded(&self) -> Result<labelrelay_record::Filter, CliError> {
        use labelrelay_record::{Filter, Pattern};
        let (from_ms, before_ms) = self.times()?;
        let within = |text: &Option<String>| text.as_deref().map(Pattern::within);
        let begins = |text: &Option<String>| {
            let text = text.as_deref();
            text.map(|text| Pattern::begins(text.trim_end_matches('*')))
        };
        let source = self.source.as_deref();
        Ok(Filter {
            id: begins(&self.id),
            event_type: within(&self.event_type),
            source: source.map(|name| Pattern::within(name.trim_start_matches('/'))),
            subject: within(&self.subject),
            // Its id has no parts, and one value is found in its order.
            project: self.project.as_deref().map(Pattern::is),
            delivery: begins(&self.delivery),
            from_ms,
            before_ms,
            ..Filter::default()
        })
    }

    pub(super) fn filter(&self) -> Result<Filter, CliError> {
        let (from_ms, before_ms) = self.times()?;
        let within = |text: &Option<String>| text.as_deref().map(Pattern::within);
        let begins = |text: &Option<String>| {
            let text = text.as_deref();
            text.map(|text| Pattern::begins(text.trim_end_matches('*')))
        };
        let source = self.source.as_deref();
        Ok(Filter {
            id: begins(&self.id),
            event_type: within(&self.event_type),
            source: source
                .map(|name| Pattern::within(&format!("/{}", name.trim_start_matches('/')))),
            subject: within(&self.subject),
            project: within(&self.project),
            delivery: begins(&self.delivery),
            from_ms,
            before_ms,
            ..Filter::default()
        })
    }
}

impl Which {
    /// Tells whether the filter asks for anything at all.
    pub(super) const fn is_given(&self) -> bool {
        self.content.is_given() || self.dead || self.pending
    }

    /// Tells whether it asks for what an event is, and not for where it stands.
    pub(super) const fn is_of_content(&self) -> bool {
        self.content.is_given() && !self.dead && !self.pending
    }

    /// The id that it asks for.
    pub(super) fn id(&self) -> Option<&str> {
        self.content.id.as_deref()
    }

    /// The same filter, for the record of deliveries.
    pub(super) fn recorded(&self) -> Result<labelrelay_record::Filter, CliError> {
        self.content.recorded()
    }

    /// The same filter, for an archive: no event has a state there.
    pub(super) fn archived(&self) -> Result<Filter, CliError> {
        self.content.filter()
    }

    /// The filter for events of `queue`. A message that nobody receives any more is a dead letter only when
    /// somebody looks, so this does.
    pub(super) fn filter(&self, queue: &QueueFile) -> Result<Filter, CliError> {
        let filter = self.elsewhere()?;
        if !filter.states.is_empty() {
            queue.bury();
        }
        Ok(filter)
    }

    /// The same filter, for a queue that is no file.
    pub(super) fn elsewhere(&self) -> Result<Filter, CliError> {
        let mut filter = self.content.filter()?;
        if self.dead {
            filter.states.push(State::Dead);
        }
        if self.pending {
            filter.states.extend([State::Ready, State::InFlight]);
        }
        Ok(filter)
    }
}
