//! The clouds' back ends, NATS and Postgres: whose a URL or a reference is, and that one opened. Each is a feature of the
//! build, off by default, so that `labelrelay` builds in minutes.

use crate::env::Env;
use labelrelay_core::{BackEndError, Clock, CommandLineBackEnd};
use std::fmt;
use std::sync::Arc;

/// Whose a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cloud {
    Aws,
    Google,
    Azure,
    /// No cloud, but as far away: a server that others run.
    Postgres,
    /// No cloud, but as far away: servers that others run.
    Nats,
}

impl Cloud {
    /// Whose queue a URL names. A full URL is Azure's when it is signed or says so in its host, else AWS's.
    pub(crate) fn of_queue(url: &str) -> Option<Self> {
        match scheme(url) {
            "pubsub" => Some(Self::Google),
            "azure-queue" | "servicebus" => Some(Self::Azure),
            "postgres" | "postgresql" => Some(Self::Postgres),
            "nats" | "tls" => Some(Self::Nats),
            "https" | "http" if is_azures(url) => Some(Self::Azure),
            "sqs" | "https" | "http" => Some(Self::Aws),
            _ => None,
        }
    }

    /// Whose store a URL names.
    pub(crate) fn of_store(url: &str) -> Option<Self> {
        match scheme(url) {
            "s3" => Some(Self::Aws),
            "gs" => Some(Self::Google),
            "az" | "https" | "http" => Some(Self::Azure),
            _ => None,
        }
    }

    /// Whose store of secrets a reference's scheme names.
    pub(crate) fn of_secret(scheme: &str) -> Self {
        match scheme {
            "gcp-secretmanager" => Self::Google,
            "azure-keyvault" => Self::Azure,
            _ => Self::Aws,
        }
    }

    /// Opens it, for the sake of `resource`. Must be called within a Tokio runtime: Google's tokens are renewed by
    /// a task of it.
    pub(crate) fn open(
        self,
        env: &Env<'_>,
        clock: &Arc<dyn Clock>,
        resource: &str,
    ) -> Result<Arc<dyn CommandLineBackEnd>, BackEndError> {
        // Not every build has a use for all of these.
        let _ = (env, clock, resource);
        match self {
            #[cfg(feature = "aws")]
            Self::Aws => Ok(Arc::new(labelrelay_aws::Aws::load_any_identity(
                env.lookup(),
            )?)),
            #[cfg(feature = "google")]
            Self::Google => Ok(Arc::new(labelrelay_google::Google::load(env.lookup())?)),
            #[cfg(feature = "azure")]
            Self::Azure => Ok(Arc::new(labelrelay_azure::Azure::load(
                env.lookup(),
                Arc::clone(clock),
            )?)),
            #[cfg(feature = "postgres")]
            Self::Postgres => Ok(Arc::new(labelrelay_postgres::Postgres::load(
                env.lookup(),
                Arc::clone(clock),
            ))),
            #[cfg(feature = "nats")]
            Self::Nats => Ok(Arc::new(labelrelay_nats::Nats::load(
                env.lookup(),
                Arc::clone(clock),
            ))),
            #[cfg(not(all(
                feature = "aws",
                feature = "google",
                feature = "azure",
                feature = "nats",
                feature = "postgres"
            )))]
            missing => Err(missing.not_built(resource)),
        }
    }

    #[cfg(not(all(
        feature = "aws",
        feature = "google",
        feature = "azure",
        feature = "nats",
        feature = "postgres"
    )))]
    pub(crate) fn not_built(self, resource: &str) -> BackEndError {
        let feature = match self {
            Self::Aws => "aws",
            Self::Google => "google",
            Self::Azure => "azure",
            Self::Postgres => "postgres",
            Self::Nats => "nats",
        };
        BackEndError::new(
            resource,
            format!("is of {self}, and this labelrelay was built without the feature `{feature}`"),
            format!(
                "build it with that: cargo install --path crates/cli --features {feature} (the container image has all of them), or name a place on this machine"
            ),
        )
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aws => "AWS",
            Self::Google => "Google Cloud",
            Self::Azure => "Azure",
            Self::Postgres => "Postgres",
            Self::Nats => "NATS",
        })
    }
}

fn scheme(url: &str) -> &str {
    url.split_once(':').map_or("", |(scheme, _)| scheme)
}

fn is_azures(url: &str) -> bool {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let host = place.split('/').nth(2).unwrap_or_default();
    host.contains(".queue.") || query.split('&').any(|pair| pair.starts_with("sig="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_url_tells_whose_queue_it_is() {
        for (url, cloud) in [
            ("sqs://eu-west-1/1/events", Some(Cloud::Aws)),
            (
                "https://sqs.eu-west-1.amazonaws.com/1/events",
                Some(Cloud::Aws),
            ),
            (
                "http://127.0.0.1:4566/000000000000/events",
                Some(Cloud::Aws),
            ),
            (
                "https://account.queue.core.windows.net/events",
                Some(Cloud::Azure),
            ),
            (
                "http://127.0.0.1:10001/account/events?sv=1&sig=x",
                Some(Cloud::Azure),
            ),
            ("azure-queue://account/events", Some(Cloud::Azure)),
            ("servicebus://space/events", Some(Cloud::Azure)),
            ("pubsub://project/topic", Some(Cloud::Google)),
            ("postgres://relay@db/events", Some(Cloud::Postgres)),
            ("postgresql://relay@db/events", Some(Cloud::Postgres)),
            ("nats://n:4222/EVENTS/labels", Some(Cloud::Nats)),
            ("tls://n:4222/EVENTS/labels", Some(Cloud::Nats)),
            ("sqlite:queue.db", None),
            ("events", None),
        ] {
            assert_eq!(Cloud::of_queue(url), cloud, "{url}");
        }
    }

    #[cfg(not(feature = "google"))]
    #[test]
    fn a_back_end_that_was_not_built_in_is_named_with_its_feature() {
        let env = Env::new(&|_: &str| None, std::path::PathBuf::new());
        let clock: Arc<dyn Clock> = Arc::new(labelrelay_startup::SystemClock::new());
        let opened = Cloud::Google.open(&env, &clock, "pubsub://p/t");
        let error = opened.err().unwrap().at("labelrelay.toml", "queue");
        let error = error.to_string();
        for word in [
            "labelrelay.toml: `queue`",
            "Google Cloud",
            "--features google",
        ] {
            assert!(error.contains(word), "{error}");
        }
    }
}
