//! A line, as JSON.

use jiff::Timestamp;
use labelrelay_core::Report;
use labelrelay_core::observe::millis;
use labelrelay_event::Digest;
use serde_json::{Map, Value, json};
use tracing::level_filters::LevelFilter;

/// The namespace of all metrics.
const NAMESPACE: &str = "labelrelay";

/// A metric's value, with its unit.
pub(super) enum Metric {
    Count(u64),
    Milliseconds(f64),
}

pub(super) struct Line<'a> {
    at: Timestamp,
    pub(super) level: LevelFilter,
    event: &'a str,
    function: &'a str,
    pub(super) reason: Option<&'a str>,
    pub(super) report: Option<&'a Report>,
    pub(super) metrics: Vec<(&'static str, Metric)>,
}

impl<'a> Line<'a> {
    pub(super) fn new(
        at: Timestamp,
        level: LevelFilter,
        event: &'a str,
        function: &'a str,
    ) -> Self {
        Self {
            at,
            level,
            event,
            function,
            reason: None,
            report: None,
            metrics: Vec::new(),
        }
    }

    /// The line, with its line break.
    pub(super) fn json(&self, with_details: bool) -> Vec<u8> {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                members.insert(name.to_owned(), value);
            }
        };
        put("timestamp", crate::log::timestamp(self.at).into());
        put("level", self.level.to_string().to_uppercase().into());
        put("event", self.event.into());
        put("requestId", crate::log::request_id().into());
        if with_details {
            put("reason", self.reason.into());
            if let Some(report) = self.report {
                details(report, &mut put);
            }
        }
        if !self.metrics.is_empty() {
            self.put_metrics(&mut put);
        }
        written(&members)
    }

    /// The metrics alone, with a line break: a fifth of a line with its details.
    pub(super) fn metrics_alone(&self) -> Vec<u8> {
        let mut members = Map::new();
        self.put_metrics(&mut |name: &str, value: Value| {
            members.insert(name.to_owned(), value);
        });
        written(&members)
    }

    fn put_metrics(&self, put: &mut impl FnMut(&str, Value)) {
        put("FunctionName", self.function.into());
        put("_aws", self.directive());
        for (name, metric) in &self.metrics {
            match metric {
                Metric::Count(count) => put(name, (*count).into()),
                Metric::Milliseconds(millis) => put(name, (*millis).into()),
            }
        }
    }

    /// Tells `CloudWatch` which members are metrics.
    fn directive(&self) -> Value {
        let unit = |metric: &Metric| match metric {
            Metric::Count(_) => "Count",
            Metric::Milliseconds(_) => "Milliseconds",
        };
        let metrics: Vec<_> = self
            .metrics
            .iter()
            .map(|(name, metric)| json!({ "Name": name, "Unit": unit(metric) }))
            .collect();
        json!({
            "Timestamp": self.at.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["FunctionName"]],
                "Metrics": metrics,
            }],
        })
    }
}

fn written(members: &Map<String, Value>) -> Vec<u8> {
    let mut line = serde_json::to_vec(members).unwrap_or_default();
    line.push(b'\n');
    line
}

fn details(report: &Report, put: &mut impl FnMut(&str, Value)) {
    put("outcome", report.outcome.as_str().into());
    put("source", report.source.as_deref().into());
    put("id", report.event_id.as_deref().into());
    put("type", report.event_type.as_deref().into());
    put("delivery_id", report.delivery_id.as_deref().into());
    put("body_bytes", report.body_bytes.into());
    put("verified_by", report.verified_by.as_deref().into());
    put("elapsed_ms", millis(report.elapsed).into());
    put("queue_ms", report.queue_elapsed.map(millis).into());
    put("late", report.late.then_some(true).into());
    if !report.outcome.status().is_success() {
        put("data_sha256", report.digest.map(Digest::to_hex).into());
        put("no_digest", report.no_digest().into());
        let claimed = report.claimed_bytes.filter(|_| report.digest.is_none());
        put("claimed_bytes", claimed.into());
        put("client", report.client.map(|ip| ip.to_string()).into());
        put("credential_headers", list(&report.credential_headers));
        put("secrets_tried", list(&report.secrets_tried));
    }
}

fn list(items: &[String]) -> Value {
    if items.is_empty() {
        Value::Null
    } else {
        items.join(", ").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_core::Outcome;

    #[test]
    fn a_delivery_that_came_to_its_end_too_late_says_so() {
        let mut report = Report::refused(Outcome::Unavailable, "why".to_owned(), None);
        report.event_id = Some("9f86d081".to_owned());
        for is_late in [false, true] {
            report.late = is_late;
            let mut line = Line::new(Timestamp::UNIX_EPOCH, LevelFilter::ERROR, "e", "f");
            line.report = Some(&report);
            let line: Value = serde_json::from_slice(&line.json(true)).unwrap();
            assert_eq!(line["id"], "9f86d081");
            assert_eq!(line.get("late").is_some(), is_late, "{line}");
        }
    }
}
