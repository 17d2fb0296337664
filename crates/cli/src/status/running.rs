//! Asks the `serve` that runs here whether a delivery would be durable now, and what it refused. It alone owns the
//! queue's file, so nobody else can try a write.

use super::report::Refused;
use crate::serve::public_base;
use bytes::Bytes;
use http::Request;
use labelrelay_core::Outcome;
use labelrelay_core::config::Config;
use std::net::SocketAddr;
use std::time::Duration;

/// Time for the answer. `serve` keeps it for a second, and asks a cloud for it otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// Words about what is wrong with it.
pub(super) async fn fault(address: SocketAddr) -> Option<String> {
    let url = format!("{}/-/ready", public_base(None, address));
    let request = Request::get(&url).body(Bytes::new()).ok()?;
    let problem = match tokio::time::timeout(PATIENCE, labelrelay_http_client::send(request)).await
    {
        Ok(Ok(answer)) if answer.status == 200 => return None,
        Ok(Ok(answer)) => format!("answers {}", answer.status),
        Ok(Err(error)) => format!("does not answer: {error}"),
        Err(_) => format!("does not answer within {} s", PATIENCE.as_secs()),
    };
    Some(format!(
        "`serve` takes no delivery: {url} {problem}; its log says why"
    ))
}

/// Its metrics; `None` where they cannot be read.
pub(super) async fn metrics(admin: SocketAddr) -> Option<String> {
    let url = format!("http://{admin}/metrics");
    let request = Request::get(&url).body(Bytes::new()).ok()?;
    match tokio::time::timeout(PATIENCE, labelrelay_http_client::send(request)).await {
        Ok(Ok(answer)) if answer.status == 200 => {
            Some(String::from_utf8_lossy(&answer.body).into_owned())
        }
        _ => None,
    }
}

/// Says whether it records deliveries; `None` where its metrics do not say.
pub(super) fn records(metrics: &str) -> Option<bool> {
    let mut lines = metrics.lines();
    let value = lines.find_map(|line| line.strip_prefix("labelrelay_record_failing "))?;
    Some(value.trim() == "0")
}

/// Requests to the sources of `config` that it refused since it began.
pub(super) fn refused(metrics: &str, config: &Config) -> Vec<Refused> {
    let is_ours = |refused: &Refused| {
        let mut sources = config.sources.iter();
        sources.any(|source| source.name == refused.source)
    };
    let mut all: Vec<_> = metrics
        .lines()
        .filter_map(refusal)
        .filter(is_ours)
        .collect();
    all.sort_by(|one, other| (&one.source, &one.outcome).cmp(&(&other.source, &other.outcome)));
    all
}

/// Outcomes that refuse no delivery. No platform makes a malformed request: `connect` does, to see whether the header
/// arrives.
const GOOD: [Outcome; 5] = [
    Outcome::Accepted,
    Outcome::Repeat,
    Outcome::Filtered,
    Outcome::Replied,
    Outcome::Malformed,
];

/// A count of refused requests, in a line of the metrics.
fn refusal(line: &str) -> Option<Refused> {
    let rest = line.strip_prefix("labelrelay_requests_total{source=\"")?;
    let (source, rest) = rest.split_once("\",outcome=\"")?;
    let (outcome, count) = rest.split_once("\"} ")?;
    let requests = count.trim().parse().ok()?;
    let is_good = GOOD.iter().any(|good| good.as_str() == outcome);
    (!is_good && requests > 0).then(|| Refused {
        source: source.to_owned(),
        outcome: outcome.to_owned(),
        requests,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_metrics_say_whether_it_records() {
        let text = "# TYPE labelrelay_record_failing gauge\nlabelrelay_record_failing ";
        assert_eq!(records(&format!("{text}0\n")), Some(true));
        assert_eq!(records(&format!("{text}1\n")), Some(false));
        assert_eq!(records("labelrelay_late_total{source=\"ls\"} 1\n"), None);
    }

    #[test]
    fn refusals_are_counted_and_nothing_else() {
        let count = |outcome: &str| {
            let line =
                format!("labelrelay_requests_total{{source=\"ls\",outcome=\"{outcome}\"}} 3");
            refusal(&line).map(|refused| refused.requests)
        };
        assert_eq!(count("unauthorized"), Some(3));
        assert_eq!(count("unavailable"), Some(3));
        for good in ["accepted", "repeat", "filtered", "replied", "malformed"] {
            assert_eq!(count(good), None, "{good}");
        }
        for line in [
            "# TYPE labelrelay_requests counter",
            "labelrelay_late_total{source=\"ls\"} 1",
            "labelrelay_requests_total{source=\"ls\",outcome=\"unauthorized\"} 0",
        ] {
            assert_eq!(refusal(line), None, "{line}");
        }
    }
}
