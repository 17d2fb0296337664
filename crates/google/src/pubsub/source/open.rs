//! Opening of a source: the dead-letter policy.

use super::requests::Subscription;
use super::{BATCH, DeadLetters, PubSubSource};
use crate::location::Topic;
use crate::pubsub::connection::{Connector, PubSubConnections};
use crate::pubsub::subscription_settings::Settings;
use crate::rest::{Rest, parse};
use google_cloud_auth::credentials::Credentials;
use labelrelay_core::{BackEndError, SourceOptions};
use std::sync::atomic::AtomicUsize;

impl PubSubSource {
    /// Asks for the subscription's dead-letter policy. Rejected events go to the topic of the options, else to the
    /// policy's.
    ///
    /// # Errors
    /// [`BackEndError`] when there is no policy, when rejected events would come back, or when the subscription pushes or
    /// cannot be asked.
    pub(crate) async fn open(
        url: &str,
        options: &SourceOptions,
        rest: Rest,
        endpoint: Option<String>,
        credentials: Credentials,
    ) -> Result<Self, BackEndError> {
        let (project, subscription) = subscription(url)?;
        let given = match options.dead_letter.as_deref() {
            None => None,
            Some(place) if place.contains("://") => Some(Topic::parse(place)?),
            Some(name) => Some(Topic::parse(&format!("pubsub://{project}/{name}"))?),
        };
        let subscription = Subscription {
            rest,
            resource: subscription,
        };
        let settings = subscription.settings().await.map_err(|error| {
            let problem = format!("cannot be consumed: {}: {}", error.resource, error.problem);
            let told = BackEndError::new(url, problem, error.cure);
            if error.retryable {
                told.retryable()
            } else {
                told
            }
        })?;
        let settings: Settings = parse(&settings).map_err(|error| {
            let cure = "look for a proxy that changes answers between here and Pub/Sub";
            BackEndError::new(url, format!("cannot be consumed: Pub/Sub {error}"), cure).retryable()
        })?;
        if settings.pushes() {
            let problem = "pushes its messages, so that none can be pulled";
            let cure = "name another subscription of the topic, of the kind that is pulled from";
            return Err(BackEndError::new(url, problem, cure));
        }
        let Some(policy) = settings.dead_letter_topic() else {
            let problem =
                "has no topic for dead letters, so an event that fails would come for ever";
            let cure = "give the subscription a dead-letter policy (gcloud pubsub subscriptions update --dead-letter-topic=TOPIC)";
            return Err(BackEndError::new(url, problem, cure));
        };
        let topic = given.map_or_else(|| policy.to_owned(), |topic| topic.resource());
        if topic == settings.topic {
            let problem = "has messages of the topic that its dead letters go to, so each would come back as a new one";
            let cure = "name another topic for dead letters";
            return Err(BackEndError::new(url, problem, cure));
        }
        if options.max_receives.is_some() {
            tracing::warn!(name: "max_receives_unused", subscription = url, "the subscription's dead-letter policy says after how many deliveries an event is a dead letter; the number that was set here has no effect");
        }
        let connector = Connector {
            topic: topic.clone(),
            endpoint,
            credentials,
        };
        Ok(Self {
            subscription,
            dead_letters: DeadLetters {
                connections: PubSubConnections::new(connector),
                topic,
            },
            is_ordered: settings.enable_message_ordering,
            batch: AtomicUsize::new(BATCH),
        })
    }
}

/// Project and name in Google's cloud of the subscription at `url`.
fn subscription(url: &str) -> Result<(String, String), BackEndError> {
    // Names are made of the same characters as a topic's.
    let named = Topic::parse(url).ok().filter(|named| !named.ordered);
    let named = named.ok_or_else(|| {
        let cure = "write pubsub://PROJECT/SUBSCRIPTION";
        BackEndError::new(url, "is not the URL of a subscription of Pub/Sub", cure)
    })?;
    let resource = format!("projects/{}/subscriptions/{}", named.project, named.id);
    Ok((named.project, resource))
}
