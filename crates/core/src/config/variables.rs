//! Variables of the environment, as whoever started the process set them.

use super::error::{ConfigError, ENVIRONMENT};
use std::collections::BTreeMap;
use std::ffi::OsString;

/// Looks variables up.
pub type Lookup<'a> = &'a dyn Variables;

/// Variables that can be looked up. A variable is absent, or text, or bytes that are no text; what is no
/// text must not be taken for absent, or a setting that somebody made would not count.
pub trait Variables: Send + Sync {
    /// Value of the variable `name`; `None` when it is not set.
    fn get(&self, name: &str) -> Option<OsString>;

    /// The names of all that are set, as far as they are known: for what is misspelt.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Text alone: what tests have.
impl<F: Fn(&str) -> Option<String> + Send + Sync> Variables for F {
    fn get(&self, name: &str) -> Option<OsString> {
        self(name).map(OsString::from)
    }
}

impl dyn Variables + '_ {
    /// A setting. One that is set to nothing counts as unset.
    ///
    /// # Errors
    /// [`ConfigError`] when it is there but no text.
    ///
    /// ```
    /// use labelrelay_core::config::{Environment, Lookup};
    ///
    /// let environment: Environment = [("A", "text"), ("EMPTY", "")].into_iter().collect();
    /// let lookup: Lookup<'_> = &environment;
    /// assert_eq!(lookup.text("A").unwrap().as_deref(), Some("text"));
    /// assert_eq!(lookup.text("EMPTY").unwrap(), None);
    /// ```
    pub fn text(&self, name: &str) -> Result<Option<String>, ConfigError> {
        let Some(value) = self.get(name).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        value.into_string().map(Some).map_err(|_| {
            ConfigError::new(
                ENVIRONMENT,
                name,
                "is set, but is not UTF-8",
                "write it in UTF-8, or unset it",
            )
        })
    }

    /// The bytes of a secret, whatever they are; none when it is set to nothing.
    pub fn secret(&self, name: &str) -> Option<Vec<u8>> {
        self.get(name).map(OsString::into_encoded_bytes)
    }
}

/// The variables of a process, taken once: by `main`, which alone reads them.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Variables for Environment {
    fn get(&self, name: &str) -> Option<OsString> {
        self.0.get(std::ffi::OsStr::new(name)).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.0
            .keys()
            .filter_map(|name| name.to_str().map(str::to_owned))
            .collect()
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let owned = |(name, value): (N, V)| (name.into(), value.into());
        Self(variables.into_iter().map(owned).collect())
    }
}

/// Names alone: some of the values are secrets.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
