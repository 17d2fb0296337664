//! Dead letters: a subject of their own, in a stream of its own on the same server.
//!
//! A stream of JetStream has no place for what a consumer gives up. `+TERM` ends an event, and tells of it in an
//! advisory that nobody keeps. So a dead letter is published first, and the event is ended once the other stream has
//! it.

use crate::answers::{StreamNames, acknowledged, read};
use crate::examine::to_make;
use crate::failure::Failure;
use crate::location::{dead_letter_stream, dead_letter_subject, is_subject};
use crate::queue::{MESSAGE_ID, headers};
use crate::receipt::Hold;
use crate::server::Servers;
use labelrelay_core::QueueErrorKind::TooLarge;
use labelrelay_core::{BackEndError, ReceivedEvent};
use serde_json::json;
use std::sync::Arc;

/// Why an event is a dead letter.
const REASON: &str = "Labelrelay-Reason";

/// Longest reason, in characters.
const REASON_CHARACTERS: usize = 1000;

/// Time within which a second rejection of the same event is a repeat, where we name one.
const WINDOW_S: u64 = 300;

pub(crate) struct DeadLetters {
    servers: Arc<Servers>,
    subject: String,
}

impl DeadLetters {
    /// The place that was asked for, else that of our convention, if a stream has it.
    pub(crate) async fn open(
        servers: &Arc<Servers>,
        place: Option<&str>,
    ) -> Result<Self, BackEndError> {
        let url = &servers.url;
        let subject = match place {
            None => dead_letter_subject(&url.subject),
            Some(place) if is_subject(place) && !place.contains("://") => place.to_owned(),
            Some(_) => {
                let problem = "has a place for dead letters that is no subject";
                let cure = "name the subject of a stream on the same server";
                return Err(BackEndError::of_shown(&url.shown, problem, cure));
            }
        };
        let streams = streams_of(servers, &subject).await;
        let streams = streams.map_err(|failure| failure.fault.of_opening(&url.shown))?;
        if streams.contains(&url.stream) {
            let problem = format!("would be its own place for dead letters: it has {subject}, too");
            let cure = "name a subject that another stream has, as the place for dead letters";
            return Err(BackEndError::of_shown(&url.shown, problem, cure));
        }
        if streams.is_empty() {
            let problem = format!("has no place for dead letters: no stream has {subject}");
            let stream = dead_letter_stream(&url.stream);
            let cure = to_make(&stream, &subject, "limits", WINDOW_S);
            return Err(BackEndError::of_shown(&url.shown, problem, cure));
        }
        Ok(Self {
            servers: Arc::clone(servers),
            subject,
        })
    }

    /// Puts an event there, durably as that stream is.
    pub(crate) async fn publish(
        &self,
        event: &ReceivedEvent,
        hold: &Hold,
        reason: &str,
    ) -> Result<(), Failure> {
        // Of the event in its stream: a second rejection of it is a repeat.
        let id = format!(
            "{}.{}.{}",
            self.servers.url.stream, hold.sequence, hold.stored
        );
        let id = (MESSAGE_ID, id.as_str());
        let mut put = self.put(event, &[id, (REASON, reason)]).await;
        // The largest event that the server takes leaves no room for a reason, and would come again for ever.
        if put
            .as_ref()
            .is_err_and(|failure| failure.fault.kind == TooLarge)
        {
            put = self.put(event, &[id]).await;
        }
        put.map_err(|mut failure| {
            let subject = &self.subject;
            failure.fault.problem =
                format!("no dead letter at {subject}: {}", failure.fault.problem);
            failure
        })
    }

    async fn put(
        &self,
        event: &ReceivedEvent,
        with: &[(&'static str, &str)],
    ) -> Result<(), Failure> {
        let headers = headers(with)?;
        let envelope = event.envelope.clone();
        let answer = self
            .servers
            .ask(&self.subject, Some(headers), envelope)
            .await?;
        acknowledged(&answer.payload).map(|_| ())
    }
}

async fn streams_of(servers: &Servers, subject: &str) -> Result<Vec<String>, Failure> {
    let request = json!({"subject": subject}).to_string();
    let answer = servers
        .ask("$JS.API.STREAM.NAMES", None, request.into())
        .await?;
    let names: StreamNames = read(&answer.payload)?;
    Ok(names.streams.unwrap_or_default())
}

/// A reason as a header holds it.
pub(crate) fn one_line(reason: &str) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    let line: String = reason.chars().take(REASON_CHARACTERS).map(shown).collect();
    line.trim().to_owned()
}
