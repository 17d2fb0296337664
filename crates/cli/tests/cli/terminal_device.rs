//! A terminal, seen from its other side.

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::Command;

pub(crate) struct Terminal {
    ours: File,
    /// The side that the processes write to.
    theirs: OwnedFd,
}

impl Terminal {
    pub(crate) fn open() -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let ours = openpt(flags).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = File::options()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap();
        // Bytes come out as they were written.
        let mut modes = tcgetattr(&theirs).unwrap();
        modes.make_raw();
        tcsetattr(&theirs, OptionalActions::Now, &modes).unwrap();
        Self {
            ours: ours.into(),
            theirs: theirs.into(),
        }
    }

    /// One more handle of what processes write to.
    pub(crate) fn end(&self) -> OwnedFd {
        self.theirs.try_clone().unwrap()
    }

    /// Runs a process on it to its end; everything that it showed.
    pub(crate) fn run(self, mut command: Command) -> Vec<u8> {
        let mut child = command
            .stdout(self.end())
            .stderr(self.end())
            .spawn()
            .unwrap();
        // It holds two more handles.
        drop(command);
        let shown = self.read();
        child.wait().unwrap();
        shown
    }

    /// Everything that is shown until the last process has closed it.
    pub(crate) fn read(self) -> Vec<u8> {
        let Self { mut ours, theirs } = self;
        drop(theirs);
        let mut shown = Vec::new();
        // Linux says EIO when nobody can write any more, others the end of the file.
        let _ = ours.read_to_end(&mut shown);
        shown
    }
}
