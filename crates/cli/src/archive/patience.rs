//! What `archive write --follow` does where its queue or its archive cannot be reached: it says so, waits, and goes on.

use crate::durations;
use crate::error::CliError;
use crate::output::say;
use labelrelay_archive::ArchiveError;
use labelrelay_core::EventSourceError;
use std::time::Duration;
use tokio::sync::watch;

/// The first pause, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// Why something could not be done.
pub(super) enum Trouble {
    /// It may pass by itself.
    Passing(CliError),
    Lasting(CliError),
}

impl From<EventSourceError> for Trouble {
    fn from(error: EventSourceError) -> Self {
        if error.retryable {
            Self::Passing(CliError::failed(error))
        } else {
            Self::Lasting(CliError::failed(error))
        }
    }
}

impl From<ArchiveError> for Trouble {
    fn from(error: ArchiveError) -> Self {
        // Stores do not tell whether room, or a permission, comes back.
        if matches!(error, ArchiveError::Store { .. }) {
            Self::Passing(error.into())
        } else {
            Self::Lasting(error.into())
        }
    }
}

/// Pauses that grow, for as long as nobody says to stop.
pub(super) struct Patience {
    /// Nothing is waited for without it.
    follow: bool,
    stopping: watch::Receiver<bool>,
    pause: Duration,
}

impl Patience {
    pub(super) fn new(follow: bool, stopping: watch::Receiver<bool>) -> Self {
        Self {
            follow,
            stopping,
            pause: FIRST,
        }
    }

    /// It went well: the next pause is a short one.
    pub(super) fn begin_anew(&mut self) {
        self.pause = FIRST;
    }

    /// Waits after trouble that may pass. `false` if it was told to stop meanwhile.
    ///
    /// Any other trouble is the error.
    pub(super) async fn after(&mut self, trouble: Trouble) -> Result<bool, CliError> {
        let waits = self.follow && !*self.stopping.borrow();
        let error = match trouble {
            Trouble::Passing(error) if waits => error,
            Trouble::Passing(error) | Trouble::Lasting(error) => return Err(error),
        };
        // Says it; it ends nothing.
        let _code = error.report();
        let pause = self.pause;
        say(format_args!(
            "the next try is in {}",
            durations::words(pause)
        ));
        self.pause = (pause * 2).min(LONGEST);
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(true),
            _ = self.stopping.wait_for(|stop| *stop) => Ok(false),
        }
    }
}
