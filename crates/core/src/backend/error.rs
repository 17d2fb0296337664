//! The error of a back end.

use crate::config::{ConfigError, ENVIRONMENT};

/// Why a back end does not open something: what, why, and how to put it right. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}; {cure}", quoted(resource))]
#[non_exhaustive]
pub struct BackEndError {
    /// The URL or reference that was to be opened, or the variable that is to blame. Empty where it must not be shown.
    pub resource: String,
    /// `true` if `resource` is a variable of the environment.
    pub is_variable: bool,
    /// Problem.
    pub problem: String,
    /// The cure.
    pub cure: String,
    /// `true` if it may open later, although nobody changes the configuration.
    pub retryable: bool,
}

impl BackEndError {
    /// An error of `resource`, a URL or a reference, which somebody has to mend. It is shown as
    /// [`Location::shown`](super::Location::shown) says.
    pub fn new(resource: &str, problem: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            resource: shown(resource).to_owned(),
            is_variable: false,
            problem: problem.into(),
            cure: cure.into(),
            retryable: false,
        }
    }

    /// An error of what is `shown` so, which somebody has to mend. Whoever makes it knows that no secret is in it.
    pub fn of_shown(shown: &str, problem: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            resource: shown.to_owned(),
            ..Self::new("", problem, cure)
        }
    }

    /// The error of a queue that is none of SQS, and for which AWS's form of claim checks is configured.
    pub fn not_of_sqs(queue: &str) -> Self {
        Self::new(
            queue,
            "is no queue of SQS, and sqs-extended-client is a form for consumers of SQS",
            "name a queue of SQS and an S3 blob store, or remove claim_check",
        )
    }

    /// The error of what is to be a store, at a back end that has queues alone.
    pub(super) fn no_store(url: &str) -> Self {
        Self::new(
            url,
            "is a queue, and no store",
            "name a directory or a store of a cloud: file:///DIRECTORY, s3://…, gs://… or az://…",
        )
    }

    /// An error of the environment's variable `name`, which somebody has to mend.
    pub fn of_variable(name: &str, problem: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            resource: name.to_owned(),
            is_variable: true,
            ..Self::new("", problem, cure)
        }
    }

    /// The same error, which may pass.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// The same as an error of the configuration: of the setting `key` in `origin`, unless a variable is to
    /// blame.
    ///
    /// ```
    /// use labelrelay_core::backend::BackEndError;
    ///
    /// let error = BackEndError::new("sqs://x?sig=y", "is not a queue", "write sqs://REGION/ACCOUNT/NAME");
    /// assert_eq!(
    ///     error.at("labelrelay.toml", "queue").to_string(),
    ///     "labelrelay.toml: `queue`: `sqs://x` is not a queue; write sqs://REGION/ACCOUNT/NAME"
    /// );
    /// let error = BackEndError::of_variable("AWS_REGION", "is not set", "set it");
    /// assert_eq!(
    ///     error.at("labelrelay.toml", "queue").to_string(),
    ///     "environment: `AWS_REGION`: is not set; set it"
    /// );
    /// ```
    #[must_use]
    pub fn at(self, origin: &str, key: &str) -> ConfigError {
        if self.is_variable {
            return ConfigError::new(ENVIRONMENT, &self.resource, &self.problem, &self.cure);
        }
        if self.resource == key {
            return ConfigError::new(origin, key, &self.problem, &self.cure);
        }
        let problem = quoted(&self.resource) + &self.problem;
        ConfigError::new(origin, key, &problem, &self.cure)
    }
}

fn quoted(resource: &str) -> String {
    if resource.is_empty() {
        String::new()
    } else {
        format!("`{resource}` ")
    }
}

/// A variable that cannot be read.
impl From<ConfigError> for BackEndError {
    fn from(error: ConfigError) -> Self {
        Self::of_variable(&error.key, error.problem, error.cure)
    }
}

/// The URL as messages show it: see [`Location::shown`](super::Location::shown).
pub(super) fn shown(url: &str) -> &str {
    let bare = url.split('?').next().unwrap_or_default();
    let is_scheme = |scheme: &str| {
        !scheme.is_empty()
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    };
    match bare.split_once(':') {
        // Neither a user with a password, nor a connection string.
        Some((scheme, rest)) if is_scheme(scheme) && !rest.contains(['@', ';', ' ']) => bare,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_may_be_secret_is_shown() {
        for (url, shown) in [
            (
                "sqs://eu-west-1/1/events?group=partition",
                "sqs://eu-west-1/1/events",
            ),
            (
                "https://a.queue.core.windows.net/e?sig=secret",
                "https://a.queue.core.windows.net/e",
            ),
            ("gcp-secretmanager:name", "gcp-secretmanager:name"),
            ("https://user:secret@host/queue", ""),
            ("Endpoint=sb://ns/;SharedAccessKey=secret", ""),
            ("secret", ""),
            ("", ""),
        ] {
            assert_eq!(super::shown(url), shown, "{url}");
            let error = BackEndError::new(url, "is wrong", "correct it");
            assert!(!error.to_string().contains("secret "), "{error}");
            assert_eq!(
                error.to_string().starts_with('`'),
                !shown.is_empty(),
                "{error}"
            );
        }
    }
}
