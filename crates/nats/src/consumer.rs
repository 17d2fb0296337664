//! The durable consumer of a stream, from which everybody who consumes takes events.

use crate::answers::{ConsumerConfig, ConsumerInfo, covers, read};
use crate::failure::Failure;
use crate::location::QueueUrl;
use crate::server::Servers;
use bytes::Bytes;
use labelrelay_core::QueueErrorKind::Misconfigured;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Shortest time for which a consumer of ours hides what it handed out, unless it is told otherwise of an event.
const SHORTEST: Duration = Duration::from_secs(1);

/// Events that may be handed out at one time, to all who consume.
const HANDED_OUT: u32 = 10_000;

pub(crate) struct Consumer {
    servers: Arc<Servers>,
    /// For how long it hides what it hands out; `None` until it was looked at.
    ack_wait: Mutex<Option<Duration>>,
}

impl Consumer {
    pub(crate) fn new(servers: Arc<Servers>) -> Self {
        Self {
            servers,
            ack_wait: Mutex::default(),
        }
    }

    /// Time for which the consumer hides what it hands out. One that is not there is made, with this time.
    pub(crate) async fn ack_wait(&self, visibility: Duration) -> Result<Duration, Failure> {
        let mut known = self.ack_wait.lock().await;
        if let Some(known) = *known {
            return Ok(known);
        }
        let config = match self.look().await {
            Err(failure) if failure.is_absent && failure.fault.kind == Misconfigured => {
                match self.make(visibility).await {
                    Ok(config) => config,
                    // Somebody else may have made it meanwhile.
                    Err(failure) => self.look().await.map_err(|_| failure)?,
                }
            }
            looked => looked?,
        };
        judge(&config, &self.servers.url)?;
        let ack_wait = Duration::from_nanos(config.ack_wait);
        *known = Some(ack_wait);
        Ok(ack_wait)
    }

    /// Lets the next call look again: it may be gone.
    pub(crate) async fn forget(&self) {
        *self.ack_wait.lock().await = None;
    }

    async fn look(&self) -> Result<ConsumerConfig, Failure> {
        let url = &self.servers.url;
        let subject = format!("$JS.API.CONSUMER.INFO.{}.{}", url.stream, url.consumer);
        self.told(&subject, Bytes::new()).await
    }

    async fn make(&self, visibility: Duration) -> Result<ConsumerConfig, Failure> {
        let QueueUrl {
            stream,
            subject,
            consumer,
            ..
        } = &self.servers.url;
        let ack_wait = nanoseconds(visibility.max(SHORTEST));
        let request = json!({
            "stream_name": stream,
            "action": "create",
            "config": {
                "name": consumer,
                "durable_name": consumer,
                "description": "labelrelay",
                "deliver_policy": "all",
                "ack_policy": "explicit",
                "ack_wait": ack_wait,
                "max_deliver": -1,
                "max_ack_pending": HANDED_OUT,
                "filter_subject": subject,
            },
        });
        let to = format!("$JS.API.CONSUMER.CREATE.{stream}.{consumer}.{subject}");
        self.told(&to, request.to_string().into()).await
    }

    async fn told(&self, subject: &str, request: Bytes) -> Result<ConsumerConfig, Failure> {
        let answer = self.servers.ask(subject, None, request).await?;
        let info: ConsumerInfo = read(&answer.payload)?;
        Ok(info.config)
    }
}

/// A time as JetStream has it.
pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Whether a consumer hands out our events, and hands them out until they are acknowledged.
fn judge(config: &ConsumerConfig, url: &QueueUrl) -> Result<(), Failure> {
    let wrong = |problem: String, cure: &str| {
        let problem = format!("the consumer {} {problem}", url.consumer);
        let cure = format!(
            "{cure}, or name another one with ?consumer=NAME, which is made if it is not there"
        );
        Err(Failure::new(Misconfigured, problem, cure).answered())
    };
    let edit = |flag: &str| format!("nats consumer edit {} {} {flag}", url.stream, url.consumer);
    if !config.deliver_subject.is_empty() {
        return wrong(
            "pushes, and is not asked".to_owned(),
            "make a pull consumer",
        );
    }
    if config.ack_policy != "explicit" {
        let problem = "does not wait for each event's acknowledgement".to_owned();
        return wrong(problem, "make one with --ack=explicit");
    }
    if config.headers_only {
        let problem = "hands events out without what is in them".to_owned();
        return wrong(problem, &edit("--no-headers-only"));
    }
    if config.max_deliver > 0 {
        let problem = format!(
            "hands an event out {} times and then no more, and nobody hears of it",
            config.max_deliver
        );
        return wrong(problem, &edit("--max-deliver=-1"));
    }
    if !config.backoff.is_empty() {
        let problem = "hides events for times of its own (backoff)".to_owned();
        return wrong(problem, &edit("--backoff=none"));
    }
    let mut filters = config
        .filter_subjects
        .iter()
        .chain([&config.filter_subject]);
    let hands_all = config.filter_subject.is_empty() && config.filter_subjects.is_empty();
    let is_ours = |filter: &String| !filter.is_empty() && covers(filter, &url.subject);
    if !hands_all && !filters.any(is_ours) {
        let problem = format!("hands out no events of {}", url.subject);
        return wrong(problem, &edit(&format!("--filter={}", url.subject)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_consumer_that_would_give_events_up_is_refused() {
        let url = QueueUrl::parse("nats://n/EVENTS/labels", Path::new("")).unwrap();
        let judged = |text: &str| {
            let config: ConsumerConfig = serde_json::from_str(text).unwrap();
            judge(&config, &url).map_err(|failure| failure.fault.of_queue("").to_string())
        };
        let good = r#"{"ack_policy":"explicit","max_deliver":-1,"filter_subject":"labels"}"#;
        assert_eq!(judged(good), Ok(()));
        assert_eq!(
            judged(r#"{"ack_policy":"explicit","max_deliver":-1}"#),
            Ok(())
        );
        for (text, word) in [
            (
                r#"{"ack_policy":"explicit","deliver_subject":"x"}"#,
                "pushes",
            ),
            (r#"{"ack_policy":"none"}"#, "--ack=explicit"),
            (
                r#"{"ack_policy":"explicit","max_deliver":5}"#,
                "--max-deliver=-1",
            ),
            (r#"{"ack_policy":"explicit","backoff":[1]}"#, "backoff"),
            (
                r#"{"ack_policy":"explicit","headers_only":true}"#,
                "--no-headers-only",
            ),
            (
                r#"{"ack_policy":"explicit","filter_subject":"x"}"#,
                "--filter=labels",
            ),
        ] {
            let error = judged(text).unwrap_err();
            assert!(
                error.contains(word) && error.contains("?consumer="),
                "{error}"
            );
        }
    }
}
