//! Why the server did not do something, in words for whoever can put it right.

use async_nats::{ConnectError, ConnectErrorKind, RequestError, RequestErrorKind};
use labelrelay_core::QueueErrorKind;
use labelrelay_core::QueueErrorKind::{
    Denied, Full, Late, Misconfigured, TooLarge, Unavailable, Unproven,
};
use labelrelay_core::backend::QueueFault;
use std::time::Duration;

/// Cure of whatever is wrong with a connection.
const LOOK: &str = "start the server, or look at the network to it";

/// A failure, with its cure.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) fault: QueueFault,
    /// `true` if the connection is good for another request.
    pub(crate) keeps_connection: bool,
    /// `true` if what was asked for is not there.
    pub(crate) is_absent: bool,
}

impl Failure {
    pub(crate) fn new(
        kind: QueueErrorKind,
        problem: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            fault: QueueFault::new(kind, problem, cure),
            keeps_connection: false,
            is_absent: false,
        }
    }

    /// The same failure, after which the connection is as good as before.
    pub(crate) fn answered(mut self) -> Self {
        self.keeps_connection = true;
        self
    }

    fn absent(mut self) -> Self {
        self.is_absent = true;
        self.answered()
    }

    /// No answer within `limit`.
    pub(crate) fn late(limit: Duration) -> Self {
        let problem = format!("the server did not answer within {} ms", limit.as_millis());
        let cure = "look at the server, its disk, its cluster and the network to it";
        Self::new(Late, problem, cure)
    }

    /// The connection ended.
    pub(crate) fn broken() -> Self {
        Self::new(Unavailable, "the connection broke", LOOK)
    }

    /// The server refused something, and said so beside the answers.
    pub(crate) fn not_permitted(said: &str) -> Self {
        let cure = "grant the user what docs/nats.md lists";
        Self::new(Denied, format!("the server refused: {said}"), cure)
    }

    /// Something that is ours to send, or the server's answer, makes no sense.
    pub(crate) fn unproven(what: &str) -> Self {
        let cure = "look whether it is NATS with JetStream that answers there";
        Self::new(Unproven, what, cure).answered()
    }

    pub(crate) fn too_large(bytes: u64, most: u64) -> Self {
        let problem = format!("it takes no message of {bytes} bytes, but {most}");
        let cure = "configure a blob_store, or raise max_payload at the server and the stream's max_msg_size";
        Self::new(TooLarge, problem, cure).answered()
    }

    /// A credential cannot be read, or is none.
    pub(crate) fn of_credential(problem: impl Into<String>) -> Self {
        Self::new(
            Denied,
            problem,
            "let this program read the credential, and correct it",
        )
    }

    pub(crate) fn of_connecting(error: &ConnectError) -> Self {
        let problem = format!("cannot be connected to: {error}");
        match error.kind() {
            ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                let cure = "correct what ?user=, ?token=, ?nkey= or ?credentials= names, or admit it at the server";
                Self::new(Denied, problem, cure)
            }
            // A handshake that fails comes as an error of the connection.
            kind if kind == ConnectErrorKind::Tls || problem.contains("certificate") => {
                let cure =
                    "look at the server's certificate, or name its authority in ?tls_ca=FILE";
                Self::new(Unavailable, problem, cure)
            }
            ConnectErrorKind::TimedOut => {
                let cure = "look at the server and the network to it";
                Self::new(Late, problem, cure)
            }
            _ => Self::new(Unavailable, problem, LOOK),
        }
    }

    pub(crate) fn of_request(error: &RequestError) -> Self {
        match error.kind() {
            RequestErrorKind::NoResponders => Self::nobody(),
            RequestErrorKind::MaxPayloadExceeded => {
                let cure = "configure a blob_store, or raise max_payload at the server";
                Self::new(TooLarge, error.to_string(), cure).answered()
            }
            RequestErrorKind::InvalidSubject => {
                Self::new(Misconfigured, error.to_string(), "correct the subject").answered()
            }
            _ => Self::new(Unavailable, error.to_string(), LOOK),
        }
    }

    /// Nobody takes what was sent. A cluster says the same while it has no leader.
    pub(crate) fn nobody() -> Self {
        let problem = "nobody answers there: JetStream is off or starting, the stream has no leader, or there is no such stream or consumer";
        let cure = "look at `nats stream info` and the server's log";
        Self::new(Unavailable, problem, cure).absent()
    }

    /// A consumer says that no more messages come, for a reason of its own.
    pub(crate) fn ended(said: &str) -> Self {
        let problem = format!("the server ended the request for events: {said}");
        Self::new(Unavailable, problem, "look at `nats consumer info`").absent()
    }

    /// What JetStream answered instead of doing it.
    pub(crate) fn of_answer(code: u32, err_code: u32, description: &str) -> Self {
        let (kind, cure) = meaning(code, err_code, description);
        let problem = format!("{description} (JetStream error {err_code})");
        let failure = Self::new(kind, problem, cure).answered();
        if matches!(err_code, 10_014 | 10_059) {
            failure.absent()
        } else {
            failure
        }
    }
}

