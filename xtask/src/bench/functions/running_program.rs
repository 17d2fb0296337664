//! A program that runs, and how long it took until it answered.

use super::platform::Environment;
use crate::Outcome;
use crate::bench::memory::{self, Memory};
use crate::cpu_time;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than any start.
const PATIENCE: Duration = Duration::from_secs(30);

/// Pause between two questions: a hundredth of what a start takes.
const PAUSE: Duration = Duration::from_micros(50);

/// Ended when dropped.
pub(super) struct Running {
    pub(super) address: SocketAddr,
    /// From before the process was made until a request was answered.
    pub(super) start: Duration,
    child: Child,
}

impl Running {
    /// Starts `program`, told its port by the variable `port`, and waits until it answers a request: any
    /// answer counts, as it does for the platforms.
    pub(super) fn start(
        program: &Path,
        port: &str,
        environment: &Environment,
        folder: &Path,
    ) -> Outcome<Self> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let log = folder.join("function.log");
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env(port, address.port().to_string())
            // The loopback address alone, where the platform would have all.
            .env("LABELRELAY_LISTEN", address.to_string())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(File::create(&log)?)
            .stderr(File::options().append(true).open(&log)?);
        let begun = Instant::now();
        let child = command
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let mut running = Self {
            address,
            start: Duration::ZERO,
            child,
        };
        while !answers(address) {
            if let Some(status) = running.child.try_wait()? {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("{} ended with {status}: {said}", program.display()).into());
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("{} does not answer", program.display()).into());
            }
            std::thread::sleep(PAUSE);
        }
        running.start = begun.elapsed();
        Ok(running)
    }

    /// Resident memory.
    pub(super) fn memory(&self) -> Outcome<Memory> {
        memory::of(self.child.id())
    }

    /// The processor time that it has used.
    pub(super) fn processor(&self) -> Outcome<Duration> {
        Ok(cpu_time::of(self.child.id())?.own)
    }
}

fn answers(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<usize> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        stream.read(&mut [0; 12])
    };
    ask().is_ok_and(|read| read > 0)
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing is left to do about an error here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
