//! The one policy of a start: what ends it, and what is waited for.
//!
//! | what is wrong | what becomes of the start |
//! |---|---|
//! | a secret that is not there, or that nobody may read | it ends |
//! | a queue or a blob store that refuses us or does not exist, without a fallback | it ends |
//! | the same, with a fallback that takes events | it begins; events go to the fallback |
//! | a fallback that refuses us or does not exist | it ends |
//! | anything that cannot be reached now, is full, slow or busy | it begins; the next request tries again |
//! | a spool | it begins; small bodies need none |
//!
//! Whoever ends a start that could have begun loses events: a platform that meets nobody does not come again.
//! So only a trouble that no waiting mends ends it, and somebody is told while he looks.

use crate::error::StartError;
use crate::setting::{BLOB_STORE, FALLBACK, Name, QUEUE, Setting};
use futures_util::future::join_all;
use labelrelay_core::clock::within;
use labelrelay_core::config::{Config, ConfigError, Lookup};
use labelrelay_core::relay::CheckError;
use labelrelay_core::{BoxFuture, QueueErrorKind, Relay, chain};
use std::path::Path;
use std::time::Duration;

/// Something that is not as it should be.
#[derive(Debug)]
#[non_exhaustive]
pub struct Found {
    /// Name in the log.
    pub what: &'static str,
    /// The source, where it is about one.
    pub source: Option<String>,
    /// The trouble; `None` when nothing came back in time.
    pub error: Option<CheckError>,
}

impl Found {
    /// The trouble, with everything that it came from, on one line.
    pub fn reason(&self) -> String {
        match &self.error {
            None => "no answer in time".to_owned(),
            // Its own words name the source already.
            Some(CheckError::Secret { error, .. }) => error.message.clone(),
            Some(CheckError::Queue(error)) => chain(error),
            Some(CheckError::Blob(error)) => chain(error),
            Some(CheckError::Fallback(error)) => format!("fallback: {}", chain(error)),
            Some(other) => other.to_string(),
        }
    }

    /// Whether no waiting would help.
    fn lasts(&self) -> bool {
        match &self.error {
            None | Some(CheckError::Spool(_)) => false,
            Some(CheckError::Secret { error, .. }) => !error.retryable,
            Some(CheckError::Queue(error)) => matches!(
                error.kind,
                QueueErrorKind::Denied | QueueErrorKind::Misconfigured
            ),
            Some(CheckError::Blob(error) | CheckError::Fallback(error)) => !error.retryable,
            Some(_) => true,
        }
    }

    /// Whether a fallback would do instead.
    fn can_be_stood_in_for(&self) -> bool {
        matches!(self.what, "queue_not_ready" | "blob_store_not_ready")
    }

    fn ends_with(&self, config: &Config, lookup: Lookup<'_>) -> ConfigError {
        let setting = |name: Name| Setting::of(name, config, lookup, Path::new(""));
        let name = match &self.error {
            Some(CheckError::Blob(_)) => BLOB_STORE,
            Some(CheckError::Fallback(_)) => FALLBACK,
            Some(CheckError::Secret { name, .. }) => {
                let cure = "correct the reference, or what it names, or let this program read it";
                let problem = format!("source `{name}`: {}", self.reason());
                let key = format!("source.{name}.secret");
                return ConfigError::new(&config.origin, &key, &problem, cure);
            }
            _ => QUEUE,
        };
        let at = setting(name);
        let cure = format!(
            "correct `{}`, or what it names, or let this program use it",
            at.key
        );
        ConfigError::new(at.origin, at.key, &self.reason(), &cure)
    }
}

/// Looks at everything at the same time, each for `patience` at most: what is not as it should be. Opens
/// connections ahead of the first delivery. Without `connecting`, at the secrets alone.
pub async fn examine(relay: &Relay, patience: Duration, connecting: bool) -> Vec<Found> {
    let parts = relay.parts();
    let mut looks: Vec<BoxFuture<'_, Option<Found>>> = Vec::new();
    for source in relay.sources() {
        let name = &source.name;
        let read = async move {
            // Secrets at hand may work for minutes yet; whoever starts shall know that they will end.
            let failed = source.secrets.live().await.err();
            match failed.or_else(|| source.secrets.failure()) {
                None => Ok(()),
                Some(error) => Err(CheckError::Secret {
                    name: name.clone(),
                    error,
                }),
            }
        };
        looks.push(look(
            relay,
            patience,
            "secrets_unreadable",
            Some(name),
            read,
        ));
    }
    if connecting {
        let queue = async { Ok(parts.queue.check().await?) };
        looks.push(look(relay, patience, "queue_not_ready", None, queue));
        if let Some(blobs) = &parts.blobs {
            let blobs = async { Ok(blobs.check().await?) };
            looks.push(look(relay, patience, "blob_store_not_ready", None, blobs));
        }
        if let Some(spool) = &parts.spool {
            let spool = async { Ok(spool.check().await?) };
            looks.push(look(relay, patience, "spool_not_ready", None, spool));
        }
        if let Some(fallback) = &parts.fallback {
            let fallback = async { fallback.check().await.map_err(CheckError::Fallback) };
            looks.push(look(relay, patience, "fallback_not_ready", None, fallback));
        }
    }
    join_all(looks).await.into_iter().flatten().collect()
}

