//! A request that has its answer, and its spans: one of the HTTP server, and one of the producer that sent the event.

use crate::cut::cut;
use crate::same::Same;
use crate::wire::{bytes, failed, number, parts, span, tag, text, text_if, time};
use labelrelay_core::{Outcome, Report};
use std::fmt::Write as _;
use std::time::Duration;

/// A reason may quote what a stranger sent, and thousands of them wait.
const MOST_REASON_CHARACTERS: usize = 256;

/// Ids of a request's spans.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids {
    pub(crate) trace: [u8; 16],
    /// The span of somebody else that the server's is a child of.
    pub(crate) parent: Option<[u8; 8]>,
    pub(crate) server: [u8; 8],
    /// The producer's span, where the event was sent.
    pub(crate) producer: [u8; 8],
}

/// A request, as far as its spans tell of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finished<'a> {
    ids: Ids,
    /// Time of the end, in nanoseconds of Unix.
    end: u64,
    method: &'static str,
    report: &'a Report,
    /// That of the report, as far as it is told.
    reason: Option<&'a str>,
}

impl<'a> Finished<'a> {
    pub(crate) fn new(ids: Ids, end: u64, method: &http::Method, report: &'a Report) -> Self {
        let reason = report.reason.as_deref();
        Self {
            ids,
            end,
            method: known(method),
            report,
            reason: reason.map(|reason| cut(reason, MOST_REASON_CHARACTERS)),
        }
    }

    /// Number of its spans.
    pub(crate) fn count(&self) -> u64 {
        1 + u64::from(self.is_sent())
    }

    /// Tells whether it became an event that was handed to somebody.
    fn is_sent(&self) -> bool {
        let report = self.report;
        report.fell_back || (report.event_id.is_some() && report.queue_began.is_some())
    }

    /// Writes its spans. `scratch` is for texts that have to be made first.
    pub(crate) fn write(&self, out: &mut Vec<u8>, scratch: &mut String, same: &Same) {
        span(out, |out| self.server(out, scratch, same));
        if self.is_sent() {
            span(out, |out| self.producer(out, same));
        }
    }

    /// Time of its begin.
    fn begin(&self) -> u64 {
        self.end.saturating_sub(nanoseconds(self.report.elapsed))
    }

    /// `None` for what is no error of ours.
    fn error(&self) -> Option<&'static str> {
        let outcome = self.report.outcome;
        if self.report.late {
            Some("late")
        } else {
            outcome.status().is_server_error().then(|| outcome.as_str())
        }
    }

    fn status(&self, out: &mut Vec<u8>, error: Option<&str>) {
        if error.is_some() {
            failed(out, self.reason.unwrap_or_default());
        }
    }

    fn server(&self, out: &mut Vec<u8>, scratch: &mut String, same: &Same) {
        let report = self.report;
        // A late event may be on the queue by now, but its sender was told to try again.
        let status = if report.late {
            Outcome::Unavailable.status()
        } else {
            report.outcome.status()
        };
        let source = report.source.as_deref();
        bytes(out, tag::TRACE_ID, &self.ids.trace);
        bytes(out, tag::SPAN_ID, &self.ids.server);
        if let Some(parent) = &self.ids.parent {
            bytes(out, tag::PARENT_SPAN_ID, parent);
        }
        match source {
            Some(source) => parts(out, tag::NAME, [self.method, " /", source]),
            None => parts(out, tag::NAME, [self.method]),
        }
        out.extend_from_slice(&same.server.head);
        time(out, tag::START, self.begin());
        time(out, tag::END, self.end);
        text(out, "http.request.method", [self.method]);
        number(out, "http.response.status_code", status.as_u16().into());
        out.extend_from_slice(&same.server.attributes);
        number(out, "http.request.body.size", report.body_bytes);
        text(out, "labelrelay.outcome", [report.outcome.as_str()]);
        if let Some(source) = source {
            text(out, "http.route", ["/", source]);
            text(out, "labelrelay.source", [source]);
        }
        text_if(out, "labelrelay.reason", self.reason);
        if let Some(address) = report.client {
            scratch.clear();
            // Writing into memory does not fail.
            let _ = write!(scratch, "{address}");
            text(out, "client.address", [scratch]);
        }
        let error = self.error();
        text_if(out, "error.type", error);
        self.status(out, error);
    }

    fn producer(&self, out: &mut Vec<u8>, same: &Same) {
        let report = self.report;
        let begin = self.begin();
        let start = begin.saturating_add(nanoseconds(report.queue_began.unwrap_or_default()));
        let start = start.min(self.end);
        let took = report
            .queue_elapsed
            .map_or(self.end.saturating_sub(start), nanoseconds);
        bytes(out, tag::TRACE_ID, &self.ids.trace);
        bytes(out, tag::SPAN_ID, &self.ids.producer);
        bytes(out, tag::PARENT_SPAN_ID, &self.ids.server);
        out.extend_from_slice(&same.producer.head);
        time(out, tag::START, start);
        time(out, tag::END, start.saturating_add(took).min(self.end));
        out.extend_from_slice(&same.producer.attributes);
        let id = report.event_id.as_deref();
        text_if(out, "messaging.message.id", id);
        text_if(out, "cloudevents.event_id", id);
        if let Some(source) = report.source.as_deref() {
            text(out, "cloudevents.event_source", ["/", source]);
        }
        text_if(out, "cloudevents.event_type", report.event_type.as_deref());
        text_if(out, "cloudevents.event_subject", report.subject.as_deref());
        // What waits in the fallback is not on the queue yet.
        let error = if report.fell_back {
            Some("fell_back")
        } else {
            let is_error = report.outcome.status().is_server_error();
            is_error.then(|| report.outcome.as_str())
        };
        text_if(out, "error.type", error);
        self.status(out, error);
    }
}

