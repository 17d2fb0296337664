//! The configuration of a program that a cloud starts: it has a package, variables, and nobody who types.

use super::error::{ConfigError, ENVIRONMENT};
use super::known::misspelt;
use super::settings::Config;
use super::variables::Lookup;
use std::io;
use std::path::{Path, PathBuf};

const PATH: &str = "LABELRELAY_CONFIG";
const TEXT: &str = "LABELRELAY_CONFIG_TOML";

impl Config {
    /// The file that `LABELRELAY_CONFIG` names, or the text in `LABELRELAY_CONFIG_TOML`, or single variables.
    /// `read` reads the file, and `cure` says how one gets to where this program is.
    ///
    /// # Errors
    /// [`ConfigError`] names the key and the cure.
    pub fn deployed(
        lookup: Lookup<'_>,
        read: &dyn Fn(&Path) -> io::Result<String>,
        cure: &str,
    ) -> Result<Self, ConfigError> {
        let base = PathBuf::from(".");
        let (path, text) = (lookup.text(PATH)?, lookup.text(TEXT)?);
        if let Some(path) = path {
            let contents = read(Path::new(&path)).map_err(|error| {
                let problem = format!("names {path}, which cannot be read: {error}");
                ConfigError::new(ENVIRONMENT, PATH, &problem, cure)
            })?;
            let base = Path::new(&path).parent().map(Path::to_owned);
            let mut config = Self::from_toml(&contents, &path, base.unwrap_or_default(), lookup)?;
            if text.is_some() {
                config.warnings.push(format!(
                    "both {PATH} and {TEXT} are set; {TEXT} is not read"
                ));
            }
            return Ok(config);
        }
        if let Some(text) = text {
            return Self::from_toml(&text, TEXT, base, lookup);
        }
        if let Some(config) = Self::from_environment(base, lookup)? {
            return Ok(config);
        }
        let mut problem = "is not set, nor is a secret".to_owned();
        for hint in misspelt(lookup, &[]) {
            problem.push_str("; ");
            problem.push_str(hint.trim_end_matches('?'));
        }
        Err(ConfigError::new(
            ENVIRONMENT,
            TEXT,
            &problem,
            "give it the text of a labelrelay.toml, or set LABELBOX_WEBHOOK_SECRET or LABEL_STUDIO_WEBHOOK_SECRET",
        ))
    }
}
