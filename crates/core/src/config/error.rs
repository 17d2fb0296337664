/// Name of the environment in errors and messages, where a file has a path.
pub const ENVIRONMENT: &str = "environment";

/// A problem of the configuration: names the file, the key and the cure. Never shows a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: `{key}`: {problem}; {cure}")]
pub struct ConfigError {
    /// The file, or `environment`.
    pub origin: String,
    /// The key or variable.
    pub key: String,
    /// Problem.
    pub problem: String,
    /// Cure.
    pub cure: String,
}

impl ConfigError {
    /// An error at `key` of `origin`.
    pub fn new(origin: &str, key: &str, problem: &str, cure: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            key: key.to_owned(),
            problem: problem.to_owned(),
            cure: cure.to_owned(),
        }
    }
}