/// A method as the conventions write it: strangers choose the others.
fn known(method: &http::Method) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ];
    let known = KNOWN.into_iter().find(|known| *known == method.as_str());
    known.unwrap_or("_OTHER")
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::Destination;
    use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Span};
    use prost::Message as _;

    fn spans(report: &Report) -> Vec<Span> {
        let ids = Ids {
            trace: [1; 16],
            parent: None,
            server: [1; 8],
            producer: [2; 8],
        };
        let finished = Finished::new(ids, 1, &http::Method::POST, report);
        let same = Same::of(&Destination::of_url("sqlite:queue.db"));
        let mut out = Vec::new();
        finished.write(&mut out, &mut String::new(), &same);
        let read = ScopeSpans::decode(&*out).unwrap();
        assert_eq!(read.encode_to_vec(), out, "as others would write it");
        assert_eq!(read.spans.len() as u64, finished.count());
        read.spans
    }

    #[test]
    fn no_more_of_a_reason_waits_than_is_told() {
        for (length, told) in [
            (0, 0),
            (1, 1),
            (MOST_REASON_CHARACTERS, MOST_REASON_CHARACTERS),
            (10_000, MOST_REASON_CHARACTERS),
        ] {
            let mut report = Report::refused(Outcome::Unavailable, "é".repeat(length), None);
            report.fell_back = true;
            let spans = spans(&report);
            assert_eq!(spans.len(), 2);
            for span in spans {
                let status = span.status.unwrap();
                assert_eq!(status.message, "é".repeat(told));
            }
        }
    }

    #[test]
    fn what_is_written_is_what_others_would_write() {
        let mut report = Report::refused(Outcome::Bug, "why".to_owned(), None);
        let texts = ["labelbox", "event", "a.type", "label/1"];
        let [source, id, event_type, subject] = texts.map(|text| Some(text.to_owned()));
        report.source = source;
        report.event_id = id;
        report.event_type = event_type;
        report.subject = subject;
        report.queue_began = Some(Duration::from_secs(1));
        report.body_bytes = u64::MAX;
        for client in ["192.0.2.255", "2001:db8::1", "::ffff:192.0.2.1"] {
            report.client = Some(client.parse().unwrap());
            let spans = spans(&report);
            let all = format!("{spans:?}");
            assert!(all.contains(client), "{all}");
            let counts: Vec<_> = spans.iter().map(|span| span.attributes.len()).collect();
            assert_eq!(counts, [10, 10]);
        }
    }
}
