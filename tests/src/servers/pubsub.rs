//! Google's own emulator of Pub/Sub.

use super::{Server, installed};
use crate::client::once;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::ops::{Deref, DerefMut};
use std::process::Command;

/// The project that topics and subscriptions of tests are in.
const PROJECT: &str = "labelrelay-test";

/// A running emulator without a topic.
pub struct PubSub(Server);

/// A message as a subscriber gets it.
#[derive(Debug, Clone)]
pub struct Pulled {
    /// Token that acknowledges it.
    pub ack_id: String,
    /// Data.
    pub data: Vec<u8>,
    /// Attributes beside the data, sorted by name.
    pub attributes: Vec<(String, String)>,
    /// Ordering key; empty when it has none.
    pub ordering_key: String,
    /// Number of times that it was delivered, where there is a dead-letter topic; else 1.
    pub attempt: u32,
}

impl PubSub {
    /// Starts one, for what a test sends.
    pub fn start() -> Self {
        Self::start_with_memory("1g")
    }

    /// Starts one that holds messages in so much memory, as Java writes it.
    pub fn start_with_memory(memory: &str) -> Self {
        let jar = installed("LABELRELAY_TEST_PUBSUB");
        let java = installed("LABELRELAY_TEST_JAVA");
        Self(Server::start(
            "the Pub/Sub emulator",
            "/",
            |port, folder| {
                let mut command = Command::new(&java);
                command
                    .arg(format!("-Xmx{memory}"))
                    .arg("-XX:+UseSerialGC")
                    .arg(format!("-Djava.io.tmpdir={}", folder.display()))
                    .arg("-jar")
                    .arg(&jar)
                    .arg("--host=127.0.0.1")
                    .arg(format!("--port={port}"));
                command
            },
        ))
    }

    /// The environment of a program that shall use it.
    pub fn environment(&self) -> Vec<(String, String)> {
        vec![("PUBSUB_EMULATOR_HOST".to_owned(), self.address.to_string())]
    }

    /// Makes a topic with one subscription, both of this name; returns the topic's URL.
    pub fn topic(&self, name: &str) -> String {
        self.topic_with(name, &json!({}))
    }

    /// The same, with more settings of the subscription.
    pub fn topic_with(&self, name: &str, subscription: &Value) -> String {
        self.call("PUT", &topic_name(name), &json!({}));
        self.subscribe(name, subscription);
        format!("pubsub://{PROJECT}/{name}")
    }

    /// Makes a topic that nobody subscribes to; returns its URL.
    pub fn topic_without_subscription(&self, name: &str) -> String {
        self.call("PUT", &topic_name(name), &json!({}));
        format!("pubsub://{PROJECT}/{name}")
    }

    fn subscribe(&self, name: &str, more: &Value) {
        let mut settings = json!({ "topic": topic_name(name), "ackDeadlineSeconds": 600 });
        let more = more.as_object().unwrap().clone();
        settings.as_object_mut().unwrap().extend(more);
        self.call("PUT", &subscription_name(name), &settings);
    }

    /// Forgets everything that waits in a subscription that [`topic`](Self::topic) made.
    pub fn clear(&self, name: &str) {
        self.call("DELETE", &subscription_name(name), &json!({}));
        self.subscribe(name, &json!({}));
    }

    /// Takes what is there at once, up to `max` messages.
    pub fn pull(&self, subscription: &str, max: usize) -> Vec<Pulled> {
        let path = format!("{}:pull", subscription_name(subscription));
        let answer = self.call(
            "POST",
            &path,
            &json!({ "maxMessages": max.min(1000), "returnImmediately": true }),
        );
        let none = Vec::new();
        let messages = answer["receivedMessages"].as_array().unwrap_or(&none);
        messages.iter().map(pulled).collect()
    }

    /// Publishes one message with this data to a topic.
    pub fn publish(&self, topic: &str, data: &[u8]) {
        let messages = json!([{ "data": STANDARD.encode(data) }]);
        let path = format!("{}:publish", topic_name(topic));
        self.call("POST", &path, &json!({ "messages": messages }));
    }

    /// Gives messages back after `seconds`.
    pub fn lend(&self, subscription: &str, ack_ids: &[&str], seconds: u64) {
        let path = format!("{}:modifyAckDeadline", subscription_name(subscription));
        self.call(
            "POST",
            &path,
            &json!({ "ackIds": ack_ids, "ackDeadlineSeconds": seconds }),
        );
    }

    /// Acknowledges.
    pub fn acknowledge(&self, subscription: &str, ack_ids: &[&str]) {
        let path = format!("{}:acknowledge", subscription_name(subscription));
        self.call("POST", &path, &json!({ "ackIds": ack_ids }));
    }

    /// Takes and acknowledges everything.
    pub fn drain(&self, subscription: &str) -> Vec<Pulled> {
        let mut all = Vec::new();
        loop {
            let some = self.pull(subscription, 1000);
            if some.is_empty() {
                return all;
            }
            let ids: Vec<_> = some.iter().map(|message| message.ack_id.as_str()).collect();
            self.acknowledge(subscription, &ids);
            all.extend(some);
        }
    }

    fn call(&self, method: &str, resource: &str, body: &Value) -> Value {
        let body = body.to_string();
        let request = format!(
            "{method} /v1/{resource} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = once(self.address, request.as_bytes());
        assert_eq!(answer.status, 200, "{method} {resource}: {}", answer.text());
        serde_json::from_slice(&answer.body).unwrap()
    }
}

fn topic_name(name: &str) -> String {
    format!("projects/{PROJECT}/topics/{name}")
}

fn subscription_name(name: &str) -> String {
    format!("projects/{PROJECT}/subscriptions/{name}")
}

fn pulled(received: &Value) -> Pulled {
    let message = &received["message"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut attributes: Vec<_> = message["attributes"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    attributes.sort();
    Pulled {
        ack_id: text(&received["ackId"]),
        data: STANDARD
            .decode(message["data"].as_str().unwrap_or_default())
            .unwrap(),
        attributes,
        ordering_key: text(&message["orderingKey"]),
        attempt: received["deliveryAttempt"]
            .as_u64()
            .map_or(1, |attempt| u32::try_from(attempt).unwrap()),
    }
}

impl Deref for PubSub {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

impl DerefMut for PubSub {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.0
    }
}
