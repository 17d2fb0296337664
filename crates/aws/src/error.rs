//! Errors in a setting, found before anything is sent anywhere.

use labelrelay_core::config::ConfigError;

/// A setting that cannot be used: which, why, and how to put it right. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` {problem}; {cure}")]
#[non_exhaustive]
pub struct SettingError {
    /// The configured text, or the variable that the error is about.
    pub value: String,
    /// The problem.
    pub problem: String,
    /// How to put it right.
    pub cure: String,
}

impl SettingError {
    pub(crate) fn new(value: &str, problem: &str, cure: impl Into<String>) -> Self {
        Self {
            value: value.to_owned(),
            problem: problem.to_owned(),
            cure: cure.into(),
        }
    }

    /// The same as an error of the configuration: of the setting `key` in `origin`.
    #[must_use]
    pub fn at(self, origin: &str, key: &str) -> ConfigError {
        let problem = format!("`{}` {}", self.value, self.problem);
        ConfigError::new(origin, key, &problem, &self.cure)
    }
}

/// A variable that cannot be read.
impl From<ConfigError> for SettingError {
    fn from(error: ConfigError) -> Self {
        Self::new(&error.key, &error.problem, error.cure)
    }
}
