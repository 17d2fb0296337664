//! The queue: SQS, standard or FIFO.

mod answer_digests;
mod attributes;
mod check;
mod dead_letters;
mod error;
mod extended;
mod fifo_ids;
mod location;
mod message_content;
mod source;

pub use extended::ExtendedSqsQueue;
pub(crate) use location::QueueLocation;
pub(crate) use source::SqsRequests;
pub use source::SqsSource;

use crate::http::Http;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{
    BehaviorVersion, Config, IdentityCache, Region, StalledStreamProtectionConfig,
};
use error::SqsErrorContext;
use labelrelay_core::{
    BoxFuture, Copies, DeadLetterCount, EventQueue, OutboundMessage, QueueError, QueueErrorKind,
    QueueLimits, Receipt,
};
use message_content::MessageContent;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Limit of SQS, unless a queue was configured with a lower one.
const MAX_MESSAGE_BYTES: u64 = 1_048_576;

/// A queue of SQS.
pub struct SqsQueue {
    config: Config,
    client: OnceLock<Client>,
    http: Http,
    location: QueueLocation,
    region: String,
    max_message_bytes: AtomicU64,
}

impl SqsQueue {
    pub(crate) fn new(
        location: QueueLocation,
        region: String,
        endpoint: Option<String>,
        credentials: SharedCredentialsProvider,
        http: Http,
    ) -> Self {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.clone()))
            .endpoint_url(endpoint.unwrap_or_else(|| location.origin.clone()))
            .credentials_provider(credentials)
            .identity_cache(IdentityCache::no_cache())
            .http_client(http.clone())
            // The relay decides how long and how often.
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Self {
            config,
            client: OnceLock::new(),
            http,
            location,
            region,
            max_message_bytes: AtomicU64::new(MAX_MESSAGE_BYTES),
        }
    }

    /// Made when it is first needed: the SDK reads the names of all regions then, which is a third of the work
    /// that a function does before it asks for its first event.
    fn client(&self) -> &Client {
        let made = || Client::from_conf(self.config.clone());
        self.client.get_or_init(made)
    }

    /// Tells whether the queue keeps order, and removes repeats within five minutes.
    pub fn is_fifo(&self) -> bool {
        self.location.is_fifo()
    }

    async fn try_send(&self, content: &MessageContent<'_>) -> Result<Receipt, QueueError> {
        let message = content.message;
        let limit = self.limits().max_message_bytes;
        let bytes = content.counted_bytes();
        if bytes > limit {
            return Err(QueueError::new(
                QueueErrorKind::TooLarge,
                format!(
                    "the message has {bytes} bytes with its attributes, the queue takes {limit}"
                ),
            ));
        }
        let errors = self.error_context("sqs:SendMessage");
        let body = String::from_utf8(content.body.to_vec()).map_err(|_| errors.characters())?;
        let mut request = self
            .client()
            .send_message()
            .queue_url(&self.location.url)
            .message_body(body)
            .set_message_attributes(Some(
                content
                    .attribute_values()
                    .map_err(|error| errors.other(&error))?,
            ));
        if self.is_fifo() {
            request = request.message_deduplication_id(fifo_ids::deduplication(message));
        }
        if self.is_fifo() || self.location.fair {
            request = request.message_group_id(fifo_ids::group(message));
        }
        let attempt = self.http.attempt();
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = errors.of(&error);
                // An error that SQS itself stated came over a connection that works.
                if error.answered {
                    attempt.answered();
                }
                return Err(error.error);
            }
        };
        let receipt = answer_digests::verified(&answer, content)?;
        attempt.answered();
        Ok(receipt)
    }

    fn error_context(&self, permission: &'static str) -> SqsErrorContext<'_> {
        SqsErrorContext {
            location: &self.location,
            region: &self.region,
            permission,
        }
    }
}

impl EventQueue for SqsQueue {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(async move { self.try_send(&MessageContent::envelope(message)).await })
    }

    /// The client's text of it, the request with its escapes, and what TLS has not sent yet.
    fn copies(&self) -> Copies {
        Copies {
            of_each: 3,
            of_one: 0,
        }
    }

    fn limits(&self) -> QueueLimits {
        QueueLimits {
            xml_characters_only: true,
            ..QueueLimits::bytes(self.max_message_bytes.load(Ordering::Relaxed))
        }
    }

    fn message_bytes(&self, message: &OutboundMessage) -> u64 {
        attributes::counted_bytes(message)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(self.try_check())
    }

    fn dead_letters(&self) -> BoxFuture<'_, Result<DeadLetterCount, QueueError>> {
        Box::pin(self.count_dead_letters())
    }
}

impl fmt::Debug for SqsQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqsQueue({})", self.location.url)
    }
}
