//! Level from which lines are logged.

use labelrelay_core::config::{ConfigError, ENVIRONMENT, Lookup};
use tracing::level_filters::LevelFilter;

const LEVEL: &str = "LABELRELAY_LOG";

/// The level that `LABELRELAY_LOG` names, else `platforms_own` variable; INFO when neither is set.
///
/// # Errors
/// [`ConfigError`] when it is not a level.
pub fn level(lookup: Lookup<'_>, platforms_own: Option<&str>) -> Result<LevelFilter, ConfigError> {
    for variable in std::iter::once(LEVEL).chain(platforms_own) {
        let Some(text) = lookup.text(variable)? else {
            continue;
        };
        // Lambda knows one more.
        let text = if variable != LEVEL && text.eq_ignore_ascii_case("fatal") {
            "error"
        } else {
            &text
        };
        return text.parse().map_err(|_| {
            let cure = "write off, error, warn, info, debug or trace";
            ConfigError::new(ENVIRONMENT, variable, "is not a level", cure)
        });
    }
    Ok(LevelFilter::INFO)
}
