//! Connections to Pub/Sub, one at a time, and the end of those that do not answer.

use google_cloud_auth::credentials::Credentials;
use google_cloud_gax::error::Error;
use google_cloud_gax::retry_policy::{NeverRetry, RetryPolicyExt};
use google_cloud_pubsub::client::{BasePublisher, Publisher};
use google_cloud_pubsub::error::PublishError;
use google_cloud_pubsub::model::Message;
use labelrelay_core::relay::GIVE_UP;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// Everything that a new connection is made from.
pub(super) struct Connector {
    pub(super) topic: String,
    /// An emulator's, if there is one.
    pub(super) endpoint: Option<String>,
    pub(super) credentials: Credentials,
}

/// The connection in use. When an attempt is given up or the connection breaks, the next attempt gets
/// another one: a connection that stood while the instance was frozen may never answer again, and the
/// client itself would go on waiting for it.
pub(super) struct Connections {
    connector: Connector,
    current: Mutex<Arc<Connection>>,
}

/// A connection, made by whoever needs it first.
#[derive(Default)]
struct Connection(OnceCell<Publishers>);

#[derive(Clone)]
struct Publishers {
    base: BasePublisher,
    /// For messages without an ordering key.
    unordered: Publisher,
}

impl Connections {
    pub(super) fn new(connector: Connector) -> Self {
        Self {
            connector,
            current: Mutex::default(),
        }
    }

    /// Publishes on the connection in use; dropping the future retires that connection.
    pub(super) async fn publish(
        &self,
        message: Message,
        ordered: bool,
    ) -> Result<String, PublishError> {
        let mut attempt = Attempt {
            connections: self,
            connection: Some(Arc::clone(&self.current())),
        };
        let result = attempt.run(message, ordered).await;
        let connection = attempt.connection.take();
        if let (Err(error), Some(connection)) = (&result, connection)
            && !was_answered(error)
        {
            self.retire(&connection);
        }
        result
    }

    fn retire(&self, connection: &Arc<Connection>) {
        let mut current = self.current();
        // Others may have retired it already.
        if Arc::ptr_eq(&current, connection) {
            *current = Arc::default();
        }
    }

    fn current(&self) -> MutexGuard<'_, Arc<Connection>> {
        // Held to look at or to replace a pointer, never longer.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One attempt to publish. While it has its line, it has not ended.
struct Attempt<'a> {
    connections: &'a Connections,
    connection: Option<Arc<Connection>>,
}

impl Attempt<'_> {
    async fn run(&self, message: Message, ordered: bool) -> Result<String, PublishError> {
        let Some(connection) = &self.connection else {
            return Err(PublishError::Shutdown);
        };
        let opened = connection
            .0
            .get_or_try_init(|| self.connections.connector.open())
            .await;
        let open = opened.map_err(|error| PublishError::Rpc(Arc::new(error)))?;
        if !ordered {
            return open.unordered.publish(message).await;
        }
        // A publisher for this message alone. One for all would keep a task for every ordering key that it
        // has ever seen, let messages wait for another's slow answer, and refuse a key's messages after a
        // failure until somebody calls `resume_publish`. What orders messages is that a sender has its
        // answer before it sends the next.
        let publisher = single(&open.base, &self.connections.connector.topic);
        publisher.publish(message).await
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if let Some(connection) = &self.connection {
            self.connections.retire(connection);
        }
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

/// Whether it was Pub/Sub that said no: then the connection is sound.
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
