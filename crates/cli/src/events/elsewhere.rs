//! Events of a queue that is no file of this machine: listed, shown and followed, without taking them.

use super::row::{HEADING, Row, moment, say_more};
use crate::clouds::Cloud;
use crate::env::Env;
use crate::error::CliError;
use crate::locations::QueueLocation;
use crate::open::BackEnds;
use crate::output::{one_line, print, print_json, say};
use crate::queue_file::QueueArgs;
use labelrelay_archive::on_one_line;
use labelrelay_core::backend::{CommandLineBackEnd as _, Location};
use labelrelay_core::{Clock, QueueView, ViewPage, ViewedEvent, ViewedState};
use labelrelay_event::{Attributes, Envelope};
use labelrelay_local::{Filter, Options, Pattern, State, envelope_damage};
use labelrelay_startup::SystemClock;
use serde_json::value::RawValue;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Events that are fetched at a time.
const PAGE: usize = 100;

/// Pause between two looks at a queue that is followed.
const POLL: Duration = Duration::from_secs(1);

/// Numbers that are looked at again while following, where an event may come to be there after one with a greater number.
const AGAIN: u64 = 1000;

/// Time for which they are. An event whose commit waits longer for a standby is not shown.
const AGAIN_FOR: Duration = Duration::from_secs(60);

/// A queue that can be looked into.
pub(super) struct Elsewhere {
    runtime: Runtime,
    view: Arc<dyn QueueView>,
}

/// An event, and its attributes if it has any.
pub(super) struct Viewed {
    pub(super) event: ViewedEvent,
    pub(super) attributes: Attributes,
}

impl Elsewhere {
    /// The queue, if it is one that can be looked into and no file. What is wrong with its name is told by whoever looks for
    /// the file.
    pub(super) fn open(queue: &QueueArgs, env: &Env<'_>) -> Result<Option<Self>, CliError> {
        let Ok((QueueLocation::Cloud(Cloud::Nats | Cloud::Postgres, url), base_dir)) =
            queue.location_and_base(env)
        else {
            return Ok(None);
        };
        let runtime = crate::runtime::small()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let back_ends = BackEnds::new(Options::default(), env, clock);
        let at = Location {
            url: &url,
            base_dir: &base_dir,
        };
        let view = runtime.block_on(back_ends.queue_view(at))?;
        Ok(Some(Self { runtime, view }))
    }

    /// Hands each event that passes to `take`, until that has enough.
    fn each(
        &self,
        filter: &Filter,
        mut take: impl FnMut(Viewed) -> Result<bool, CliError>,
    ) -> Result<(), CliError> {
        let mut page = ViewPage {
            after: filter.after,
            before: None,
            newest_first: filter.newest_first,
            max: PAGE,
        };
        loop {
            let events = self.page(page)?;
            let Some(last) = events.last() else {
                return Ok(());
            };
            if page.newest_first {
                page.before = Some(last.number);
            } else {
                page.after = Some(last.number);
            }
            for event in events {
                let Some(attributes) = attributes(&event) else {
                    continue;
                };
                let viewed = Viewed { event, attributes };
                if viewed.passes(filter) && !take(viewed)? {
                    return Ok(());
                }
            }
        }
    }

    fn page(&self, page: ViewPage) -> Result<Vec<ViewedEvent>, CliError> {
        let looked = self.runtime.block_on(self.view.page(page));
        looked.map_err(CliError::failed)
    }

    /// Lists the first `limit` events that pass; how many that were.
    pub(super) fn list(
        &self,
        filter: &Filter,
        limit: usize,
        json: bool,
    ) -> Result<usize, CliError> {
        let mut shown = 0;
        self.each(filter, |viewed| {
            if shown == limit {
                say_more(limit);
                return Ok(false);
            }
            if shown == 0 && !json {
                print(format_args!("{HEADING}"))?;
            }
            shown += 1;
            viewed.print(json)?;
            Ok(true)
        })?;
        Ok(shown)
    }

    /// The event with this number, else the newest one whose id begins so, else that of the platform's delivery.
    pub(super) fn find(&self, which: &str) -> Result<Option<Viewed>, CliError> {
        let number = which.parse::<u64>().ok();
        if let Some(number) = number.filter(|number| *number > 0) {
            let found = self.page(ViewPage {
                after: Some(number - 1),
                before: number.checked_add(1),
                newest_first: false,
                max: 1,
            })?;
            if let Some(event) = found.into_iter().next() {
                return Ok(Some(Viewed {
                    attributes: attributes(&event).unwrap_or_default(),
                    event,
                }));
            }
        }
        // A mistyped number must not show another event.
        let pattern = match number {
            Some(_) => Pattern::is(which),
            None => Pattern::begins(which),
        };
        let by_id = Filter {
            id: Some(pattern.clone()),
            newest_first: true,
            ..Filter::default()
        };
        let mut found: Option<Viewed> = None;
        let mut other = None;
        self.each(&by_id, |viewed| {
            let id = &viewed.attributes.id;
            let is_exact = id == which;
            let first = found.as_ref().map(|first| &first.attributes.id);
            if is_exact || first.is_none() {
                found = Some(viewed);
            } else if first != Some(id) {
                other = Some(viewed.attributes.id);
            }
            Ok(!is_exact)
        })?;
        match (found, other) {
            (Some(found), Some(other)) if found.attributes.id != which => {
                let one = found.attributes.id;
                Err(CliError::failed(format_args!(
                    "several events have an id that begins with {which}, such as {one} and {other}; give more of it"
                )))
            }
            (Some(found), _) => Ok(Some(found)),
            (None, _) => {
                let by_delivery = Filter {
                    id: None,
                    delivery: Some(pattern),
                    ..by_id
                };
                let mut found = None;
                self.each(&by_delivery, |viewed| {
                    found = Some(viewed);
                    Ok(false)
                })?;
                Ok(found)
            }
        }
    }

