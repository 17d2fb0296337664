//! Installs the tests' programs on a thread of its own: that waits for network and disk, and the compiler for
//! neither.

use crate::left_out_tests::LeftOut;
use crate::{Outcome, python_package, tools};
use std::thread::JoinHandle;

/// Everything that tests run against, on its way into the cache.
pub(crate) struct Preinstall(Option<JoinHandle<Outcome>>);

impl Preinstall {
    /// Begins. What is installed already costs a look.
    pub(crate) fn begin(left_out: &LeftOut) -> Self {
        let (google, release) = (
            left_out.pubsub_emulator.is_none(),
            left_out.clean_root.is_none(),
        );
        Self(Some(std::thread::spawn(move || {
            tools::one_machine()?;
            python_package::install()?;
            tools::aws()?;
            if google {
                tools::google()?;
            }
            tools::azure()?;
            tools::postgres()?;
            tools::nats()?;
            tools::infra()?;
            if release {
                tools::release()?;
            }
            Ok(())
        })))
    }

    /// Reports an error as soon as there is one, so that nobody hears of it only when everything is compiled.
    pub(crate) fn check(&mut self) -> Outcome {
        if self.0.as_ref().is_some_and(JoinHandle::is_finished) {
            self.end()?;
        }
        Ok(())
    }

    /// Waits for the end: from here on, asking for a tool finds it.
    pub(crate) fn end(&mut self) -> Outcome {
        self.0.take().map_or(Ok(()), |thread| {
            thread
                .join()
                .map_err(|_| "installing ended with a panic, which stands above")?
        })
    }
}
