//! Storage Queue: the queue that every storage account has.
//!
//! Messages are base64 always: it is what Functions' queue trigger and most consumers decode by default,
//! and a body with a control character would be taken plain and then break every receive of the queue.
//! Nothing recognises repeats there; consumers do, by `id`.

use crate::error::{AzureError, Resource};
use crate::location::{SettingValue, StorageLocation};
use crate::transport::options;
use azure_core::credentials::TokenCredential;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::{HttpClient, StatusCode};
use azure_storage_queue::models::{
    QueueClientGetPropertiesResultHeaders as _, QueueClientSendMessageOptions, QueueMessage,
};
use azure_storage_queue::{QueueClient, QueueClientOptions};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_core::BackEndError;
use labelrelay_core::{
    BoxFuture, Copies, DeadLetterCount, EventQueue, OutboundMessage, QueueError, QueueErrorKind,
    QueueLimits, Receipt,
};
use std::sync::Arc;

/// Largest envelope: 64 KiB once it is base64.
pub const MAX_MESSAGE_BYTES: u64 = 48 * 1024;

/// Messages never expire: the service's own 7 days would lose what nobody fetched over a holiday.
pub(crate) const NEVER: i32 = -1;

/// The role that allows to send.
pub(crate) const SENDER: &str = "Storage Queue Data Message Sender";

/// One queue.
pub struct StorageQueue {
    client: QueueClient,
    /// The queue for dead letters that consumers have beside this one, unless they say otherwise.
    dead_letters: Option<QueueClient>,
    resource: Resource,
    ttl: i32,
}

impl StorageQueue {
    pub(crate) fn open(
        location: &StorageLocation,
        credential: Option<Arc<dyn TokenCredential>>,
        client: &Arc<dyn HttpClient>,
        setting: SettingValue<'_>,
    ) -> Result<Self, BackEndError> {
        let ttl = match location.own("ttl_s") {
            None => NEVER,
            Some(text) => match text.parse() {
                Ok(seconds) if seconds > 0 => seconds,
                _ => {
                    return Err(setting.error(
                        "has a `ttl_s` that is not a number of seconds",
                        "write digits, or leave it out: then messages never expire",
                    ));
                }
            },
        };
        let beside = location.sibling(&dead_letter_name(&location.name));
        let dead_letters =
            beside.map(|beside| connect(&beside, credential.clone(), client, setting));
        Ok(Self {
            dead_letters: dead_letters.transpose()?,
            client: connect(location, credential, client, setting)?,
            resource: resource(location, SENDER),
            ttl,
        })
    }

    async fn put(&self, message: &OutboundMessage) -> Result<Receipt, QueueError> {
        let bytes = message.body.len() as u64;
        if bytes > MAX_MESSAGE_BYTES {
            let reason = format!("{bytes} bytes; a Storage Queue takes {MAX_MESSAGE_BYTES}");
            return Err(QueueError::new(QueueErrorKind::TooLarge, reason));
        }
        let content = QueueMessage {
            message_text: Some(STANDARD.encode(&message.body)),
        };
        let options = QueueClientSendMessageOptions {
            message_time_to_live: Some(self.ttl),
            ..QueueClientSendMessageOptions::default()
        };
        let content = content.try_into().map_err(|error| self.failed(&error))?;
        let sent = self
            .client
            .send_message(content, Some(options))
            .await
            .map_err(|error| self.failed(&error))?
            .into_model()
            .map_err(|error| self.failed(&error))?;
        // The service gives each stored message an id; an answer without one comes from something else.
        let id = sent
            .items
            .into_iter()
            .flatten()
            .find_map(|sent| sent.message_id);
        match id {
            Some(id) => Ok(Receipt::new(Some(id))),
            None => Err(QueueError::new(
                QueueErrorKind::Unproven,
                format!("{} answered without a message id", self.resource.what),
            )),
        }
    }

    fn failed(&self, error: &Error) -> QueueError {
        AzureError::of(error, &self.resource).into()
    }
}

impl EventQueue for StorageQueue {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(self.put(message))
    }

    /// The client's text of it, the request with its escapes, and what TLS has not sent yet.
    fn copies(&self) -> Copies {
        Copies {
            of_each: 3,
            of_one: 0,
        }
    }

    fn limits(&self) -> QueueLimits {
        QueueLimits::bytes(MAX_MESSAGE_BYTES)
    }

    /// Asks for the queue's properties. Whoever may only send gets a refusal, which proves the connection
    /// and the identity and nothing about the queue; it counts as ready.
    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(async move {
            match self.client.get_properties(None).await {
                Ok(_) => Ok(()),
                Err(error) if may_only_send(&error) => Ok(()),
                Err(error) => Err(self.failed(&error)),
            }
        })
    }

    /// Of the queue with `-poison` behind its name, if it is there.
    fn dead_letters(&self) -> BoxFuture<'_, Result<DeadLetterCount, QueueError>> {
        Box::pin(async move {
            let Some(dead_letters) = &self.dead_letters else {
                return Ok(DeadLetterCount::Unknown(None));
            };
            match dead_letters.get_properties(None).await {
                Ok(found) => {
                    let count = found.approximate_messages_count().ok().flatten();
                    let count = count.and_then(|count| u64::try_from(count).ok());
                    Ok(count.into())
                }
                // A signature, or a role, may be for the other queue alone.
                Err(error) if is_refused_or_missing(&error) => Ok(DeadLetterCount::Unknown(None)),
                Err(error) => Err(self.failed(&error)),
            }
        })
    }
}

fn is_refused_or_missing(error: &Error) -> bool {
    let status = error.http_status();
    status.is_some_and(|status| [StatusCode::NotFound, StatusCode::Forbidden].contains(&status))
}

/// Name of the queue for dead letters beside the one of this name.
pub(crate) fn dead_letter_name(queue: &str) -> String {
    format!("{queue}-poison")
}

/// A client of the queue. Nothing is sent yet.
pub(crate) fn connect(
    location: &StorageLocation,
    credential: Option<Arc<dyn TokenCredential>>,
    client: &Arc<dyn HttpClient>,
    setting: SettingValue<'_>,
) -> Result<QueueClient, BackEndError> {
    let options = QueueClientOptions {
        client_options: options(client),
        ..QueueClientOptions::default()
    };
    QueueClient::new(location.url.clone(), credential, Some(options))
        .map_err(|_| setting.error("is not the URL of a queue", "correct it"))
}

/// The queue, as messages name it.
pub(crate) fn resource(location: &StorageLocation, role: &'static str) -> Resource {
    Resource {
        what: format!(
            "the queue `{}` of account `{}`",
            location.name, location.account
        ),
        role,
    }
}

/// Tells whether the identity is known there, and only this one question is not allowed to it.
pub(crate) fn may_only_send(error: &Error) -> bool {
    let ErrorKind::HttpResponse {
        status, error_code, ..
    } = error.kind()
    else {
        return false;
    };
    let code = error_code.as_deref().unwrap_or_default();
    *status == StatusCode::Forbidden && code == "AuthorizationPermissionMismatch"
}
