//! The table, the targets, and the same figures as JSON.

use super::load;
use super::memory::Memory;
use super::plan::{CEILING, GUNICORN, GUNICORN_QUIET, RELAY};
use crate::Outcome;

/// One server under one load, once.
pub(crate) struct Measured {
    pub(crate) server: &'static str,
    pub(crate) body_bytes: usize,
    pub(crate) result: load::Result,
    pub(crate) memory: Memory,
}

/// All measurements of a run.
#[derive(Default)]
pub(crate) struct Report {
    /// Events that were in the queue at the start.
    pub(crate) prefill: u64,
    measured: Vec<Measured>,
}

/// One line of the table: medians over the rounds, the worst of memory and of errors.
struct Line {
    server: &'static str,
    body_bytes: usize,
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    peak_mib: f64,
    now_mib: f64,
    refused: u64,
    broken: u64,
    why: Option<String>,
}

/// Something that is to be reached.
struct Target {
    what: String,
    measured: f64,
    wanted: f64,
    met: bool,
}

impl Report {
    pub(crate) fn add(&mut self, measured: Measured) {
        self.measured.push(measured);
    }

    pub(crate) fn print(&self) {
        println!(
            "\n{} connections, every body, delivery id and signature distinct, {} events in the queue at the start; labelrelay keeps its record of deliveries",
            load::CONNECTIONS,
            self.prefill
        );
        println!(
            "{:<22}{:>8}{:>12}{:>10}{:>10}{:>11}{:>9}{:>10}{:>9}{:>8}",
            "server",
            "body",
            "requests/s",
            "p50 ms",
            "p99 ms",
            "peak MiB",
            "MiB",
            "/ceiling",
            "refused",
            "broken"
        );
        let lines = self.lines();
        for line in &lines {
            println!(
                "{:<22}{:>5} KB{:>12.0}{:>10.2}{:>10.2}{:>11.1}{:>9.1}{:>10.3}{:>9}{:>8}",
                line.server,
                line.body_bytes / 1024,
                line.per_second,
                line.p50_ms,
                line.p99_ms,
                line.peak_mib,
                line.now_mib,
                line.per_second / rate(&lines, CEILING, line.body_bytes),
                line.refused,
                line.broken
            );
        }
        for line in &lines {
            if let Some(why) = &line.why {
                println!(
                    "{}, {} KB: not accepted, for example: {why}",
                    line.server,
                    line.body_bytes / 1024
                );
            }
        }
        println!();
        for target in targets(&lines) {
            let verdict = if target.met { "met   " } else { "MISSED" };
            println!(
                "{verdict}  {}: {:.3} (to reach: {})",
                target.what, target.measured, target.wanted
            );
        }
    }

    pub(crate) fn json(&self) -> Outcome<String> {
        let lines = self.lines();
        let servers: Vec<_> = lines
            .iter()
            .map(|line| {
                serde_json::json!({
                    "server": line.server, "body_bytes": line.body_bytes, "requests_per_second": line.per_second,
                    "p50_ms": line.p50_ms, "p99_ms": line.p99_ms, "peak_rss_mib": line.peak_mib, "rss_mib": line.now_mib,
                    "refused": line.refused, "broken": line.broken,
                })
            })
            .collect();
        let targets: Vec<_> = targets(&lines)
            .into_iter()
            .map(|target| serde_json::json!({ "what": target.what, "measured": target.measured, "wanted": target.wanted, "met": target.met }))
            .collect();
        let all = serde_json::json!({ "connections": load::CONNECTIONS, "record": true, "prefill": self.prefill, "servers": servers, "targets": targets });
        Ok(serde_json::to_string_pretty(&all)?)
    }

    fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for first in &self.measured {
            if lines
                .iter()
                .any(|line| line.server == first.server && line.body_bytes == first.body_bytes)
            {
                continue;
            }
            let rounds: Vec<_> = self
                .measured
                .iter()
                .filter(|m| m.server == first.server && m.body_bytes == first.body_bytes)
                .collect();
            let over = |value: fn(&load::Result) -> f64| {
                median(rounds.iter().map(|m| value(&m.result)).collect())
            };
            lines.push(Line {
                server: first.server,
                body_bytes: first.body_bytes,
                per_second: over(load::Result::per_second),
                p50_ms: over(|result| result.latencies.percentile(50)),
                p99_ms: over(|result| result.latencies.percentile(99)),
                peak_mib: mib(rounds.iter().map(|m| m.memory.peak).max()),
                now_mib: mib(rounds.iter().map(|m| m.memory.now).max()),
                refused: rounds.iter().map(|m| m.result.refused).sum(),
                broken: rounds.iter().map(|m| m.result.broken).sum(),
                why: rounds.iter().find_map(|m| {
                    m.result.broken_by.clone().or(m
                        .result
                        .refused_with
                        .map(|status| format!("status {status}")))
                }),
            });
        }
        lines
    }
}

fn targets(lines: &[Line]) -> Vec<Target> {
    let relay = |size| rate(lines, RELAY, size);
    let at_least = |what: String, measured: f64, wanted: f64| Target {
        what,
        measured,
        wanted,
        met: measured >= wanted,
    };
    let below = |what: String, measured: f64, wanted: f64| Target {
        what,
        measured,
        wanted,
        met: measured < wanted,
    };
    let of_relay = |value: fn(&Line) -> f64, size: Option<usize>| {
        let mine = lines
            .iter()
            .filter(|line| line.server == RELAY && size.is_none_or(|size| line.body_bytes == size));
        mine.map(value).fold(f64::NAN, f64::max)
    };
    vec![
        at_least(
            format!("{RELAY} / {CEILING}, requests/s, 1 KB"),
            relay(1024) / rate(lines, CEILING, 1024),
            0.35,
        ),
        at_least(
            format!("{RELAY} / {CEILING}, requests/s, 100 KB"),
            relay(102_400) / rate(lines, CEILING, 102_400),
            0.15,
        ),
        below(
            format!("{RELAY}, p99 in ms, 1 KB"),
            of_relay(|line| line.p99_ms, Some(1024)),
            25.0,
        ),
        at_least(
            format!("{RELAY} / {GUNICORN}, requests/s, 1 KB"),
            relay(1024) / rate(lines, GUNICORN, 1024),
            10.0,
        ),
        at_least(
            format!("{RELAY} / gunicorn without the example's printing, requests/s, 1 KB"),
            relay(1024) / rate(lines, GUNICORN_QUIET, 1024),
            10.0,
        ),
        below(
            format!("{RELAY}, peak resident MiB under load"),
            of_relay(|line| line.peak_mib, None),
            64.0,
        ),
    ]
}

fn rate(lines: &[Line], server: &str, size: usize) -> f64 {
    lines
        .iter()
        .find(|line| line.server == server && line.body_bytes == size)
        .map_or(f64::NAN, |line| line.per_second)
}

/// The middle of `values`.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (Some(&high), 0) => values
            .get(middle - 1)
            .map_or(high, |low| f64::midpoint(*low, high)),
        (Some(&value), _) => value,
        (None, _) => f64::NAN,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "kilobytes of memory are far below 2^52"
)]
fn mib(kilobytes: Option<u64>) -> f64 {
    kilobytes.unwrap_or(0) as f64 / 1024.0
}
