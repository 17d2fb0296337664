//! `labelrelay serve` as a process, with an embedded queue in a folder of its own.

use crate::export::{self, Exported};
use crate::program;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The secret of both sources.
pub const SECRET: &str = "endtoend0secret0of0forty0characters00000";
/// The previous secret of both sources.
pub const PREVIOUS: &str = "previous0secret0of0forty0characters00000";
/// A secret that no source has.
pub const WRONG_SECRET: &str = "somebody0elses0secret0forty0characters00";

const CONFIG: &str = r#"
[[source]]
name = "labelbox"
provider = "labelbox"
secret = "env:LABELBOX_WEBHOOK_SECRET"
previous_secret = "env:LABELBOX_WEBHOOK_SECRET_PREVIOUS"

[[source]]
name = "label-studio"
provider = "label-studio"
secret = "env:LABEL_STUDIO_WEBHOOK_SECRET"
previous_secret = "env:LABEL_STUDIO_WEBHOOK_SECRET_PREVIOUS"
ml_backend = true
"#;

/// Time that a condition may take to become true, on a machine that does much else; only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A folder with a queue in it, and a configuration with a source of each platform.
pub struct Site(TempDir);

impl Site {
    /// A new one, with an empty queue. No answer is late there because a machine is busy, and nothing is on the queue but what
    /// is delivered.
    pub fn new() -> Self {
        Self::with("deadline_ms = 30000\nembedded_queue.derive = false")
    }

    /// A new one, with these lines in front of its configuration, and the usual deadlines.
    pub fn with(settings: &str) -> Self {
        let site = Self(tempfile::tempdir().unwrap());
        std::fs::write(site.config(), format!("{settings}\n{CONFIG}")).unwrap();
        site
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder().join("labelrelay.toml")
    }

    /// Path of the queue's file.
    pub fn queue_file(&self) -> PathBuf {
        self.0.path().join("queue.db")
    }

    /// URL of the queue.
    pub fn queue_url(&self) -> String {
        format!("sqlite://{}", self.queue_file().display())
    }

    /// All events of the queue.
    pub fn export(&self) -> Vec<Exported> {
        export::export(&self.queue_url())
    }

    /// Starts `serve` and waits until it answers.
    pub fn serve(&self) -> Relay {
        self.serve_at("127.0.0.1:0")
    }

    /// Starts `serve` at this address, and waits until it answers.
    pub fn serve_at(&self, listen: &str) -> Relay {
        Relay::start(self.0.path(), &self.queue_url(), listen, &[])
    }

    /// Starts `serve` with these variables, and waits until it answers.
    pub fn serve_with(&self, variables: &[(&str, &str)]) -> Relay {
        Relay::start(self.0.path(), &self.queue_url(), "127.0.0.1:0", variables)
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

/// A running `labelrelay serve`; killed when dropped.
pub struct Relay {
    /// Address that it listens on.
    pub address: SocketAddr,
    child: Child,
    log: PathBuf,
}

impl Relay {
    fn start(folder: &Path, queue: &str, listen: &str, variables: &[(&str, &str)]) -> Self {
        let (ready, log) = (folder.join("ready"), folder.join("serve.log"));
        if ready.exists() {
            std::fs::remove_file(&ready).unwrap();
        }
        let child = program::stoppable()
            .args(["serve", "--listen", listen, "--ready-file"])
            .arg(&ready)
            .arg("--config")
            .arg(folder.join("labelrelay.toml"))
            .env("LABELRELAY_QUEUE", queue)
            .env("LABELRELAY_ADMIN_LISTEN", "127.0.0.1:0")
            .envs(secrets())
            .envs(variables.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(File::create(&log).unwrap())
            .stderr(File::options().append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        let mut relay = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            child,
            log,
        };
        relay.address = eventually("serve is ready", || {
            if let Some(status) = relay.child.try_wait().unwrap() {
                panic!("serve ended with {status}:\n{}", relay.log());
            }
            std::fs::read_to_string(&ready).ok()?.trim().parse().ok()
        });
        relay
    }

    /// Log so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }

    /// Process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it without warning, as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, as a service manager does; does not wait.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends it a signal: `HUP`, `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("sh")
            .args([
                "-c",
                "kill -\"$0\" \"$1\"",
                name,
                &self.child.id().to_string(),
            ])
            .status()
            .unwrap();
        assert!(status.success(), "kill -{name}");
    }

    /// Waits until it has ended.
    pub fn wait(mut self) -> ExitStatus {
        eventually("serve has ended", || self.child.try_wait().unwrap())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // Nothing is left to do about an error here; a process that ended already is none.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The variables that the configuration's secrets are in.
pub fn secrets() -> impl Iterator<Item = (String, &'static str)> {
    ["LABELBOX", "LABEL_STUDIO"].into_iter().flat_map(|source| {
        [
            (format!("{source}_WEBHOOK_SECRET"), SECRET),
            (format!("{source}_WEBHOOK_SECRET_PREVIOUS"), PREVIOUS),
        ]
    })
}

/// Waits for a condition.
pub fn eventually<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, what, condition)
}

/// Waits for a condition that takes more than a moment to become true.
pub fn eventually_within<T>(
    patience: Duration,
    what: &str,
    mut condition: impl FnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(
            start.elapsed() < patience,
            "not within {patience:?}: {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}
