//! Metrics of `pull`: those of the admin port that tell of pulling.

use crate::env::Env;
use crate::logging::{self, By, Format};
use crate::output::say;
use labelrelay_core::Clock;
use labelrelay_http::admin::Metrics;
use labelrelay_otlp::{Collector, Destination, Exporter, Exporting, Settings, Tracer};
use labelrelay_startup::OsEntropy;
use std::sync::Arc;

/// Beginnings of their names.
const OF_PULLING: [&str; 2] = ["labelrelay_pull_", "labelrelay_platform_"];

/// Metrics at work, if they are on.
pub(crate) struct PullMetrics(Option<Exporting>);

impl PullMetrics {
    /// Begins to send. Within a Tokio runtime.
    pub(crate) fn begin(metrics: &Arc<Metrics>, clock: &Arc<dyn Clock>, env: &Env<'_>) -> Self {
        let on = Settings::at_start_or(env.lookup(), &OsEntropy, |wrong| {
            say(format_args!("warning: {wrong}. No metrics are sent"));
        });
        let Some(mut settings) = on.filter(|settings| settings.metrics.is_some()) else {
            return Self(None);
        };
        // For what the exporter has to say: nothing else here logs. Without a log it works as well. By no thread, which
        // would take what the pull itself says, write it over the bar, and drop it where nobody reads.
        let _unheard = logging::start(Format::Human, false, By::TheSpeaker, env);
        // What it sends has no spans.
        settings.traces = None;
        let nowhere = Destination::of_url("");
        let entropy = Arc::new(OsEntropy);
        let tracer = Tracer::new(settings.sampler, nowhere, Arc::clone(clock), entropy);
        let metrics = Arc::clone(metrics);
        let exposition = move || of_pulling(&metrics.encode());
        let collector = Collector::default();
        let exporter = Exporter::new(settings, tracer, exposition, Arc::clone(clock), collector);
        Self(Some(exporter.begin()))
    }

    /// Sends the figures of the end. A collector that hangs keeps nobody for long.
    pub(crate) async fn end(self) {
        if let Some(exporting) = self.0 {
            exporting.end().await;
        }
    }
}

/// The part of a text of metrics that tells of pulling: nothing is delivered here.
fn of_pulling(all: &str) -> String {
    let mut part = String::new();
    for line in all.lines() {
        let comment = line.strip_prefix("# ");
        let name = comment.and_then(|comment| comment.split(' ').nth(1));
        let name = name.unwrap_or(line);
        if OF_PULLING.iter().any(|begin| name.starts_with(begin)) {
            part.push_str(line);
            part.push('\n');
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_tells_of_pulling_is_sent() {
        let metrics = Metrics::new();
        metrics.begin("studio");
        metrics.pull_began("studio");
        metrics.pull_succeeded("studio");
        let part = of_pulling(&metrics.encode());
        let of_what = |line: &str| !line.starts_with('#') && !line.starts_with("labelrelay_pull_");
        assert!(!part.lines().any(of_what), "{part}");
        for line in [
            "# TYPE labelrelay_pull_runs counter",
            "labelrelay_pull_runs_total{source=\"studio\"} 1",
            "labelrelay_pull_failures_total{source=\"studio\"} 0",
        ] {
            assert!(part.lines().any(|found| found == line), "{part}");
        }
    }
}
