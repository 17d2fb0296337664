//! Queues of a stand-in, from the outside: made, read and emptied with the SDK itself.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{
    BehaviorVersion, Credentials, IdentityCache, Region, StalledStreamProtectionConfig,
};
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName,
};
use labelrelay_core::BoxFuture;
use labelrelay_testkit::queue_suite::{Reader, Received};
use labelrelay_tests::servers::{KEY, REGION};
use std::time::Duration;

/// A client of what answers at `endpoint`.
pub(crate) fn client(endpoint: &str) -> Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new(KEY, KEY, None, None, "test"))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .identity_cache(IdentityCache::no_cache())
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    Client::from_conf(config)
}

/// Makes a queue and returns its URL.
pub(crate) async fn create(
    client: &Client,
    name: &str,
    attributes: &[(QueueAttributeName, &str)],
) -> String {
    let mut request = client.create_queue().queue_name(name);
    if name.strip_suffix(".fifo").is_some() {
        request = request.attributes(QueueAttributeName::FifoQueue, "true");
    }
    for (key, value) in attributes {
        request = request.attributes(key.clone(), *value);
    }
    let answer = request.send().await.expect("a queue is made");
    answer.queue_url().expect("its URL").to_owned()
}

/// Up to ten messages, with all that stands beside them.
pub(crate) async fn receive(
    client: &Client,
    url: &str,
    max: usize,
    visibility: Duration,
) -> Vec<Message> {
    let answer = client
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(i32::try_from(max.min(10)).unwrap())
        .visibility_timeout(i32::try_from(visibility.as_secs()).unwrap())
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .message_attribute_names("All")
        .send()
        .await
        .expect("messages are received");
    answer.messages.unwrap_or_default()
}

/// The consumer's side of one queue.
pub(crate) struct Consumer {
    pub(crate) client: Client,
    pub(crate) url: String,
}

impl Reader for Consumer {
    fn receive(&self, max: usize, visibility: Duration) -> BoxFuture<'_, Vec<Received>> {
        Box::pin(async move {
            let mut all = Vec::new();
            while all.len() < max {
                let some = receive(&self.client, &self.url, max - all.len(), visibility).await;
                if some.is_empty() {
                    break;
                }
                all.extend(some.iter().map(received));
            }
            all
        })
    }

    fn acknowledge<'a>(&'a self, receipt: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let entry = DeleteMessageBatchRequestEntry::builder()
                .id("one")
                .receipt_handle(receipt)
                .build()
                .unwrap();
            let request = self.client.delete_message_batch().queue_url(&self.url);
            let answer = request.entries(entry).send().await.expect("an answer");
            answer.failed().is_empty()
        })
    }
}

fn received(message: &Message) -> Received {
    let attributes = message.attributes().expect("system attributes");
    let count = &attributes[&MessageSystemAttributeName::ApproximateReceiveCount];
    Received {
        body: message.body().expect("a body").as_bytes().to_vec(),
        receive_count: count.parse().unwrap(),
        receipt: message.receipt_handle().expect("a receipt").to_owned(),
    }
}
