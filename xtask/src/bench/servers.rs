//! Starts and ends the servers that are measured, each a process of its own on a free port.

use super::deliveries::{PATH, SECRET};
use super::memory::{self, Memory};
use crate::Outcome;
use crate::cpu_time;
use crate::paths::{built, root};
use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The setting of a `labelrelay serve` that keeps no record of its deliveries.
pub(crate) const WITHOUT_RECORD: (&str, &str) = (
    "LABELRELAY_CONFIG_TOML",
    "[serve.record]\nenabled = false\n",
);

/// The longest wait for a server to come to rest.
const REST: Duration = Duration::from_secs(2);

/// A running server; ended when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    child: Child,
}

/// Way in which a server says where it listens.
enum Readiness {
    /// Writes its address into this file once it answers.
    File(PathBuf),
    /// Was told this address, and takes connections.
    Connects(SocketAddr),
}

impl Server {
    /// The bare axum server.
    pub(crate) fn ceiling(folder: &Path) -> Outcome<Self> {
        let ready = folder.join("ceiling.ready");
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("ceiling").arg(&ready);
        Self::start("ceiling", folder, command, &Readiness::File(ready))
    }

    /// `labelrelay serve` with the embedded queue `folder/queue.db`, and with its record, as it is by default.
    pub(crate) fn labelrelay(folder: &Path) -> Outcome<Self> {
        Self::labelrelay_with(folder, &[])
    }

    /// The same with more settings.
    pub(crate) fn labelrelay_with(folder: &Path, more: &[(&str, &str)]) -> Outcome<Self> {
        Self::of_program(&built("release", "labelrelay")?, folder, more)
    }

    /// The same of a `labelrelay` that was built elsewhere.
    pub(crate) fn of_program(
        program: &Path,
        folder: &Path,
        more: &[(&str, &str)],
    ) -> Outcome<Self> {
        let ready = folder.join("labelrelay.ready");
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--ready-file"])
            .arg(&ready)
            .env("LABELBOX_WEBHOOK_SECRET", SECRET)
            .env("LABELRELAY_ADMIN_LISTEN", "127.0.0.1:0")
            .env(
                "LABELRELAY_QUEUE",
                format!("sqlite://{}", folder.join("queue.db").display()),
            )
            .envs(more.iter().copied())
            .current_dir(folder);
        Self::start("labelrelay", folder, command, &Readiness::File(ready))
    }

    /// The documents' receiver under Flask's own server.
    pub(crate) fn flask(folder: &Path, gunicorn: &Path) -> Outcome<Self> {
        let address = free_address()?;
        let mut command = Command::new(gunicorn.with_file_name("flask"));
        command.args([
            "--app",
            "receiver",
            "run",
            "--host",
            "127.0.0.1",
            "--port",
            &address.port().to_string(),
        ]);
        Self::start(
            "flask",
            folder,
            receiver(command),
            &Readiness::Connects(address),
        )
    }

    /// The documents' receiver under gunicorn with two workers; `print` as in the documents, or not.
    pub(crate) fn gunicorn(folder: &Path, gunicorn: &Path, print: bool) -> Outcome<Self> {
        let address = free_address()?;
        let mut command = Command::new(gunicorn);
        command.args([
            "--workers",
            "2",
            "--bind",
            &address.to_string(),
            "receiver:app",
        ]);
        let mut command = receiver(command);
        if !print {
            command.env_remove("BENCH_PRINT");
        }
        Self::start("gunicorn", folder, command, &Readiness::Connects(address))
    }

    fn start(
        name: &str,
        folder: &Path,
        mut command: Command,
        readiness: &Readiness,
    ) -> Outcome<Self> {
        let log = folder.join(format!("{name}.log"));
        if let Readiness::File(path) = readiness
            && path.exists()
        {
            std::fs::remove_file(path)?;
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(File::create(&log)?)
            .stderr(File::options().append(true).open(&log)?)
            .spawn()
            .map_err(|error| format!("cannot start {name}: {error}"))?;
        let mut server = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            child,
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(address) = ready(readiness) {
                server.address = address;
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(format!(
                    "{name} ended with {status} before it was ready; it said:\n{said}"
                )
                .into());
            }
            if Instant::now() > deadline {
                return Err(format!(
                    "{name} was not ready within a minute; its log is {}",
                    log.display()
                )
                .into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Resident memory.
    pub(crate) fn memory(&self) -> Outcome<Memory> {
        memory::of(self.child.id())
    }

    /// Processor time so far, once the work that follows an answer is done as well.
    pub(crate) fn processor_at_rest(&self) -> Outcome<Duration> {
        let deadline = Instant::now() + REST;
        let mut before = cpu_time::of(self.child.id())?.own;
        loop {
            std::thread::sleep(Duration::from_millis(100));
            let now = cpu_time::of(self.child.id())?.own;
            if now == before || Instant::now() >= deadline {
                return Ok(now);
            }
            before = now;
        }
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> Outcome {
        self.terminate();
        match self.child.try_wait()? {
            Some(_) => Ok(()),
            None => Err("a server did not end within 20 s of being asked to".into()),
        }
    }

    /// Asks first, because a parent that is killed leaves its workers behind.
    fn terminate(&mut self) {
        let asked = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &self.child.id().to_string()])
            .status();
        let deadline = Instant::now() + Duration::from_secs(20);
        while asked.is_ok()
            && Instant::now() < deadline
            && matches!(self.child.try_wait(), Ok(None))
        {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.terminate();
            // Nothing is left to do about an error here.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn ready(readiness: &Readiness) -> Option<SocketAddr> {
    match readiness {
        Readiness::File(path) => std::fs::read_to_string(path).ok()?.trim().parse().ok(),
        Readiness::Connects(address) => TcpStream::connect(address).ok().map(|_| *address),
    }
}

fn receiver(mut command: Command) -> Command {
    command
        .current_dir(root().join("xtask").join("bench"))
        .env("BENCH_SECRET", SECRET)
        .env("BENCH_PATH", PATH)
        .env("BENCH_PRINT", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