    /// Shows the newest `lines` that pass, and with `follow` those that arrive.
    pub(super) fn tail(
        &self,
        filter: &Filter,
        lines: usize,
        follow: bool,
        json: bool,
    ) -> Result<(), CliError> {
        // Following begins after what is there now.
        let newest = self.page(ViewPage {
            after: None,
            before: None,
            newest_first: true,
            max: 1,
        })?;
        let mut last = newest.first().map_or(0, |event| event.number);
        let backwards = Filter {
            newest_first: true,
            ..filter.clone()
        };
        let mut shown = Vec::new();
        if lines > 0 {
            self.each(&backwards, |viewed| {
                shown.push(viewed);
                Ok(shown.len() < lines)
            })?;
        }
        let mut known: HashSet<u64> = shown.iter().map(|viewed| viewed.event.number).collect();
        for viewed in shown.iter().rev() {
            viewed.print_whole(json)?;
        }
        if !follow {
            return Ok(());
        }
        // Those that were there before the beginning, and did not pass or were too old to be shown.
        let again = if self.view.shows_in_order() { 0 } else { AGAIN };
        let from = |last: u64| last.saturating_sub(again);
        let later = |after: u64| Filter {
            after: Some(after),
            newest_first: false,
            ..filter.clone()
        };
        self.each(&later(from(last)), |viewed| {
            if viewed.event.number <= last {
                known.insert(viewed.event.number);
            }
            Ok(true)
        })?;
        // When each look began, and the greatest number then: a while later, nothing up to that is looked at again.
        let mut looks = VecDeque::from([(Instant::now(), from(last))]);
        loop {
            while looks.get(1).is_some_and(|(at, _)| at.elapsed() > AGAIN_FOR) {
                looks.pop_front();
            }
            let settled = looks.front().map_or(0, |(_, number)| *number);
            let after = from(last).max(settled);
            looks.push_back((Instant::now(), last));
            self.each(&later(after), |viewed| {
                last = last.max(viewed.event.number);
                if known.insert(viewed.event.number) {
                    viewed.print_whole(json)?;
                }
                Ok(true)
            })?;
            known.retain(|number| *number > after);
            std::thread::sleep(POLL);
        }
    }
}

impl Viewed {
    /// The state, by the name that it has in every queue.
    pub(super) fn state(&self) -> State {
        match self.event.state {
            ViewedState::Ready => State::Ready,
            ViewedState::Hidden => State::InFlight,
            ViewedState::Dead => State::Dead,
        }
    }

    fn row<'a>(&'a self, envelope: Option<&'a RawValue>) -> Row<'a> {
        Row {
            seq: self.event.number,
            id: &self.attributes.id,
            event_type: &self.attributes.event_type,
            source: &self.attributes.source,
            subject: self.attributes.subject.as_deref(),
            state: self.state().as_str(),
            receive_count: self.event.receives,
            reason: self.event.reason.as_deref(),
            received: moment(self.event.queued_ms),
            envelope_bytes: self.event.envelope.len() as u64,
            envelope,
        }
    }

    fn print(&self, json: bool) -> std::io::Result<()> {
        let row = self.row(None);
        if json {
            print_json(&row)
        } else {
            print(format_args!("{}", row.line()))
        }
    }

    /// The same; as JSON, with the envelope.
    fn print_whole(&self, json: bool) -> Result<(), CliError> {
        if !json {
            return Ok(self.print(false)?);
        }
        if let Some(reason) = envelope_damage(&self.event.envelope) {
            // Those behind it are shown all the same.
            say(format_args!(
                "event {} is damaged in the queue: {}",
                self.event.number,
                one_line(&reason)
            ));
            return Ok(());
        }
        let envelope = on_one_line(&self.event.envelope);
        let raw: &RawValue = serde_json::from_slice(&envelope).map_err(CliError::failed)?;
        Ok(print_json(&self.row(Some(raw)))?)
    }

    fn passes(&self, filter: &Filter) -> bool {
        let is = |pattern: &Option<Pattern>, value: Option<&str>| {
            let matches = |pattern: &Pattern| value.is_some_and(|value| pattern.matches(value));
            pattern.as_ref().is_none_or(matches)
        };
        let (event, attributes) = (&self.event, &self.attributes);
        is(&filter.id, Some(&attributes.id))
            && is(&filter.event_type, Some(&attributes.event_type))
            && is(&filter.source, Some(&attributes.source))
            && is(&filter.subject, attributes.subject.as_deref())
            && is(&filter.project, attributes.project.as_deref())
            && is(&filter.delivery, attributes.deliveryid.as_deref())
            && filter.from_ms.is_none_or(|from| event.queued_ms >= from)
            && filter
                .before_ms
                .is_none_or(|before| event.queued_ms < before)
            && (filter.states.is_empty() || filter.states.contains(&self.state()))
    }
}

/// The attributes; `None` of an event that cannot be read, which is named.
fn attributes(event: &ViewedEvent) -> Option<Attributes> {
    match Envelope::decode(&event.envelope) {
        Ok(envelope) => Some(envelope.attributes),
        Err(error) => {
            say(format_args!(
                "event {} cannot be read: {}",
                event.number,
                one_line(&error.to_string())
            ));
            None
        }
    }
}