fn look<'a>(
    relay: &'a Relay,
    patience: Duration,
    what: &'static str,
    source: Option<&'a String>,
    check: impl Future<Output = Result<(), CheckError>> + Send + 'a,
) -> BoxFuture<'a, Option<Found>> {
    Box::pin(async move {
        let error = match within(&*relay.parts().clock, patience, check).await {
            Ok(Ok(())) => return None,
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        Some(Found {
            what,
            source: source.cloned(),
            error,
        })
    })
}

/// Applies the policy to what was found. What is waited for is logged.
///
/// # Errors
/// [`StartError`] when the start ends.
pub fn settle(
    found: &[Found],
    relay: &Relay,
    config: &Config,
    lookup: Lookup<'_>,
) -> Result<(), StartError> {
    let has_fallback = relay.parts().fallback.is_some();
    let fallback_works = has_fallback && !found.iter().any(|one| one.what == "fallback_not_ready");
    for one in found {
        let replaced = fallback_works && one.can_be_stood_in_for();
        if one.lasts() && !replaced {
            return Err(one.ends_with(config, lookup).into());
        }
        let (what, source, reason) = (one.what, one.source.as_deref(), one.reason());
        if replaced {
            tracing::error!(name: "not_ready", what, source, reason, "not ready; events go to the fallback meanwhile");
        } else {
            tracing::error!(name: "not_ready", what, source, reason, "not ready; the next request tries again");
        }
    }
    Ok(())
}

/// The last step of a cloud's program before it only serves: examines everything, applies the policy, and logs
/// what works but should not stay.
///
/// # Errors
/// [`StartError`] when the start ends.
pub async fn warm(
    relay: &Relay,
    config: &Config,
    lookup: Lookup<'_>,
    patience: Duration,
    connecting: bool,
) -> Result<(), StartError> {
    let found = examine(relay, patience, connecting).await;
    settle(&found, relay, config, lookup)?;
    warn(&relay.warnings().await);
    Ok(())
}

/// Logs what works but should not stay.
pub fn warn(warnings: &[String]) {
    for warning in warnings {
        tracing::warn!(name: "configuration_warning", "{warning}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_core::{BlobError, QueueError, SecretError, SpoolError};

    fn found(error: Option<CheckError>) -> Found {
        Found {
            what: "queue_not_ready",
            source: None,
            error,
        }
    }

    #[test]
    fn what_may_pass_is_waited_for() {
        let queue = |kind| CheckError::from(QueueError::new(kind, "x"));
        let secret = |error| CheckError::Secret {
            name: "a".to_owned(),
            error,
        };
        for (error, lasts) in [
            (queue(QueueErrorKind::Unavailable), false),
            (queue(QueueErrorKind::Throttled), false),
            (queue(QueueErrorKind::Late), false),
            (queue(QueueErrorKind::Full), false),
            (queue(QueueErrorKind::Unproven), false),
            (queue(QueueErrorKind::Denied), true),
            (queue(QueueErrorKind::Misconfigured), true),
            (CheckError::from(BlobError::transient("x")), false),
            (CheckError::from(BlobError::permanent("x")), true),
            (CheckError::Fallback(BlobError::transient("x")), false),
            (CheckError::Fallback(BlobError::permanent("x")), true),
            (CheckError::from(SpoolError::new("x")), false),
            (secret(SecretError::transient("x")), false),
            (secret(SecretError::permanent("x")), true),
        ] {
            let found = found(Some(error));
            assert_eq!(found.lasts(), lasts, "{found:?}");
        }
        let late = found(None);
        assert!(!late.lasts());
        assert_eq!(late.reason(), "no answer in time");
    }
}
