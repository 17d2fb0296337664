//! A topic's subscriptions: whether there is one, and their dead letters, as far as a look shows them. Pub/Sub tells
//! the number of these to Cloud Monitoring alone.

use super::PubSubQueue;
use super::error::rest_error;
use super::subscription_settings::Settings;
use crate::rest::{Rest, RestError, parse};
use bytes::Bytes;
use http::Method;
use labelrelay_core::{DeadLetterCount, QueueError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Subscriptions of one topic that are asked.
const SUBSCRIPTIONS: usize = 10;

/// Messages of a subscription that a look takes at most: they are in memory whole.
const SEEN: usize = 5;

/// Words for whoever may not look, or has nothing that can be looked into.
const HOW: &str = "not counted: Pub/Sub tells their number to Cloud Monitoring alone (num_undelivered_messages of the subscription that has them), and `gcloud pubsub subscriptions pull` shows some of them. With roles/pubsub.viewer on the topic and its subscriptions, and roles/pubsub.subscriber on that of the dead letters, a few are looked at here";

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Listed {
    subscriptions: Vec<String>,
    next_page_token: String,
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
    /// Tells whether the topic has no subscription at all. Whoever may not look is not told of it.
    pub(super) async fn lacks_subscriptions(&self) -> bool {
        let listed: Result<Listed, RestError> =
            read(&self.rest, &format!("{}/subscriptions", self.resource)).await;
        listed.is_ok_and(|listed| {
            listed.subscriptions.is_empty() && listed.next_page_token.is_empty()
        })
    }

    /// Looks at a few dead letters, and gives them back at once.
    pub(super) async fn look_for_dead_letters(&self) -> Result<DeadLetterCount, QueueError> {
        let mut look = Look {
            rest: &self.rest,
            is_partial: false,
        };
        let seen = look.beside(&self.resource).await;
        let seen = seen.map_err(|error| rest_error(&error, &self.resource))?;
        Ok(match seen {
            // There may be some where nothing could be seen.
            Some(0) if look.is_partial => DeadLetterCount::Unknown(Some(HOW)),
            Some(seen) => DeadLetterCount::AtLeast(seen),
            None => DeadLetterCount::Unknown(Some(HOW)),
        })
    }
}

/// A look at the dead letters of a topic's subscriptions.
struct Look<'a> {
    rest: &'a Rest,
    /// Something of it was refused, such as a subscription in another project.
    is_partial: bool,
}

impl Look<'_> {
    /// Number of dead letters that were seen; `None` where there is nothing to look into.
    async fn beside(&mut self, topic: &str) -> Result<Option<u64>, RestError> {
        let mut places = BTreeSet::new();
        let subscriptions = self.subscriptions(topic).await?;
        for (_, settings) in &subscriptions {
            places.extend(settings.dead_letter_topic().map(str::to_owned));
        }
        let mut seen: Option<u64> = None;
        for place in places {
            if let Some(more) = self.on(&place).await? {
                seen = Some(seen.unwrap_or(0) + more);
            }
        }
        Ok(seen)
    }

    /// The same of one topic for dead letters. Each of its subscriptions has a copy of each, so the one that shows most
    /// says how many there are at least.
    async fn on(&mut self, place: &str) -> Result<Option<u64>, RestError> {
        let mut most: Option<u64> = None;
        let subscriptions = self.subscriptions(place).await?;
        for (name, settings) in &subscriptions {
            // A look counts as a delivery, which may make a dead letter of a dead letter.
            if settings.pushes() || settings.dead_letter_topic().is_some() {
                continue;
            }
            let pulled = pull(self.rest, name).await;
            most = most.max(self.allowed(pulled)?);
        }
        Ok(most)
    }

    /// The subscriptions of a topic that may be seen, by their names.
    async fn subscriptions(&mut self, topic: &str) -> Result<Vec<(String, Settings)>, RestError> {
        let listed: Result<Listed, RestError> =
            read(self.rest, &format!("{topic}/subscriptions")).await;
        let listed = self.allowed(listed)?.unwrap_or_default();
        let mut all = Vec::new();
        for name in listed.subscriptions.into_iter().take(SUBSCRIPTIONS) {
            let settings: Result<Settings, RestError> = read(self.rest, &name).await;
            if let Some(settings) = self.allowed(settings)? {
                all.push((name, settings));
            }
        }
        Ok(all)
    }

    /// An answer, or `None` where only this question is refused: others may be answered all the same.
    fn allowed<T>(&mut self, answer: Result<T, RestError>) -> Result<Option<T>, RestError> {
        match answer {
            Err(error) if is_refused(&error) => {
                self.is_partial = true;
                Ok(None)
            }
            answer => answer.map(Some),
        }
    }
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

/// Reads a resource.
async fn read<T: DeserializeOwned>(rest: &Rest, resource: &str) -> Result<T, RestError> {
    let request = rest.request(Method::GET, &format!("/v1/{resource}"));
    parse(&rest.send(request).await?)
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
