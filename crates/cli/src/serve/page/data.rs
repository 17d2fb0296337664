//! What the page shows, out of the record and the queue. A file is opened anew each time: one that was set aside or
//! removed is not looked at any more.

use super::newest::Newest;
use super::on_queue::{OnQueue, Queue};
use super::refusal::way_out;
use super::sources::Source;
use super::strip::Strip;
use crate::event_of_delivery::{became_event, no_body};
use crate::record::{Opened, RecordPlace};
use crate::serve::pull_state::PullState;
use labelrelay_core::{Outcome, chain};
use labelrelay_page::{
    Acted, Action, BodyPart, DataError, Delivery, ListQuery, Listing, PageData, PartState, Show,
    SourceView, Summary,
};
use labelrelay_record::{Filter, Pattern, Record, RecordError, Recorded};

pub(super) struct RecordedData {
    pub(super) record: RecordPlace,
    pub(super) queue: Queue,
    pub(super) strip: Strip,
    pub(super) sources: Vec<Source>,
    pub(super) pulls: PullState,
    /// `true` if the record keeps the start of a body that became no event.
    pub(super) keeps_bodies: bool,
}

impl RecordedData {
    /// The record; `None` where nothing was recorded yet.
    fn record(&self) -> Result<Option<Opened>, RecordError> {
        self.record.open()
    }

    fn listed(&self, query: &ListQuery, limit: usize) -> Result<Listing, RecordError> {
        let Some(record) = self.record()? else {
            return Ok(Listing::default());
        };
        // Before the list: what comes meanwhile is asked for the next time.
        let newest = newest(&*record)?.map(|newest| newest.number);
        let filter = filter(query);
        let found = match &query.search {
            Some(text) => record.search(text, &filter, limit)?,
            None => record.list(&filter, limit)?,
        };
        Ok(Listing {
            deliveries: found.into_iter().map(summary).collect(),
            newest,
            lost: record.lost()?,
        })
    }

    fn found(&self, name: &str) -> Result<Option<Delivery>, RecordError> {
        let Some(record) = self.record()? else {
            return Ok(None);
        };
        let found = record.find(name)?;
        let exact = found.iter().find(|found| is_named(found, name));
        let Some(delivery) = exact.or(found.first()) else {
            return Ok(None);
        };
        let on_queue = if became_event(&delivery.row) {
            self.queue.look(&*record, delivery)?
        } else {
            OnQueue {
                body: kept_body(&*record, delivery, self.keeps_bodies)?,
                ..OnQueue::default()
            }
        };
        let cure = way_out(
            delivery,
            &on_queue.body,
            self.keeps_bodies,
            self.secret(delivery),
        );
        Ok(Some(whole(delivery.clone(), on_queue, cure)))
    }

    /// Reference to the secret of the source that a delivery was for.
    fn secret(&self, delivery: &Recorded) -> Option<&str> {
        let name = delivery.row.source.as_deref()?;
        let source = self.sources.iter().find(|source| source.name() == name);
        source?.secret()
    }

    fn source(&self, source: &Source, record: Result<Option<&dyn Record>, &str>) -> SourceView {
        let pull = self.pulls.last(source.name());
        match record {
            Ok(record) => {
                let view = source.now(record, pull.as_ref());
                view.unwrap_or_else(|error| source.unknown(&chain(&error)))
            }
            Err(words) => source.unknown(words),
        }
    }
}

impl PageData for RecordedData {
    fn list(&self, query: &ListQuery, limit: usize) -> Result<Listing, DataError> {
        self.listed(query, limit).map_err(|error| words(&error))
    }

    fn delivery(&self, name: &str) -> Result<Option<Delivery>, DataError> {
        self.found(name).map_err(|error| words(&error))
    }

    fn strip(&self) -> Vec<PartState> {
        let newest = self.record().and_then(|record| match &record {
            Some(record) => Newest::of(&**record),
            None => Ok(Newest::default()),
        });
        self.strip.parts(newest, &self.queue)
    }

    fn sources(&self) -> Vec<SourceView> {
        let record = self.record().map_err(|error| chain(&error));
        let record = record.as_ref().map(Option::as_deref);
        let record = record.map_err(String::as_str);
        let sources = self.sources.iter();
        sources.map(|source| self.source(source, record)).collect()
    }

    fn act(&self, name: &str, action: Action) -> Result<Option<Acted>, DataError> {
        let Some(record) = self.record().map_err(|error| words(&error))? else {
            return Ok(None);
        };
        // The beginning of an id is enough to look at something, and not to do something with it.
        let found = record.find(name).map_err(|error| words(&error))?;
        let mut meant = found
            .iter()
            .filter(|found| is_named(found, name))
            .peekable();
        if meant.peek().is_none() {
            return Ok(None);
        }
        // The platform's id of a delivery is not signed: what was refused under the same id stands in nobody's way, and
        // of two events neither is guessed.
        let mut events = meant.filter(|found| became_event(&found.row));
        let Some(delivery) = events.next() else {
            let words = "this delivery became no event, so nothing can be sent again";
            return Ok(Some(Acted::Refused(words.to_owned())));
        };
        if events.any(|other| other.row.event_id != delivery.row.event_id) {
            let words = format!(
                "several events came under this id: give the name of the delivery that is meant, such as {}",
                delivery.name()
            );
            return Ok(Some(Acted::Refused(words)));
        }
        self.queue.act(&*record, delivery, action).map(Some)
    }
}

