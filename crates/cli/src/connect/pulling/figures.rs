//! What `serve` says of its pull from a source, in its metrics.

use crate::serve_address;
use bytes::Bytes;
use http::Request;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Time for the metrics of `serve`.
const METRICS_WITHIN: Duration = Duration::from_secs(5);

/// Tells whether the `serve` with the embedded queue `queue` does not pull from the source, though its configuration says
/// so now. `false` also where nobody can tell.
pub(in crate::connect) async fn is_not_pulling(queue: Option<&Path>, source: &str) -> bool {
    let serve = queue.and_then(serve_address::listening);
    let Some(admin) = serve.and_then(|serve| serve.admin) else {
        return false;
    };
    let metrics = metrics(admin).await;
    metrics.is_some_and(|metrics| Pull::read(&metrics, source).is_none())
}

/// The metrics of the `serve` that has them there.
async fn metrics(admin: SocketAddr) -> Option<String> {
    let request = Request::get(format!("http://{admin}/metrics"));
    let request = request.body(Bytes::new()).ok()?;
    let asking = tokio::time::timeout(METRICS_WITHIN, labelrelay_http_client::send(request));
    let answer = asking.await.ok()?.ok()?;
    (answer.status == 200).then(|| String::from_utf8_lossy(&answer.body).into_owned())
}

/// Figures of a pull, from the metrics of `serve`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pull {
    pub(super) runs: u64,
    pub(super) failures: u64,
    pub(super) events: u64,
}

impl Pull {
    /// Asks for them; `None` while `serve` does not pull from the source, or cannot be asked.
    pub(super) async fn of(admin: SocketAddr, source: &str) -> Option<Self> {
        Self::read(&metrics(admin).await?, source)
    }

    fn read(metrics: &str, source: &str) -> Option<Self> {
        let figure = |name: &str| -> Option<u64> {
            let begin = format!("labelrelay_pull_{name}_total{{source=\"{source}\"}} ");
            let mut lines = metrics.lines();
            let value = lines.find_map(|line| line.strip_prefix(&begin))?;
            value.trim().parse().ok()
        };
        Some(Self {
            runs: figure("runs")?,
            failures: figure("failures")?,
            events: figure("events")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_source() {
        let line = |name: &str, source: &str, value: u64| {
            format!("labelrelay_pull_{name}_total{{source=\"{source}\"}} {value}\n")
        };
        let of = |source: &str, runs: u64| {
            line("runs", source, runs) + &line("failures", source, 2) + &line("events", source, 3)
        };
        let metrics = of("a", 7) + &of("b", 1);
        let pull = Pull {
            runs: 1,
            failures: 2,
            events: 3,
        };
        assert_eq!(Pull::read(&metrics, "b"), Some(pull));
        assert_eq!(Pull::read(&metrics, "c"), None);
        assert_eq!(Pull::read("", "a"), None);
    }
}
