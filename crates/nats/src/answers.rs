//! What JetStream answers, as far as we read it.

use crate::failure::Failure;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Error of JetStream: there is no such message.
const NO_MESSAGE: u32 = 10_037;

/// Errors of JetStream: another message was the last one.
const WRONG_LAST: [u32; 2] = [10_071, 10_164];

/// An answer, or what was wrong.
#[derive(Deserialize)]
struct Refusal {
    error: Option<ApiError>,
}

#[derive(Deserialize)]
struct ApiError {
    #[serde(default)]
    code: u32,
    #[serde(default)]
    err_code: u32,
    #[serde(default)]
    description: String,
}

/// The acknowledgement of a message.
#[derive(Deserialize)]
pub(crate) struct Published {
    pub(crate) stream: String,
    pub(crate) seq: u64,
    #[serde(default)]
    pub(crate) duplicate: bool,
}

/// A stream.
#[derive(Deserialize)]
pub(crate) struct StreamInfo {
    pub(crate) config: StreamConfig,
    #[serde(default)]
    pub(crate) state: StreamState,
    #[serde(default)]
    pub(crate) cluster: Cluster,
}

/// Settings of a stream. What a server does not know, it does not say.
#[derive(Deserialize)]
#[serde(default)]
pub(crate) struct StreamConfig {
    pub(crate) subjects: Vec<String>,
    pub(crate) retention: String,
    pub(crate) storage: String,
    pub(crate) discard: String,
    pub(crate) discard_new_per_subject: bool,
    pub(crate) max_msgs_per_subject: i64,
    pub(crate) max_msg_size: i64,
    /// In nanoseconds; 0 is for ever.
    pub(crate) max_age: u64,
    pub(crate) num_replicas: u32,
    /// In nanoseconds.
    pub(crate) duplicate_window: u64,
    pub(crate) no_ack: bool,
    pub(crate) sealed: bool,
    pub(crate) mirror: Option<serde::de::IgnoredAny>,
    pub(crate) subject_transform: Option<serde::de::IgnoredAny>,
    pub(crate) persist_mode: String,
}

impl Default for StreamConfig {
    fn default() -> Self {
        Self {
            subjects: Vec::new(),
            retention: String::new(),
            storage: String::new(),
            discard: String::new(),
            discard_new_per_subject: false,
            max_msgs_per_subject: -1,
            max_msg_size: -1,
            max_age: 0,
            num_replicas: 1,
            duplicate_window: 0,
            no_ack: false,
            sealed: false,
            mirror: None,
            subject_transform: None,
            persist_mode: String::new(),
        }
    }
}

/// What a stream has.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct StreamState {
    pub(crate) messages: u64,
    /// Place of the newest message that it ever had.
    pub(crate) last_seq: u64,
}

/// Where a stream is.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Cluster {
    pub(crate) leader: String,
}

/// Streams that have a subject.
#[derive(Deserialize)]
pub(crate) struct StreamNames {
    #[serde(default)]
    pub(crate) streams: Option<Vec<String>>,
}

/// A consumer.
#[derive(Deserialize)]
pub(crate) struct ConsumerInfo {
    pub(crate) config: ConsumerConfig,
}

/// Settings of a consumer.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct ConsumerConfig {
    pub(crate) ack_policy: String,
    /// In nanoseconds.
    pub(crate) ack_wait: u64,
    pub(crate) max_deliver: i64,
    pub(crate) backoff: Vec<u64>,
    pub(crate) filter_subject: String,
    pub(crate) filter_subjects: Vec<String>,
    pub(crate) deliver_subject: String,
    pub(crate) headers_only: bool,
}

/// How far a consumer has come.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct ConsumerProgress {
    /// The newest message that it handed out.
    pub(crate) delivered: Place,
    /// Up to this one, all are acknowledged.
    pub(crate) ack_floor: Place,
}

/// A place in a stream; 0 is before the first one.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Place {
    pub(crate) stream_seq: u64,
}

/// A message that was looked for.
#[derive(Deserialize)]
struct Found {
    message: StoredMessage,
}

/// A message as the stream has it.
#[derive(Deserialize)]
pub(crate) struct StoredMessage {
    pub(crate) seq: u64,
    /// In base64.
    #[serde(default)]
    pub(crate) data: String,
    /// When it was stored, RFC 3339.
    #[serde(default)]
    pub(crate) time: String,
}

/// Reads an answer of JetStream.
///
/// # Errors
/// What it says instead of an answer; or that it makes no sense.
pub(crate) fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Failure> {
    // An error that cannot be read is an error all the same.
    match parsed::<Refusal>(payload)?.error {
        Some(error) => Err(error.failure()),
        None => parsed(payload),
    }
}

