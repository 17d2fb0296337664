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
//! So only a trouble that no waiting mends ends it: then the deployment fails, while somebody watches.

use crate::error::StartError;
use crate::setting::{BLOB_STORE, FALLBACK, Name, QUEUE, SPOOL_DIR, Setting};
use futures_util::future::join_all;
use labelrelay_core::clock::within;
use labelrelay_core::config::{Config, ConfigError, Lookup};
use labelrelay_core::relay::{Check, CheckError, Resource};
use labelrelay_core::{QueueErrorKind, Relay, chain};
use std::path::Path;
use std::time::Duration;

/// Something that is not as it should be.
#[derive(Debug)]
#[non_exhaustive]
pub struct FailedCheck {
    /// The thing that is not as it should be.
    pub resource: Resource,
    /// The source, where it is about one.
    pub source: Option<String>,
    /// The trouble; `None` when nothing came back in time.
    pub error: Option<CheckError>,
}

impl FailedCheck {
    /// Name in the log.
    pub fn what(&self) -> &'static str {
        match self.resource {
            Resource::Secrets => "secrets_unreadable",
            Resource::Queue => "queue_not_ready",
            Resource::BlobStore => "blob_store_not_ready",
            Resource::Spool => "spool_not_ready",
            Resource::Fallback => "fallback_not_ready",
        }
    }

    /// The trouble, with everything that it came from, on one line.
    pub fn reason(&self) -> String {
        match &self.error {
            None => "no answer in time".to_owned(),
            // Its own words name the source already.
            Some(CheckError::Secret { error, .. }) => error.message.clone(),
            Some(CheckError::Queue(error)) => chain(error),
            Some(CheckError::Blob(error)) => chain(error),
            Some(CheckError::Fallback(error)) => format!("fallback: {}", chain(error)),
            Some(CheckError::Spool(error)) => error.to_string(),
        }
    }

    /// Tells whether waiting is in vain.
    fn is_permanent(&self) -> bool {
        match &self.error {
            None | Some(CheckError::Spool(_)) => false,
            Some(CheckError::Secret { error, .. }) => !error.retryable,
            Some(CheckError::Queue(error)) => matches!(
                error.kind,
                QueueErrorKind::Denied | QueueErrorKind::Misconfigured
            ),
            Some(CheckError::Blob(error) | CheckError::Fallback(error)) => !error.retryable,
        }
    }

    /// Tells whether a fallback can take the place of what failed.
    fn can_be_stood_in_for(&self) -> bool {
        matches!(self.resource, Resource::Queue | Resource::BlobStore)
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
            Some(CheckError::Spool(_)) => SPOOL_DIR,
            Some(CheckError::Queue(_)) | None => QUEUE,
        };
        let at = setting(name);
        let cure = format!(
            "correct `{}`, or what it names, or let this program use it",
            at.key
        );
        ConfigError::new(at.origin, at.key, &self.reason(), &cure)
    }
}

/// Runs all checks of the relay at the same time, each for `patience` at most, and returns what is not as it should
/// be. Opens connections ahead of the first delivery. Without `connecting`, it reads the secrets alone.
pub async fn examine(relay: &Relay, patience: Duration, connecting: bool) -> Vec<FailedCheck> {
    let checks = relay.checks().into_iter();
    let checks = checks.filter(|check| connecting || check.resource == Resource::Secrets);
    let found = checks.map(|check| within_patience(relay, patience, check));
    join_all(found).await.into_iter().flatten().collect()
}

async fn within_patience(
    relay: &Relay,
    patience: Duration,
    check: Check<'_>,
) -> Option<FailedCheck> {
    let error = match within(&*relay.parts().clock, patience, check.run).await {
        Ok(Ok(())) => return None,
        Ok(Err(error)) => Some(error),
        Err(_) => None,
    };
    Some(FailedCheck {
        resource: check.resource,
        source: check.source.map(str::to_owned),
        error,
    })
}

/// Applies the policy to what was found. What is waited for is logged.
///
/// # Errors
/// [`StartError`] when the start ends.
pub fn settle(
    found: &[FailedCheck],
    relay: &Relay,
    config: &Config,
    lookup: Lookup<'_>,
) -> Result<(), StartError> {
    let has_fallback = relay.parts().fallback.is_some();
    let fallback_works =
        has_fallback && !found.iter().any(|one| one.resource == Resource::Fallback);
    for one in found {
        let replaced = fallback_works && one.can_be_stood_in_for();
        if one.is_permanent() && !replaced {
            return Err(one.ends_with(config, lookup).into());
        }
        let (what, source, reason) = (one.what(), one.source.as_deref(), one.reason());
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
    let mut warnings = Vec::from_iter(relay.doubt().await);
    warnings.extend(relay.warnings().await);
    warn(&warnings);
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

    fn failed(error: Option<CheckError>) -> FailedCheck {
        FailedCheck {
            resource: Resource::Queue,
            source: None,
            error,
        }
    }

    #[test]
    fn retryable_errors_are_waited_for() {
        let queue = |kind| CheckError::from(QueueError::new(kind, "x"));
        let secret = |error| CheckError::Secret {
            name: "a".to_owned(),
            error,
        };
        for (error, permanent) in [
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
            let found = failed(Some(error));
            assert_eq!(found.is_permanent(), permanent, "{found:?}");
        }
        let late = failed(None);
        assert!(!late.is_permanent());
        assert_eq!(late.reason(), "no answer in time");
    }
}
