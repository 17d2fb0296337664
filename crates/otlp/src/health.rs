//! Whether the collector takes a signal: spans, or metrics. Each change is logged once. Some collectors take the one and
//! not the other.

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The collector has it.
    Taken,
    /// The collector does not want it, now or later.
    Refused(String),
    /// It may be sent again.
    Failed(String),
}

impl Sent {
    /// By the answer's status, as OTLP has it.
    pub(crate) fn answered(answer: Result<u16, String>) -> Self {
        match answer {
            Ok(200..=299) => Self::Taken,
            Ok(status @ (429 | 502 | 503 | 504)) => Self::Failed(answer_of(status)),
            Ok(status) => Self::Refused(answer_of(status)),
            Err(why) => Self::Failed(why),
        }
    }
}

fn answer_of(status: u16) -> String {
    format!("the collector answered {status}")
}

#[derive(Debug)]
pub(crate) struct Health {
    signal: &'static str,
    /// Failures in a row of what may be sent again.
    pub(crate) failures: u32,
    is_ill: bool,
}

impl Health {
    pub(crate) const fn of(signal: &'static str) -> Self {
        Self {
            signal,
            failures: 0,
            is_ill: false,
        }
    }

    pub(crate) fn note(&mut self, sent: &Sent) {
        let signal = self.signal;
        self.failures = match sent {
            Sent::Failed(_) => self.failures.saturating_add(1),
            Sent::Taken | Sent::Refused(_) => 0,
        };
        match sent {
            Sent::Taken if self.is_ill => {
                tracing::info!(name: "telemetry_works", signal, "the collector works again");
                self.is_ill = false;
            }
            Sent::Refused(reason) | Sent::Failed(reason) if !self.is_ill => {
                tracing::warn!(name: "telemetry_failed", signal, reason = reason.as_str(), "the collector does not take what it is sent; deliveries go on, and spans that find no room are dropped");
                self.is_ill = true;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_sent_again_is_told_from_what_may_not() {
        let sent = |status| Sent::answered(Ok(status));
        assert_eq!(sent(200), Sent::Taken);
        assert_eq!(sent(202), Sent::Taken);
        for status in [429, 502, 503, 504] {
            assert!(matches!(sent(status), Sent::Failed(_)), "{status}");
        }
        for status in [301, 400, 401, 404, 413, 500] {
            assert!(matches!(sent(status), Sent::Refused(_)), "{status}");
        }
        assert!(matches!(
            Sent::answered(Err("gone".into())),
            Sent::Failed(_)
        ));
    }

    #[test]
    fn failures_in_a_row_are_counted() {
        let mut health = Health::of("spans");
        for (status, failures) in [(503, 1), (503, 2), (500, 0), (503, 1), (200, 0)] {
            health.note(&Sent::answered(Ok(status)));
            assert_eq!(health.failures, failures, "{status}");
        }
    }
}
