//! Dead letters of a topic's subscriptions, as far as a look shows them. Pub/Sub tells their number to Cloud Monitoring
//! alone.

use super::PubSubQueue;
use super::error::rest_error;
use super::subscription_settings::Settings;
use crate::rest::{Rest, RestError, parse};
use bytes::Bytes;
use http::Method;
use labelrelay_core::{DeadLetterCount, QueueError};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Subscriptions of one topic that are asked.
const SUBSCRIPTIONS: usize = 10;

/// Messages of a subscription that a look takes at most: they are in memory whole.
const SEEN: usize = 5;

/// Words for whoever may not look, or has nothing that can be looked into.
const HOW: &str = "not counted: Pub/Sub tells their number to Cloud Monitoring alone (num_undelivered_messages of the subscription that has them), and `gcloud pubsub subscriptions pull` shows some of them. With roles/pubsub.viewer on the topic and its subscriptions, and roles/pubsub.subscriber on that of the dead letters, a few are looked at here";

#[derive(Deserialize, Default)]
#[serde(default)]
struct Listed {
    subscriptions: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Pulled {
    received_messages: Vec<ReceivedMessage>,
}

/// A message, of which only the receipt is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceivedMessage {
    ack_id: String,
}

impl PubSubQueue {
    /// Looks at a few dead letters, and gives them back at once.
    pub(super) async fn look_for_dead_letters(&self) -> Result<DeadLetterCount, QueueError> {
        match look(&self.rest, &self.resource).await {
            Ok(Some(seen)) => Ok(DeadLetterCount::AtLeast(seen)),
            Ok(None) => Ok(DeadLetterCount::Unknown(Some(HOW))),
            Err(error) if is_refused(&error) => Ok(DeadLetterCount::Unknown(Some(HOW))),
            Err(error) => Err(rest_error(&error, &self.resource)),
        }
    }
}

/// Number of dead letters that were seen; `None` where there is nothing to look into.
async fn look(rest: &Rest, topic: &str) -> Result<Option<u64>, RestError> {
    let mut places = BTreeSet::new();
    for (_, settings) in subscriptions(rest, topic).await? {
        places.extend(settings.dead_letter_topic().map(str::to_owned));
    }
    let mut seen = None;
    for place in places {
        for (name, settings) in subscriptions(rest, &place).await? {
            // A look counts as a delivery, which may make a dead letter of a dead letter.
            if settings.pushes() || settings.dead_letter_topic().is_some() {
                continue;
            }
            let some = pull(rest, &name).await?;
            seen = Some(seen.unwrap_or(0) + some);
        }
    }
    Ok(seen)
}

/// The subscriptions of a topic, by their names.
async fn subscriptions(rest: &Rest, topic: &str) -> Result<Vec<(String, Settings)>, RestError> {
    let listed: Listed = parse(&get(rest, &format!("{topic}/subscriptions")).await?)?;
    let mut all = Vec::new();
    for name in listed.subscriptions.into_iter().take(SUBSCRIPTIONS) {
        let settings = parse(&get(rest, &name).await?)?;
        all.push((name, settings));
    }
    Ok(all)
}

/// Takes a few messages of a subscription and gives them back; their number.
async fn pull(rest: &Rest, subscription: &str) -> Result<u64, RestError> {
    let asked = json!({ "maxMessages": SEEN, "returnImmediately": true });
    let pulled: Pulled = parse(&post(rest, subscription, "pull", &asked).await?)?;
    let messages = pulled.received_messages.into_iter();
    let ids: Vec<_> = messages.map(|message| message.ack_id).collect();
    let seen = ids.len() as u64;
    if seen > 0 {
        let back = json!({ "ackIds": ids, "ackDeadlineSeconds": 0 });
        // If this fails, they are back once the subscription's own deadline is over.
        let _ = post(rest, subscription, "modifyAckDeadline", &back).await;
    }
    Ok(seen)
}

async fn get(rest: &Rest, resource: &str) -> Result<Bytes, RestError> {
    let request = rest.request(Method::GET, &format!("/v1/{resource}"));
    rest.send(request).await
}

async fn post(rest: &Rest, resource: &str, method: &str, body: &Value) -> Result<Bytes, RestError> {
    let request = rest
        .request(Method::POST, &format!("/v1/{resource}:{method}"))
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body.to_string());
    rest.send(request).await
}

/// Tells whether only this question is not allowed, or is about what cannot be pulled from. Sending needs less.
fn is_refused(error: &RestError) -> bool {
    let status = error.status();
    status.is_some_and(|status| [400, 401, 403, 404].contains(&status.as_u16()))
}
