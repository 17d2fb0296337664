//! A request that has its answer, and its spans: one of the HTTP server, and one of the producer that sent the event.

use crate::destination::Destination;
use crate::key_value::{number, push, text};
use labelrelay_core::{Outcome, Report};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
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
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    ids: Ids,
    /// Time of the end, in nanoseconds of Unix.
    end: u64,
    method: &'static str,
    report: Report,
}

impl Finished {
    pub(crate) fn new(ids: Ids, end: u64, method: &http::Method, report: &Report) -> Self {
        let mut report = report.clone();
        let reason = report.reason.as_deref();
        report.reason = reason.map(|reason| reason.chars().take(MOST_REASON_CHARACTERS).collect());
        // No span tells of these.
        report.credential_headers = Vec::new();
        report.secrets_tried = Vec::new();
        Self {
            ids,
            end,
            method: known(method),
            report,
        }
    }

    /// Number of its spans.
    pub(crate) fn count(&self) -> u64 {
        1 + u64::from(self.is_sent())
    }

    /// Tells whether it became an event that was handed to somebody.
    fn is_sent(&self) -> bool {
        let report = &self.report;
        report.fell_back || (report.event_id.is_some() && report.queue_began.is_some())
    }

    /// Its spans.
    pub(crate) fn spans(&self, destination: &Destination) -> impl Iterator<Item = Span> {
        let producer = self.is_sent().then(|| self.producer(destination));
        std::iter::once(self.server()).chain(producer)
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

    fn status(&self, error: Option<&str>) -> Option<Status> {
        error?;
        Some(Status {
            message: self.report.reason.clone().unwrap_or_default(),
            code: StatusCode::Error.into(),
        })
    }

    fn server(&self) -> Span {
        let report = &self.report;
        let route = report.source.as_ref().map(|source| format!("/{source}"));
        // A late event may be on the queue by now, but its sender was told to try again.
        let status = if report.late {
            Outcome::Unavailable.status()
        } else {
            report.outcome.status()
        };
        let mut attributes = vec![
            text("http.request.method", self.method),
            number("http.response.status_code", status.as_u16().into()),
            text("url.scheme", "http"),
            number("http.request.body.size", signed(report.body_bytes)),
            text("labelrelay.outcome", report.outcome.as_str()),
        ];
        push(&mut attributes, "http.route", route.clone());
        push(&mut attributes, "labelrelay.source", report.source.clone());
        push(&mut attributes, "labelrelay.reason", report.reason.clone());
        let client = report.client.map(|address| address.to_string());
        push(&mut attributes, "client.address", client);
        let error = self.error();
        push(&mut attributes, "error.type", error.map(str::to_owned));
        Span {
            trace_id: self.ids.trace.to_vec(),
            span_id: self.ids.server.to_vec(),
            parent_span_id: self.ids.parent.map(|id| id.to_vec()).unwrap_or_default(),
            name: match route {
                Some(route) => format!("{} {route}", self.method),
                None => self.method.to_owned(),
            },
            kind: SpanKind::Server.into(),
            start_time_unix_nano: self.end.saturating_sub(nanoseconds(report.elapsed)),
            end_time_unix_nano: self.end,
            attributes,
            status: self.status(error),
            ..Span::default()
        }
    }

    fn producer(&self, destination: &Destination) -> Span {
        let report = &self.report;
        let begin = self.end.saturating_sub(nanoseconds(report.elapsed));
        let start = begin.saturating_add(nanoseconds(report.queue_began.unwrap_or_default()));
        let start = start.min(self.end);
        let took = report
            .queue_elapsed
            .map_or(self.end.saturating_sub(start), nanoseconds);
        let mut attributes = vec![
            text("messaging.system", destination.system),
            text("messaging.destination.name", destination.name.as_str()),
            text("messaging.operation.name", "send"),
            text("messaging.operation.type", "send"),
        ];
        push(
            &mut attributes,
            "messaging.message.id",
            report.event_id.clone(),
        );
        push(
            &mut attributes,
            "cloudevents.event_id",
            report.event_id.clone(),
        );
        let source = report.source.as_ref().map(|source| format!("/{source}"));
        push(&mut attributes, "cloudevents.event_source", source);
        push(
            &mut attributes,
            "cloudevents.event_type",
            report.event_type.clone(),
        );
        push(
            &mut attributes,
            "cloudevents.event_subject",
            report.subject.clone(),
        );
        // What waits in the fallback is not on the queue yet.
        let error = if report.fell_back {
            Some("fell_back")
        } else {
            let is_error = report.outcome.status().is_server_error();
            is_error.then(|| report.outcome.as_str())
        };
        push(&mut attributes, "error.type", error.map(str::to_owned));
        Span {
            trace_id: self.ids.trace.to_vec(),
            span_id: self.ids.producer.to_vec(),
            parent_span_id: self.ids.server.to_vec(),
            name: format!("send {}", destination.name),
            kind: SpanKind::Producer.into(),
            start_time_unix_nano: start,
            end_time_unix_nano: start.saturating_add(took).min(self.end),
            attributes,
            status: self.status(error),
            ..Span::default()
        }
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

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_of_a_reason_waits_than_is_told() {
        let ids = Ids {
            trace: [1; 16],
            parent: None,
            server: [1; 8],
            producer: [1; 8],
        };
        let report = Report::refused(Outcome::Unauthorized, "é".repeat(10_000), None);
        let finished = Finished::new(ids, 0, &http::Method::POST, &report);
        let reason = "é".repeat(MOST_REASON_CHARACTERS);
        assert_eq!(finished.report.reason, Some(reason));
    }
}
