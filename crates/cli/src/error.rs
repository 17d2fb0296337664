//! Failures of a verb, and the exit code that scripts see.

use labelrelay_core::BackEndError;
pub(crate) use labelrelay_core::chain;
use labelrelay_core::config::ConfigError;
use labelrelay_startup::StartError;
use std::fmt::Display;
use std::io::ErrorKind;
use std::process::ExitCode;

/// Shown below every verb's help.
pub(crate) const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage, 78 bad configuration.";

/// `EX_CONFIG` of sysexits.h.
const BAD_CONFIGURATION: u8 = 78;

#[derive(Debug)]
pub(crate) enum CliError {
    /// Tried, and it did not work.
    Failed(String),
    /// The words on the command line do not fit together.
    Usage(String),
    /// The configuration has to be changed.
    Config(String),
    /// Failed, and everything about it was said already.
    Reported,
    /// Configuration has to be changed, and everything about it was said already.
    ConfigReported,
    /// The command line is wrong, and everything about it was said already.
    UsageReported,
    /// The reader of the output has seen enough.
    ReaderGone,
}

impl CliError {
    pub(crate) fn failed(message: impl Display) -> Self {
        Self::Failed(message.to_string())
    }

    pub(crate) fn usage(message: impl Display) -> Self {
        Self::Usage(message.to_string())
    }

    pub(crate) fn config(message: impl Display) -> Self {
        Self::Config(message.to_string())
    }

    /// Problem and cure; nothing where everything was said already.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Failed(message) | Self::Usage(message) | Self::Config(message) => message,
            Self::Reported | Self::ConfigReported | Self::UsageReported | Self::ReaderGone => "",
        }
    }

    /// The same, of one of several sources.
    pub(crate) fn of_source(self, name: &str) -> Self {
        let named = |message: String| format!("source `{name}`: {message}");
        match self {
            Self::Failed(message) => Self::Failed(named(message)),
            Self::Usage(message) => Self::Usage(named(message)),
            Self::Config(message) => Self::Config(named(message)),
            said => said,
        }
    }

    /// Says it on stderr; the code to end with.
    pub(crate) fn report(self) -> ExitCode {
        let (code, message) = match self {
            Self::Failed(message) => (1, message),
            Self::Usage(message) => (2, message),
            Self::Config(message) => (BAD_CONFIGURATION, format!("bad configuration: {message}")),
            Self::UsageReported => return ExitCode::from(2),
            Self::Reported => return ExitCode::from(1),
            Self::ConfigReported => return ExitCode::from(BAD_CONFIGURATION),
            Self::ReaderGone => return ExitCode::SUCCESS,
        };
        crate::output::say(format_args!("labelrelay: {message}"));
        ExitCode::from(code)
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::config(error)
    }
}

impl From<BackEndError> for CliError {
    fn from(error: BackEndError) -> Self {
        if error.retryable {
            Self::failed(error)
        } else {
            Self::config(error)
        }
    }
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        if error.retryable {
            Self::failed(error.error)
        } else {
            Self::config(error.error)
        }
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::failed(error),
        }
    }
}