/// Reads the answer to whoever looks for a message; `None` if there is none.
///
/// # Errors
/// As of [`read`].
pub(crate) fn found(payload: &[u8]) -> Result<Option<StoredMessage>, Failure> {
    match parsed::<Refusal>(payload)?.error {
        Some(error) if error.err_code == NO_MESSAGE => Ok(None),
        Some(error) => Err(error.failure()),
        None => parsed::<Found>(payload).map(|found| Some(found.message)),
    }
}

fn parsed<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Failure> {
    let nonsense = |_| Failure::unproven("the answer is none of JetStream's");
    serde_json::from_slice(payload).map_err(nonsense)
}

impl ApiError {
    fn failure(&self) -> Failure {
        Failure::of_answer(self.code, self.err_code, &self.description)
    }
}

/// Reads the acknowledgement of a message.
///
/// # Errors
/// As of [`read`]; or that the message is in no place of the stream. Old servers of a cluster called a repeat of a
/// message that was still on its way a duplicate, with the sequence 0: the first one might yet come to nothing.
pub(crate) fn acknowledged(payload: &[u8]) -> Result<Published, Failure> {
    let published: Published = read(payload)?;
    if published.seq == 0 {
        return Err(Failure::unproven(
            "the answer names no message in the stream",
        ));
    }
    Ok(published)
}

/// Reads the acknowledgement of a message that was to follow another one; its place, or `None` if a third one stands
/// between them.
///
/// # Errors
/// As of [`acknowledged`].
pub(crate) fn published_after(payload: &[u8]) -> Result<Option<u64>, Failure> {
    match parsed::<Refusal>(payload)?.error {
        Some(error) if WRONG_LAST.contains(&error.err_code) => Ok(None),
        _ => acknowledged(payload).map(|published| Some(published.seq)),
    }
}

/// Tells whether a stream with this subject, which may have wildcards, takes what is published to `subject`.
pub(crate) fn covers(pattern: &str, subject: &str) -> bool {
    let mut parts = subject.split('.');
    for expected in pattern.split('.') {
        match (expected, parts.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (expected, Some(part)) if expected == part => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_match_as_they_do_at_the_server() {
        for (pattern, subject, is_covered) in [
            ("a.b", "a.b", true),
            ("a.*", "a.b", true),
            ("a.>", "a.b.c", true),
            (">", "a", true),
            ("a.>", "a", false),
            ("a.*", "a.b.c", false),
            ("a.b.c", "a.b", false),
            ("a.b", "a.c", false),
        ] {
            assert_eq!(covers(pattern, subject), is_covered, "{pattern} {subject}");
        }
    }

    #[test]
    fn an_answer_is_told_from_an_error_and_from_nonsense() {
        let published: Published = read(br#"{"stream":"EV","seq":1,"duplicate": true}"#).unwrap();
        assert_eq!((&*published.stream, published.seq), ("EV", 1));
        assert!(published.duplicate);
        let refused = br#"{"error":{"code":400,"err_code":10060,"description":"expected stream does not match"},"stream":"EV","seq":0}"#;
        let failure = read::<Published>(refused).err().unwrap();
        assert!(failure.fault.problem.contains("10060"), "{failure:?}");
        for not_stored in [
            &br#"{"stream":"EV","seq":0,"duplicate": true}"#[..],
            br#"{"stream":"EV","seq":0}"#,
            br#"{"error":"full","stream":"EV","seq":1}"#,
        ] {
            let failure = acknowledged(not_stored).err().unwrap();
            assert_eq!(
                failure.fault.kind,
                labelrelay_core::QueueErrorKind::Unproven
            );
        }
        let none = br#"{"error":{"code":404,"err_code":10037,"description":"no message found"}}"#;
        assert!(found(none).unwrap().is_none());
        assert!(found(refused).is_err());
        let message =
            br#"{"message":{"subject":"l","seq":7,"data":"e30=","time":"2026-11-30T15:25:25.5Z"}}"#;
        let message = found(message).unwrap().unwrap();
        assert_eq!((message.seq, &*message.data), (7, "e30="));
        let wrong = br#"{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 4"},"stream":"KV_l","seq":0}"#;
        assert_eq!(published_after(wrong).unwrap(), None);
        let behind = br#"{"stream":"KV_l","seq":5}"#;
        assert_eq!(published_after(behind).unwrap(), Some(5));
        assert!(published_after(refused).is_err());
        let failure = read::<Published>(b"hello").err().unwrap();
        assert_eq!(
            failure.fault.kind,
            labelrelay_core::QueueErrorKind::Unproven
        );
        let info: StreamInfo = read(br#"{"config":{"name":"EV","subjects":["l"],"mirror":{"name":"x"}},"state":{"messages":3}}"#).unwrap();
        assert!(info.config.mirror.is_some());
        assert_eq!((info.config.num_replicas, info.state.messages), (1, 3));
    }
}
