//! Installing on a thread of its own: that waits for network and disk, and the compiler for neither.

use crate::{Outcome, tools};
use std::thread::JoinHandle;

/// Everything that tests run against, on its way into the cache.
pub(crate) struct Ahead(JoinHandle<Outcome>);

impl Ahead {
    /// Begins. What is installed already costs a look.
    pub(crate) fn begin() -> Self {
        Self(std::thread::spawn(|| {
            tools::one_machine()?;
            tools::aws()?;
            tools::google()?;
            tools::azure()?;
            tools::infra()?;
            Ok(())
        }))
    }

    /// Waits for the end: from here on, asking for a tool finds it.
    pub(crate) fn end(self) -> Outcome {
        self.0
            .join()
            .map_err(|_| "installing ended with a panic, which stands above")?
    }
}
