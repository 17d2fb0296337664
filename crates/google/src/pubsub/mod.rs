//! A topic of Pub/Sub as a queue.
//!
//! The official client is used for what it does well: the connection and its credentials. Its batches hold
//! one message, so that none waits for another; its retries are off, and what it still has under way ends
//! with core's own patience.

mod connection;
mod dead_letters;
mod error;
mod message_size;
mod source;
mod subscription_settings;

pub use message_size::MAX_REQUEST_BYTES;
pub use source::PubSubSource;

use crate::location::Topic;
use crate::rest::{Rest, parse};
use connection::{Connector, PubSubConnections};
use error::{PERMISSION, publish_error, rest_error};
use google_cloud_auth::credentials::Credentials;
use google_cloud_gax::error::rpc::Code;
use google_cloud_pubsub::error::PublishError;
use google_cloud_pubsub::model::Message;
use http::Method;
use labelrelay_core::{
    BoxFuture, Copies, DeadLetterCount, EventQueue, OutboundMessage, QueueError, QueueErrorKind,
    QueueLimits, Receipt,
};
use serde::Deserialize;
use std::fmt;

/// Puts events on a topic, with the attributes `id`, `type`, `source` and `subject` for filters.
pub struct PubSubQueue {
    topic: Topic,
    /// Name in Google's cloud.
    resource: String,
    connections: PubSubConnections,
    rest: Rest,
}

#[derive(Deserialize)]
struct Permissions {
    #[serde(default)]
    permissions: Vec<String>,
}

impl PubSubQueue {
    pub(crate) fn new(
        topic: Topic,
        endpoint: Option<String>,
        credentials: Credentials,
        rest: Rest,
    ) -> Self {
        let resource = topic.resource();
        let connector = Connector {
            topic: resource.clone(),
            endpoint,
            credentials,
        };
        Self {
            topic,
            resource,
            connections: PubSubConnections::new(connector),
            rest,
        }
    }

    fn ordering_key<'a>(&self, message: &'a OutboundMessage) -> &'a str {
        if self.topic.ordered {
            message_size::ordering_key(message)
        } else {
            ""
        }
    }

    async fn publish(&self, message: &OutboundMessage) -> Result<Receipt, QueueError> {
        let bytes = self.message_bytes(message);
        if bytes > MAX_REQUEST_BYTES {
            return Err(QueueError::new(
                QueueErrorKind::TooLarge,
                format!("the request would have {bytes} bytes, Pub/Sub takes {MAX_REQUEST_BYTES}"),
            ));
        }
        let key = self.ordering_key(message);
        let made = Message::new()
            .set_data(message.body.clone())
            .set_attributes(message_size::attributes(message))
            .set_ordering_key(key);
        let sent = self.connections.publish(made, !key.is_empty()).await;
        sent.map(|id| Receipt::new(Some(id)))
            .map_err(|error| publish_error(error, &self.resource, bytes))
    }

    /// Opens the connection that messages will take. A message without data and attributes is one that
    /// Pub/Sub never accepts: being told so means that all before it works.
    async fn probe(&self) -> Result<(), QueueError> {
        match self.connections.publish(Message::new(), false).await {
            Ok(_) => Ok(()),
            Err(PublishError::Rpc(error))
                if error
                    .status()
                    .is_some_and(|status| status.code == Code::InvalidArgument) =>
            {
                Ok(())
            }
            Err(error) => Err(publish_error(error, &self.resource, 0)),
        }
    }

    /// Asks for the permission to publish. It takes no permission to ask; where there is no topic, there is
    /// no permission either.
    pub(crate) async fn may_publish(&self) -> Result<(), QueueError> {
        let path = format!("/v1/{}:testIamPermissions", self.resource);
        let request = self.rest.request(Method::POST, &path);
        let request = request
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(format!(r#"{{"permissions":["{PERMISSION}"]}}"#));
        let body = self.rest.send(request).await;
        let held: Permissions = body
            .and_then(|body| parse(&body))
            .map_err(|error| rest_error(&error, &self.resource))?;
        if held.permissions.iter().any(|held| held == PERMISSION) {
            return Ok(());
        }
        Err(QueueError::new(
            QueueErrorKind::Denied,
            format!(
                "{} does not exist, or we lack {PERMISSION} (roles/pubsub.publisher) on it",
                self.resource
            ),
        ))
    }
}

impl EventQueue for PubSubQueue {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(self.publish(message))
    }

    /// The client's text of it, the request with its escapes, and what TLS has not sent yet.
    fn copies(&self) -> Copies {
        Copies {
            of_each: 3,
            of_one: 0,
        }
    }

    fn limits(&self) -> QueueLimits {
        QueueLimits::bytes(MAX_REQUEST_BYTES)
    }

    fn message_bytes(&self, message: &OutboundMessage) -> u64 {
        message_size::request_bytes(&self.resource, message, self.ordering_key(message))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(async move {
            self.probe().await?;
            // An emulator knows no permissions.
            if self.rest.is_emulator() {
                return Ok(());
            }
            self.may_publish().await
        })
    }

    /// Looks at a few that the subscriptions' policies have put aside, and gives them back.
    fn dead_letters(&self) -> BoxFuture<'_, Result<DeadLetterCount, QueueError>> {
        Box::pin(self.look_for_dead_letters())
    }

    /// Pub/Sub acknowledges what nobody subscribes to, and keeps it only where the topic itself has a retention.
    fn doubt(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async move {
            self.lacks_subscriptions().await.then(|| {
                format!(
                    "queue: {0} has no subscription: Pub/Sub takes every event, and nobody gets any; make one (`gcloud pubsub subscriptions create NAME --topic {0}`), and set it back by `gcloud pubsub subscriptions seek` if the topic has kept events",
                    self.resource
                )
            })
        })
    }
}

impl fmt::Debug for PubSubQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PubSubQueue({})", self.resource)
    }
}
