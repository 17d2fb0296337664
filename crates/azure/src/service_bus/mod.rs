//! Service Bus, through its REST API: one POST for each message.
//!
//! There is no current official crate. What stands here follows the documented protocol and is proven
//! against a stub of it alone.

mod description;
mod identity;
mod namespace;
mod token;

#[cfg(test)]
mod tests;

use crate::connection_string::ConnectionString;
use crate::error::{AzureError, Resource};
use crate::location::{SettingValue, own_parameters};
use azure_core::credentials::TokenCredential;
use azure_core::error::Error;
use azure_core::http::{HttpClient, Method, Request, StatusCode, Url};
use bytes::Bytes;
use labelrelay_core::BackEndError;
use labelrelay_core::{
    BoxFuture, Clock, Copies, DeadLetterCount, EventQueue, OutboundMessage, QueueError,
    QueueErrorKind, QueueLimits, Receipt,
};
use namespace::Namespace;
use serde::Serialize;
use std::sync::Arc;
use token::Authority;

/// Largest message of the standard tier, properties included.
const STANDARD_BYTES: u64 = 256 * 1024;

/// Largest message of the premium tier.
const PREMIUM_BYTES: u64 = 100 * 1024 * 1024;

/// Room for the system properties of a message, beside its body, its broker properties and ours. The service writes
/// them, so we can only leave room.
const SYSTEM_BYTES: u64 = 1024;

/// One queue or topic.
pub struct ServiceBusQueue {
    client: Arc<dyn HttpClient>,
    authority: Authority,
    /// URL of the queue.
    url: Url,
    resource: Resource,
    limit: u64,
    /// `true` if messages of one partition key form a session.
    sessions: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BrokerProperties<'a> {
    message_id: &'a str,
    partition_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
}

impl ServiceBusQueue {
    pub(crate) fn open(
        text: &str,
        connection: Option<&ConnectionString>,
        client: Arc<dyn HttpClient>,
        credential: Arc<dyn TokenCredential>,
        clock: Arc<dyn Clock>,
        setting: SettingValue<'_>,
    ) -> Result<Self, BackEndError> {
        let cure = "write servicebus://NAMESPACE/QUEUE, with ?session=partition or ?max_message_bytes=N behind it if need be";
        let (bare, query) = text.split_once('?').unwrap_or((text, ""));
        let (own, rest) = own_parameters(query, &["session", "max_message_bytes"]);
        let mut limit = STANDARD_BYTES;
        let mut sessions = false;
        for (name, value) in &own {
            match (name.as_str(), value.as_str()) {
                ("session", "partition") => sessions = true,
                ("max_message_bytes", value) => {
                    limit = value
                        .parse()
                        .ok()
                        .filter(|limit| (SYSTEM_BYTES..=PREMIUM_BYTES).contains(limit))
                        .ok_or_else(|| {
                            setting.error(
                                "has a `max_message_bytes` that no tier of Service Bus takes",
                                cure,
                            )
                        })?;
                }
                _ => return Err(setting.error("has a `session` that is not `partition`", cure)),
            }
        }
        if !rest.is_empty() {
            return Err(setting.error("has a query that is not known", cure));
        }
        let Namespace {
            endpoint,
            name,
            queue,
        } = Namespace::parse(bare, connection)
            .ok_or_else(|| setting.error("does not name a namespace and a queue", cure))?;
        let url = Url::parse(&format!("{endpoint}/{queue}"))
            .map_err(|_| setting.error("does not name a namespace and a queue", cure))?;
        let authority = Authority::of(connection, &name, &url, credential, clock)
            .ok_or_else(|| setting.error("would send a token without TLS", cure))?;
        Ok(Self {
            client,
            authority,
            resource: Resource {
                what: format!("the queue `{queue}` of Service Bus `{name}`"),
                role: "Azure Service Bus Data Sender",
            },
            url,
            limit,
            sessions,
        })
    }