/// Tells whether a delivery has this very name or id. What looks like a name of the record is one: the platform's id
/// of a delivery is not signed, and shall not stand for a delivery that is no longer there.
fn is_named(delivery: &Recorded, name: &str) -> bool {
    let number = name.strip_prefix('r').map(str::parse::<i64>);
    if number.is_some_and(|number| number.is_ok()) {
        return delivery.name() == name;
    }
    let ids = [&delivery.row.event_id, &delivery.row.delivery_id];
    delivery.name() == name || ids.into_iter().flatten().any(|id| id == name)
}

fn words(error: &RecordError) -> DataError {
    DataError(chain(error))
}

/// The delivery that was recorded last.
fn newest(record: &dyn Record) -> Result<Option<Recorded>, RecordError> {
    let filter = Filter {
        newest_first: true,
        ..Filter::default()
    };
    Ok(record.list(&filter, 1)?.pop())
}

/// The same language as the verbs' filters.
fn filter(query: &ListQuery) -> Filter {
    let within = |text: &Option<String>| text.as_deref().map(Pattern::within);
    let outcome = match query.show {
        Show::Accepted => Some(Outcome::Accepted),
        Show::Repeat => Some(Outcome::Repeat),
        Show::Filtered => Some(Outcome::Filtered),
        Show::All | Show::Refused => None,
    };
    Filter {
        source: within(&query.source),
        event_type: within(&query.event_type),
        subject: within(&query.subject),
        project: query.project.as_deref().map(Pattern::is),
        outcome: outcome.map(|outcome| Pattern::exactly(outcome.as_str())),
        refused: query.show == Show::Refused,
        from_ms: query.from_ms,
        before_ms: query.before_ms,
        after: query.after,
        before: query.before,
        newest_first: true,
        ..Filter::default()
    }
}

/// The body of a delivery that became no event, as far as the record has it.
fn kept_body(
    record: &dyn Record,
    delivery: &Recorded,
    keeps_bodies: bool,
) -> Result<BodyPart, RecordError> {
    Ok(match record.body(delivery)? {
        Some(body) if body.is_whole => BodyPart::Whole(body.start),
        Some(body) => BodyPart::Start(body.start),
        None => BodyPart::Missing(no_body(&delivery.row, keeps_bodies).to_owned()),
    })
}

fn summary(delivery: Recorded) -> Summary {
    let Recorded { number, row, .. } = delivery;
    Summary {
        number,
        arrived_ms: row.arrived_ms,
        status: row.status,
        outcome: row.outcome,
        source: row.source,
        event_type: row.event_type,
        subject: row.subject,
        project: row.project,
        event_id: row.event_id,
        delivery_id: row.delivery_id,
        reason: row.reason,
        elapsed_us: row.elapsed_us,
        body_bytes: row.body_bytes,
    }
}

fn whole(delivery: Recorded, on_queue: OnQueue, cure: Option<String>) -> Delivery {
    let row = delivery.row.clone();
    Delivery {
        cure,
        replica: delivery.replica.clone(),
        summary: summary(delivery),
        method: row.method,
        path: row.path,
        head: row.head,
        client: row.client,
        verified_by: row.verified_by,
        body_sha256: row.body_sha256,
        queue_us: row.queue_us,
        late: row.late,
        fell_back: row.fell_back,
        claimed: row.claimed,
        spooled: row.spooled,
        queue_state: on_queue.state,
        message: on_queue.message,
        body: on_queue.body,
        previous: on_queue.previous,
        actions: on_queue.actions,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_record::Row;

    #[test]
    fn the_page_asks_in_the_language_of_the_verbs() {
        let query = ListQuery {
            source: Some("labelbox".to_owned()),
            subject: Some("label".to_owned()),
            project: Some("p1".to_owned()),
            show: Show::Repeat,
            after: Some(7),
            ..ListQuery::default()
        };
        let expected = Filter {
            source: Some(Pattern::within("labelbox")),
            subject: Some(Pattern::within("label")),
            project: Some(Pattern::is("p1")),
            outcome: Some(Pattern::exactly("repeat")),
            after: Some(7),
            newest_first: true,
            ..Filter::default()
        };
        assert_eq!(filter(&query), expected);
        let refused = ListQuery {
            show: Show::Refused,
            ..ListQuery::default()
        };
        assert!(filter(&refused).refused);
    }

    #[test]
    fn an_id_that_looks_like_a_name_is_none() {
        let row = Row {
            event_id: Some("an-event".to_owned()),
            delivery_id: Some("r5".to_owned()),
            ..Row::default()
        };
        let delivery = Recorded::new(12, row);
        for (name, is_it) in [
            ("r12", true),
            ("an-event", true),
            ("r5", false),
            ("r", false),
        ] {
            assert_eq!(is_named(&delivery, name), is_it, "{name}");
        }
    }
}
