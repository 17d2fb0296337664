//! A command that runs, and everything that it started.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// Time between the signal that asks a command to end and the one that ends it.
const GRACE: Duration = Duration::from_secs(5);

/// Time between two looks whether anything of it still runs: the system tells of the command alone.
const LOOK: Duration = Duration::from_millis(20);

/// A command that may still run; when it is dropped before its end, all that it started ends with it.
pub(super) struct Running {
    pub(super) child: Child,
    /// Number of its process group; `None` once it ended by itself: what it left behind is its own affair, and the number may
    /// be another's one day.
    #[cfg(unix)]
    group: Option<rustix::process::Pid>,
}

impl Running {
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        command.kill_on_drop(true);
        // A group of its own: Ctrl-C is for this program, which lets the command finish.
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn()?;
        Ok(Self {
            // Kept: the child tells it no more once it was waited for, though what it started may live on.
            #[cfg(unix)]
            group: child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .and_then(rustix::process::Pid::from_raw),
            child,
        })
    }

    /// Waits until it ends by itself. May be dropped.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        #[cfg(unix)]
        {
            self.group = None;
        }
        Ok(status)
    }

    /// Asks all of it to end, and ends what does not.
    pub(super) async fn end(&mut self) {
        let begun = Instant::now();
        self.signal(false);
        // The command first: as long as nobody waited for it, its group is not empty.
        let _ = timeout(GRACE, self.child.wait()).await;
        while self.still_runs() && begun.elapsed() < GRACE {
            sleep(LOOK).await;
        }
        if self.still_runs() {
            self.signal(true);
            let _ = self.child.kill().await;
        }
        #[cfg(unix)]
        {
            self.group = None;
        }
    }

    #[cfg(unix)]
    fn still_runs(&self) -> bool {
        use rustix::io::Errno;
        use rustix::process::test_kill_process_group;
        self.group
            .is_some_and(|group| test_kill_process_group(group) != Err(Errno::SRCH))
    }

    #[cfg(unix)]
    fn signal(&self, ends: bool) {
        use rustix::process::{Signal, kill_process_group};
        if let Some(group) = self.group {
            let signal = if ends { Signal::KILL } else { Signal::TERM };
            // It may have ended just now.
            let _ = kill_process_group(group, signal);
        }
    }

    /// Elsewhere the command alone is known.
    #[cfg(not(unix))]
    fn still_runs(&self) -> bool {
        self.child.id().is_some()
    }

    #[cfg(not(unix))]
    fn signal(&self, _: bool) {}
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(true);
    }
}