    /// Broker properties, and our own as headers: what is in quotes is text.
    fn properties(&self, message: &OutboundMessage) -> [(&'static str, String); 5] {
        let partition_key = message.partition_key();
        let message_id = message.deduplication_key();
        let broker = BrokerProperties {
            message_id: &message_id,
            partition_key,
            session_id: self.sessions.then_some(partition_key),
        };
        let text = |value: &str| serde_json::to_string(value).unwrap_or_default();
        [
            (
                "BrokerProperties",
                serde_json::to_string(&broker).unwrap_or_default(),
            ),
            ("id", text(message.id())),
            ("type", text(message.event_type())),
            ("source", text(message.source())),
            ("subject", text(message.subject().unwrap_or_default())),
        ]
    }

    async fn post(&self, message: &OutboundMessage) -> Result<Receipt, QueueError> {
        let bytes = self.message_bytes(message);
        if bytes > self.limit {
            let reason = format!(
                "{bytes} bytes with its properties; {} takes {}",
                self.resource.what, self.limit
            );
            return Err(QueueError::new(QueueErrorKind::TooLarge, reason));
        }
        let mut url = self.url.clone();
        url.set_path(&format!("{}/messages", self.url.path()));
        let mut request = Request::new(url, Method::Post);
        request.insert_header("content-type", "application/cloudevents+json");
        // Their servers would go on trying behind a deadline that they do not know.
        request.insert_header("x-ms-retrypolicy", "NoRetry");
        for (name, value) in self.properties(message) {
            request.insert_header(name.to_ascii_lowercase(), value);
        }
        request.set_body(message.body.clone());
        let (status, _) = self.ask(request).await?;
        match status.into() {
            201 => Ok(Receipt::new(None)),
            // Documented as "quota exceeded or message too large"; the size was checked before.
            403 => Err(self.answered(StatusCode::Forbidden, "QuotaExceeded")),
            200..300 => Err(QueueError::new(
                QueueErrorKind::Unproven,
                format!("{} did not say that it has the message", self.resource.what),
            )),
            status => Err(self.answered(StatusCode::from(status), "")),
        }
    }

    /// Status and body of the answer. Of one that breaks off, the status says enough.
    async fn ask(&self, mut request: Request) -> Result<(StatusCode, Bytes), QueueError> {
        let token = self
            .authority
            .token()
            .await
            .map_err(|error| self.failed(&error))?;
        request.insert_header("authorization", token);
        let answer = self
            .client
            .execute_request(&request)
            .await
            .map_err(|error| self.failed(&error))?;
        let status = answer.status();
        // To its end, so that the connection can be used again.
        let text = answer.into_body().collect().await;
        Ok((status, text.unwrap_or_default()))
    }

    /// Asks for the queue's description.
    async fn describe(&self) -> Result<(StatusCode, Bytes), QueueError> {
        let mut url = self.url.clone();
        url.set_query(Some("api-version=2021-05"));
        self.ask(Request::new(url, Method::Get)).await
    }

    fn answered(&self, status: StatusCode, code: &str) -> QueueError {
        AzureError::answered(status, code, &self.resource).into()
    }

    fn failed(&self, error: &Error) -> QueueError {
        AzureError::of(error, &self.resource).into()
    }
}

impl EventQueue for ServiceBusQueue {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(self.post(message))
    }

    /// The client's text of it, the request with its escapes, and what TLS has not sent yet.
    fn copies(&self) -> Copies {
        Copies {
            of_each: 3,
            of_one: 0,
        }
    }

    fn limits(&self) -> QueueLimits {
        QueueLimits::bytes(self.limit)
    }

    fn message_bytes(&self, message: &OutboundMessage) -> u64 {
        let properties = self.properties(message);
        let beside: usize = properties
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        message.body.len() as u64 + beside as u64 + SYSTEM_BYTES
    }

    /// Asks for the queue's description. Whoever may only send is refused it, so a refusal proves the
    /// connection alone, and counts as ready.
    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(async move {
            let (status, _) = self.describe().await?;
            match status.into() {
                200..300 | 401 | 403 => Ok(()),
                status => Err(self.answered(StatusCode::from(status), "")),
            }
        })
    }

    /// As the queue's description says, which takes the right to manage it.
    fn dead_letters(&self) -> BoxFuture<'_, Result<DeadLetterCount, QueueError>> {
        Box::pin(async move {
            let (status, text) = self.describe().await?;
            match status.into() {
                200..300 => Ok(description::dead_letters(&text).map_or(
                    DeadLetterCount::Unknown(Some(description::HOW)),
                    DeadLetterCount::About,
                )),
                401 | 403 => Ok(DeadLetterCount::Unknown(Some(description::HOW))),
                status => Err(self.answered(StatusCode::from(status), "")),
            }
        })
    }

    /// A topic takes what nobody subscribes to. Its description says so, to whoever may manage it.
    fn doubt(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async move {
            let (_, text) = self.describe().await.ok()?;
            description::is_without_subscriptions(&text).then(|| {
                format!(
                    "queue: {} is a topic without a subscription: Service Bus takes every event and keeps none; make one (`az servicebus topic subscription create`)",
                    self.resource.what
                )
            })
        })
    }
}
