use super::error::ConfigError;
use super::variables::Lookup;
use crate::secret::{FileSecret, FixedSecret, Secret, SecretSource};
use jiff::Timestamp;
use std::fmt;
use std::path::{Path, PathBuf};

/// Reference to a secret. Configuration holds references, never secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretRef {
    /// `env:NAME`: an environment variable.
    Env(String),
    /// `file:/path`: a file of its own.
    File(PathBuf),
    /// A cloud's store, which that cloud's crate opens: scheme and the rest.
    Store {
        /// The part before the colon.
        scheme: &'static str,
        /// The part after it.
        name: String,
    },
}

/// Stores that the clouds' crates open.
const STORES: [&str; 4] = [
    "aws-secretsmanager",
    "aws-ssm",
    "gcp-secretmanager",
    "azure-keyvault",
];

/// Forms that a reference may have.
const CURE: &str = "write where the secret is kept, not the secret: env:NAME, file:/path, aws-secretsmanager:…, aws-ssm:…, gcp-secretmanager:… or azure-keyvault:…";

impl SecretRef {
    /// Reads a reference that stands on a command line; a relative path stays relative.
    ///
    /// # Errors
    /// Problem and cure. It does not repeat the text: somebody may have written a secret there.
    ///
    /// ```
    /// use labelrelay_core::config::SecretRef;
    ///
    /// let reference = SecretRef::of_command_line("env:LABEL_STUDIO_API_KEY");
    /// assert_eq!(reference, Ok(SecretRef::Env("LABEL_STUDIO_API_KEY".to_owned())));
    /// assert!(SecretRef::of_command_line("the secret itself").is_err());
    /// ```
    pub fn of_command_line(text: &str) -> Result<Self, String> {
        Self::read(text, Path::new("")).map_err(|problem| format!("{problem}; {CURE}"))
    }

    /// Reads a reference. The error does not repeat the text: somebody may have written a secret there.
    pub(super) fn parse(
        text: &str,
        base_dir: &Path,
        origin: &str,
        key: &str,
    ) -> Result<Self, ConfigError> {
        Self::read(text, base_dir).map_err(|problem| ConfigError::new(origin, key, problem, CURE))
    }

    /// The reference, or what is wrong with it.
    fn read(text: &str, base_dir: &Path) -> Result<Self, &'static str> {
        const NONE: &str = "is not a reference to a secret";
        let (scheme, name) = text.split_once(':').ok_or(NONE)?;
        if name.is_empty() {
            return Err("names nothing after the colon");
        }
        match scheme {
            "env" => Ok(Self::Env(name.to_owned())),
            "file" => Ok(Self::File(
                base_dir.join(name.strip_prefix("//").unwrap_or(name)),
            )),
            _ => match STORES.iter().find(|store| **store == scheme) {
                Some(scheme) => Ok(Self::Store {
                    scheme,
                    name: name.to_owned(),
                }),
                None => Err(NONE),
            },
        }
    }

    /// Opens a reference that needs no cloud; `None` for the clouds' stores.
    ///
    /// # Errors
    /// [`ConfigError`] when a variable is unset or a secret empty.
    pub fn open(
        &self,
        not_after: Option<Timestamp>,
        lookup: Lookup<'_>,
        origin: &str,
        key: &str,
    ) -> Result<Option<Box<dyn SecretSource>>, ConfigError> {
        match self {
            Self::Env(name) => {
                let value = lookup.secret(name).ok_or_else(|| {
                    ConfigError::new(
                        origin,
                        key,
                        &format!("the environment variable {name} is not set"),
                        &format!("set {name} to the webhook's secret"),
                    )
                })?;
                let secret = Secret::new(format!("env:{name}"), value).map_err(|error| {
                    ConfigError::new(
                        origin,
                        key,
                        &error.message,
                        &format!("set {name} to the webhook's secret"),
                    )
                })?;
                Ok(Some(Box::new(FixedSecret(secret.until(not_after)))))
            }
            Self::File(path) => Ok(Some(Box::new(FileSecret::new(path, not_after)))),
            Self::Store { .. } => Ok(None),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            // Two slashes at the beginning would be taken for those of a URL.
            Self::File(path) if path.as_os_str().as_encoded_bytes().starts_with(b"//") => {
                write!(f, "file://{}", path.display())
            }
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Store { scheme, name } => write!(f, "{scheme}:{name}"),
        }
    }
}
