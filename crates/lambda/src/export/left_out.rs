//! A build without it.

use labelrelay_core::config::{Lookup, TELEMETRY_LEFT_OUT, telemetry_asked_by};
use labelrelay_core::{Clock, Observer};
use lambda_http::lambda_runtime::Runtime;
use std::sync::Arc;

/// Nothing is exported.
pub struct Export;

impl Export {
    /// Hands `log` back. Says in the log if a variable asks for it in vain.
    pub fn of(
        _: Option<&str>,
        lookup: Lookup<'_>,
        _: &Arc<dyn Clock>,
        log: Arc<dyn Observer>,
    ) -> (Self, Arc<dyn Observer>) {
        for name in telemetry_asked_by(lookup) {
            tracing::warn!(name: "telemetry_left_out", variable = name, "{TELEMETRY_LEFT_OUT}");
        }
        (Self, log)
    }

    /// Hands `runtime` back.
    pub fn after_answers<S>(&self, runtime: Runtime<S>) -> Runtime<S> {
        let Self = self;
        runtime
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FunctionClock;
    use crate::log::format;
    use labelrelay_core::NoObserver;
    use labelrelay_core::config::Environment;
    use labelrelay_startup::log::{Sink, subscriber};
    use std::sync::Mutex;
    use tracing::level_filters::LevelFilter;

    /// What a start with these variables logs.
    fn logged(variables: &[(&str, &str)]) -> String {
        let environment: Environment = variables.iter().copied().collect();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let sink: Sink = Arc::new(move |line: &[u8]| kept.lock().unwrap().extend_from_slice(line));
        let subscriber = subscriber(LevelFilter::INFO, LevelFilter::WARN, format, sink);
        let clock: Arc<dyn Clock> = Arc::new(FunctionClock::default());
        tracing::subscriber::with_default(subscriber, || {
            Export::of(None, &environment, &clock, Arc::new(NoObserver));
        });
        let lines = lines.lock().unwrap();
        String::from_utf8(lines.clone()).unwrap()
    }

    /// Somebody who named a collector would wait for spans that never come.
    #[test]
    fn who_names_a_collector_in_vain_is_told_how_to_have_it() {
        assert_eq!(logged(&[]), "");
        let told = logged(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")]);
        for words in [
            "telemetry_left_out",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "--features otlp",
        ] {
            assert!(told.contains(words), "{told}");
        }
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}
