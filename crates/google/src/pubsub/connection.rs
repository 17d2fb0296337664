//! Connections to Pub/Sub, one at a time, and the retirement of those that do not answer.

use google_cloud_auth::credentials::Credentials;
use google_cloud_gax::error::Error;
use google_cloud_gax::retry_policy::{NeverRetry, RetryPolicyExt};
use google_cloud_pubsub::client::{BasePublisher, Publisher};
use google_cloud_pubsub::error::PublishError;
use google_cloud_pubsub::model::Message;
use labelrelay_core::connection_retirement::Connections;
use labelrelay_core::relay::GIVE_UP;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Everything that a new connection is made from.
pub(super) struct Connector {
    pub(super) topic: String,
    /// An emulator's, if there is one.
    pub(super) endpoint: Option<String>,
    pub(super) credentials: Credentials,
}

/// Connections to one topic. The client itself would go on waiting for one that is dead, so they are retired here.
pub(super) struct PubSubConnections {
    connector: Connector,
    connections: Connections<OnceCell<Publishers>>,
}

#[derive(Clone)]
struct Publishers {
    base: BasePublisher,
    /// For messages without an ordering key.
    unordered: Publisher,
}

impl PubSubConnections {
    pub(super) fn new(connector: Connector) -> Self {
        Self {
            connector,
            connections: Connections::default(),
        }
    }

    /// Publishes on the connection in use; dropping the future retires that connection.
    pub(super) async fn publish(
        &self,
        message: Message,
        ordered: bool,
    ) -> Result<String, PublishError> {
        let attempt = self.connections.attempt();
        let result = self
            .try_publish(attempt.connection(), message, ordered)
            .await;
        if result.as_ref().err().is_none_or(was_answered) {
            attempt.answered();
        }
        result
    }

    async fn try_publish(
        &self,
        connection: &OnceCell<Publishers>,
        message: Message,
        ordered: bool,
    ) -> Result<String, PublishError> {
        let opened = connection.get_or_try_init(|| self.connector.open()).await;
        let open = opened.map_err(|error| PublishError::Rpc(Arc::new(error)))?;
        if !ordered {
            return open.unordered.publish(message).await;
        }
        // A publisher for this message alone. One for all would keep a task for every ordering key that it
        // has ever seen, let messages wait for another's slow answer, and refuse a key's messages after a
        // failure until somebody calls `resume_publish`. What orders messages is that a sender has its
        // answer before it sends the next.
        let publisher = single(&open.base, &self.connector.topic);
        publisher.publish(message).await
    }
}

impl Connector {
    async fn open(&self) -> Result<Publishers, Error> {
        let mut builder = BasePublisher::builder()
            .with_credentials(self.credentials.clone())
            // Core tries again. What is under way when core has given up ends by itself.
            .with_retry_policy(NeverRetry.with_time_limit(GIVE_UP));
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let base = builder.build().await.map_err(Error::connect)?;
        let unordered = single(&base, &self.topic);
        Ok(Publishers { base, unordered })
    }
}

/// A publisher whose requests hold one message each.
fn single(base: &BasePublisher, topic: &str) -> Publisher {
    base.publisher(topic).set_message_count_threshold(1).build()
}

/// Tells whether it was Pub/Sub that said no: then the connection is sound.
fn was_answered(error: &PublishError) -> bool {
    use google_cloud_gax::error::rpc::Code;
    match error {
        PublishError::Rpc(error) => error.status().is_some_and(|status| {
            !matches!(
                status.code,
                Code::Unavailable
                    | Code::DeadlineExceeded
                    | Code::Cancelled
                    | Code::Unknown
                    | Code::Internal
            )
        }),
        _ => false,
    }
}