/// What an error of JetStream means for a queue, and its cure.
fn meaning(code: u32, err_code: u32, description: &str) -> (QueueErrorKind, &'static str) {
    match err_code {
        10_014 => (Misconfigured, "name a consumer that is there"),
        10_059 => (Misconfigured, "make the stream, or correct its name"),
        10_099 | 10_100 => (
            Misconfigured,
            "name the consumer that is there with ?consumer=NAME: a work queue hands each event to one",
        ),
        10_039 | 10_076 => (Misconfigured, "switch JetStream on for this account"),
        10_054 => (
            TooLarge,
            "configure a blob_store, or raise the stream's max_msg_size",
        ),
        10_060 => (
            Misconfigured,
            "name the stream that has the subject, or the subject that the stream has",
        ),
        10_109 => (Misconfigured, "name a stream that is not sealed"),
        10_002 => (
            Full,
            "raise the account's limits of JetStream, or let somebody consume",
        ),
        10_023 | 10_028 | 10_047 => (Full, "give JetStream more room, or free some"),
        // A stream refuses for several reasons by this one number.
        10_077 if description.contains("exceeded") || description.contains("no space") => (
            Full,
            "raise the limits of the stream, free the disk, or let somebody consume",
        ),
        _ if code == 400 || code == 404 => (Misconfigured, "look at the server's log"),
        _ => (Unavailable, "look at the server's log"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_waiting_mends_is_told_from_what_may_pass() {
        for (code, err_code, description, kind) in [
            (404, 10_059, "stream not found", Misconfigured),
            (404, 10_014, "consumer not found", Misconfigured),
            (400, 10_060, "expected stream does not match", Misconfigured),
            (503, 10_077, "maximum messages exceeded", Full),
            (503, 10_077, "maximum bytes exceeded", Full),
            (503, 10_077, "raft: not leader", Unavailable),
            (503, 10_023, "insufficient resources", Full),
            (400, 10_002, "resource limits exceeded for account", Full),
            (
                400,
                10_054,
                "message size exceeds maximum allowed",
                TooLarge,
            ),
            (
                503,
                10_008,
                "JetStream system temporarily unavailable",
                Unavailable,
            ),
        ] {
            let failure = Failure::of_answer(code, err_code, description);
            assert_eq!(failure.fault.kind, kind, "{description}");
            assert!(failure.keeps_connection);
        }
        assert!(Failure::late(Duration::from_secs(1)).fault.is_retryable());
        assert!(Failure::nobody().fault.is_retryable() && Failure::nobody().is_absent);
        assert!(!Failure::not_permitted("no").fault.is_retryable());
    }

    #[test]
    fn a_failure_names_resource_problem_and_cure() {
        let failure = Failure::of_answer(503, 10_077, "maximum messages exceeded");
        let error = failure.fault.of_queue("nats://n/EVENTS/labels");
        for word in [
            "nats://n/EVENTS/labels",
            "maximum messages",
            "raise the limits",
        ] {
            assert!(error.message.contains(word), "{error}");
        }
        assert!(!error.retryable);
    }
}
