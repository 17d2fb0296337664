//! End of a start that does not succeed.

use crate::log::Line;
use labelrelay_core::BackEndError;
use labelrelay_core::config::ConfigError;
use tracing::Level;

/// Exit code of a start that somebody has to correct: `EX_CONFIG` of `sysexits.h`.
pub const EXIT_BAD_CONFIGURATION: u8 = 78;

/// Exit code of a start that may succeed the next time.
const EXIT_FAILED: u8 = 1;

/// Why a program does not start: the setting, its problem and the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{error}", if *retryable { "" } else { "bad configuration: " })]
#[non_exhaustive]
pub struct StartError {
    /// The setting, its problem and the cure.
    pub error: ConfigError,
    /// `true` if another start may succeed though nobody changes anything.
    pub retryable: bool,
}

impl StartError {
    /// `error`, of the setting `key` in `origin`.
    pub fn at(error: BackEndError, origin: &str, key: &str) -> Self {
        Self {
            retryable: error.retryable,
            error: error.at(origin, key),
        }
    }

    /// The program's exit code.
    pub fn exit_code(&self) -> u8 {
        if self.retryable {
            EXIT_FAILED
        } else {
            EXIT_BAD_CONFIGURATION
        }
    }

    /// The log's last line. It is written whatever the log's level: that must not hide why nothing serves.
    pub fn line(&self) -> Line<'static> {
        let ConfigError {
            origin,
            key,
            problem,
            cure,
        } = &self.error;
        let message = self.to_string();
        let fields = [
            ("message", &message),
            ("origin", origin),
            ("key", key),
            ("problem", problem),
            ("cure", cure),
        ];
        let event = if self.retryable {
            "not_started"
        } else {
            "bad_configuration"
        };
        Line::new(Level::ERROR, event, fields)
    }
}

/// Ends the start with 78: somebody has to change the configuration.
impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        Self {
            error,
            retryable: false,
        }
    }
}
