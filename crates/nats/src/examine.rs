//! The start check: whether the stream takes what we send, and keeps what it has taken. It makes nothing.

use crate::answers::{StreamConfig, StreamInfo, covers, read};
use crate::failure::Failure;
use crate::lease;
use crate::location::{Durability, QueueUrl};
use crate::monitor::{self, Varz};
use crate::queue::NatsQueue;
use crate::server::LIMIT;
use bytes::Bytes;
use labelrelay_core::QueueErrorKind::{Late, Misconfigured, Unavailable};
use labelrelay_core::clock::within;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// Servers of a stream that is called replicated: of fewer, none may fail.
const REPLICAS: u32 = 3;

const NANOSECONDS: u64 = 1_000_000_000;

impl NatsQueue {
    /// Fails with what keeps events from being sent, or from being kept.
    pub(crate) async fn examine(&self) -> Result<(), Failure> {
        let url = &self.servers.url;
        let subject = format!("$JS.API.STREAM.INFO.{}", url.stream);
        let answer = self.servers.ask(&subject, None, Bytes::new()).await?;
        let info = read::<StreamInfo>(&answer.payload);
        let info = info.map_err(|failure| {
            if failure.is_absent && failure.fault.kind == Misconfigured {
                absent(url)
            } else {
                failure
            }
        })?;
        let most = u64::try_from(info.config.max_msg_size).unwrap_or(u64::MAX);
        self.max_message.store(most, Ordering::Relaxed);
        judge(&info.config, url)?;
        if info.config.storage != "memory" {
            self.prove_durability(&info).await?;
        }
        if let Some(bucket) = &url.leases {
            lease::age(&self.servers, bucket).await?;
        }
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            warn(&info.config, &url.shown);
        }
        Ok(())
    }

    /// Finds out whether an event that was acknowledged survives a loss of power. No client sees that: a server that
    /// syncs every two minutes, which is how it comes, acknowledges as one does that syncs each time.
    async fn prove_durability(&self, info: &StreamInfo) -> Result<(), Failure> {
        let url = &self.servers.url;
        let replicas = info.config.num_replicas;
        let said = match (&url.monitor, url.durability) {
            (Some(host), _) => {
                let Err(failure) = self.ask_monitor(host, info).await else {
                    return Ok(());
                };
                if url.durability != Some(Durability::Replicated)
                    || failure.fault.kind != Misconfigured
                {
                    return Err(failure);
                }
                Durability::Replicated
            }
            (None, Some(said)) => said,
            (None, None) => {
                let problem = "nothing says that the server syncs an event before it acknowledges it: as it comes, it does so every two minutes, and a loss of power takes what it acknowledged meanwhile";
                let cure = "set `sync_interval: always` in the server's `jetstream` section and write ?monitor=http://HOST:8222, or state ?durability=sync_always; for a stream with three replicas on servers that do not lose power together, ?durability=replicated";
                return Err(misconfigured(problem, cure));
            }
        };
        if said == Durability::Replicated && replicas < REPLICAS {
            let problem = format!(
                "durability=replicated is stated, and the stream has {replicas} of {REPLICAS} replicas"
            );
            let cure = format!("nats stream edit {} --replicas={REPLICAS}", url.stream);
            return Err(misconfigured(problem, cure));
        }
        Ok(())
    }

    async fn ask_monitor(&self, host: &str, info: &StreamInfo) -> Result<(), Failure> {
        // It is the server's setting, which takes a restart to change: then it has another id.
        let server = self.servers.server_id().await?;
        if self.proven().as_deref() == Some(&*server) {
            return Ok(());
        }
        let is_replicated = info.config.num_replicas > 1;
        let asked = within(&*self.servers.clock, LIMIT, monitor::ask(host)).await;
        // The others go on without the one that was asked.
        if is_replicated && self.proven().is_some() && !matches!(asked, Ok(Ok(_))) {
            return Ok(());
        }
        let cure = "look at the address in ?monitor=, and at http: in the server's configuration";
        let varz = match asked {
            Ok(Ok(varz)) => varz,
            Ok(Err(problem)) => {
                let problem = format!("the monitoring port {host} cannot be asked: {problem}");
                return Err(Failure::new(Unavailable, problem, cure).answered());
            }
            Err(_) => {
                let problem = format!(
                    "the monitoring port {host} did not answer within {} ms",
                    LIMIT.as_millis()
                );
                return Err(Failure::new(Late, problem, cure).answered());
            }
        };
        is_it(&varz, &server, info, host)?;
        match varz.syncs_always() {
            Some(true) => {
                // Another server than that of the connection can restart unseen. If it has the stream alone, it is
                // asked each time.
                if varz.server_id == server || is_replicated {
                    *self.proven.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
                }
                Ok(())
            }
            Some(false) => {
                let problem = format!(
                    "its server {} acknowledges an event before it is on the disk, which it syncs every {} s: a loss of power takes what it acknowledged meanwhile",
                    varz.server_name,
                    varz.sync_interval_s()
                );
                let cure = "set `sync_interval: always` in the server's `jetstream` section; or give the stream three replicas on servers that do not lose power together, and write ?durability=replicated";
                Err(misconfigured(problem, cure))
            }
            None => {
                let problem = format!("the server {} has no JetStream", varz.server_name);
                Err(misconfigured(
                    problem,
                    "name the monitoring port of the stream's server",
                ))
            }
        }
    }

    fn proven(&self) -> Option<String> {
        let proven = self.proven.lock();
        proven.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Tells what works, and should not stay so.
fn warn(config: &StreamConfig, queue: &str) {
    if config.storage == "memory" {
        tracing::warn!(name: "stream_in_memory", queue, "the stream is in memory, as storage=memory allows: events that were accepted are lost when its servers stop");
    }
    if config.max_age > 0 {
        let seconds = config.max_age / NANOSECONDS;
        tracing::warn!(name: "events_expire", queue, seconds, "the stream forgets events after this time, whether they were consumed or not; `nats stream edit STREAM --max-age=0` keeps them");
    }
}

fn misconfigured(problem: impl Into<String>, cure: impl Into<String>) -> Failure {
    Failure::new(Misconfigured, problem, cure).answered()
}

/// Tells whether the monitoring port is of the server that has the stream. Of several servers with a replica each, we
/// trust that one is set up as another.
fn is_it(varz: &Varz, server: &str, info: &StreamInfo, host: &str) -> Result<(), Failure> {
    let leader = &info.cluster.leader;
    let is_it = if leader.is_empty() {
        varz.server_id == server
    } else {
        varz.server_name == *leader
    };
    if is_it || info.config.num_replicas > 1 {
        return Ok(());
    }
    let problem = format!(
        "the monitoring port {host} is of the server {}, and the stream is on {leader}",
        varz.server_name
    );
    let cure = "name the monitoring port of that server in ?monitor=";
    Err(misconfigured(problem, cure))
}

/// The command that makes a stream as it should be.
pub(crate) fn to_make(stream: &str, subject: &str, retention: &str, window_s: u64) -> String {
    format!(
        "nats stream add {stream} --subjects={subject} --storage=file --retention={retention} --discard=new --dupe-window={window_s}s --replicas=1 --defaults"
    )
}

fn absent(url: &QueueUrl) -> Failure {
    let window = url.repeat_window.as_secs();
    let problem = format!("there is no stream {}", url.stream);
    misconfigured(problem, to_make(&url.stream, &url.subject, "work", window))
}

/// Whether a stream takes our events, and loses none of them by its settings.
fn judge(config: &StreamConfig, url: &QueueUrl) -> Result<(), Failure> {
    let edit = |flag: &str| format!("nats stream edit {} {flag}", url.stream);
    if !config
        .subjects
        .iter()
        .any(|pattern| covers(pattern, &url.subject))
    {
        let problem = format!(
            "the stream has the subjects {}, and not {}",
            config.subjects.join(", "),
            url.subject
        );
        return Err(misconfigured(
            problem,
            edit(&format!("--subjects={}", url.subject)),
        ));
    }
    if config.mirror.is_some() || config.sealed {
        let problem = "the stream takes no messages: it is a mirror, or sealed";
        return Err(misconfigured(problem, "name another stream"));
    }
    if config.subject_transform.is_some() {
        let problem = "the stream gives events another subject, under which nobody looks for them";
        let cure = "make one without a transform of subjects";
        return Err(misconfigured(problem, cure));
    }
    if config.no_ack {
        let problem = "the stream acknowledges nothing, so that nobody knows what it has";
        return Err(misconfigured(problem, edit("--ack")));
    }
    if config.storage != "file" && !url.allows_memory {
        let problem = "the stream is in memory, and its events are lost when its servers stop";
        let cure = format!(
            "make one on disks ({}), or allow it with ?storage=memory",
            to_make(
                &url.stream,
                &url.subject,
                "work",
                url.repeat_window.as_secs()
            )
        );
        return Err(misconfigured(problem, cure));
    }
    if config.persist_mode == "async" {
        let problem = "the stream acknowledges before it writes: its persist mode is async";
        return Err(misconfigured(
            problem,
            "make it again, with the default persist mode",
        ));
    }
    if config.discard != "new" {
        let problem = "the stream throws its oldest events away when it is full";
        return Err(misconfigured(problem, edit("--discard=new")));
    }
    if config.max_msgs_per_subject > 0 && !config.discard_new_per_subject {
        let problem = "the stream keeps some events of a subject only, and throws older ones away";
        return Err(misconfigured(problem, edit("--max-msgs-per-subject=-1")));
    }
    if config.retention == "interest" {
        let problem = "the stream keeps events for consumers that are there, and drops what comes while there is none";
        let cure = to_make(
            &url.stream,
            &url.subject,
            "work",
            url.repeat_window.as_secs(),
        );
        return Err(misconfigured(problem, format!("make it anew: {cure}")));
    }
    let window = config.duplicate_window / NANOSECONDS;
    let ours = url.repeat_window.as_secs();
    if window < ours {
        let problem =
            format!("the stream recognises a repeat for {window} s, and not for {ours} s");
        let cure = format!(
            "{}, or ask for less with ?repeat_window_s={}",
            edit(&format!("--dupe-window={ours}s")),
            window.max(1)
        );
        return Err(misconfigured(problem, cure));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    type Change = Box<dyn FnOnce(&mut StreamConfig)>;

    fn judged(url: &str, change: impl FnOnce(&mut StreamConfig)) -> Result<(), String> {
        let url = QueueUrl::parse(url, Path::new("")).unwrap();
        let mut config = StreamConfig {
            subjects: vec!["labels.>".to_owned()],
            retention: "workqueue".to_owned(),
            storage: "file".to_owned(),
            discard: "new".to_owned(),
            duplicate_window: 300 * NANOSECONDS,
            ..StreamConfig::default()
        };
        change(&mut config);
        judge(&config, &url).map_err(|failure| failure.fault.of_queue("").to_string())
    }

    #[test]
    fn a_stream_that_would_lose_events_is_refused() {
        const URL: &str = "nats://n/EVENTS/labels.all";
        assert_eq!(judged(URL, |_| {}), Ok(()));
        let memory = |config: &mut StreamConfig| config.storage = "memory".to_owned();
        assert_eq!(judged(&format!("{URL}?storage=memory"), memory), Ok(()));
        let short = |config: &mut StreamConfig| config.duplicate_window = 120 * NANOSECONDS;
        assert_eq!(judged(&format!("{URL}?repeat_window_s=120"), short), Ok(()));
        let cases: [(Change, &str); 10] = [
            (Box::new(memory), "storage=memory"),
            (Box::new(short), "--dupe-window=300s"),
            (
                Box::new(|c| c.subjects = vec!["x".to_owned()]),
                "--subjects=labels.all",
            ),
            (Box::new(|c| c.discard = "old".to_owned()), "--discard=new"),
            (
                Box::new(|c| c.max_msgs_per_subject = 1),
                "--max-msgs-per-subject=-1",
            ),
            (Box::new(|c| c.retention = "interest".to_owned()), "drops"),
            (Box::new(|c| c.no_ack = true), "acknowledges nothing"),
            (Box::new(|c| c.sealed = true), "sealed"),
            (
                Box::new(|c| c.subject_transform = Some(serde::de::IgnoredAny)),
                "another subject",
            ),
            (
                Box::new(|c| c.persist_mode = "async".to_owned()),
                "before it writes",
            ),
        ];
        for (change, word) in cases {
            let error = judged(URL, change).unwrap_err();
            assert!(error.contains(word), "{word}: {error}");
        }
    }
}
