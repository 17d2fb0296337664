//! The program under test, as a process.

use crate::plan::{DEADLINE_MS, Deployment};
use crate::seed_dir::{self, SeedDir};
use rustix::process::{Pid, Resource, Rlimit, Signal};
use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Time that a process may take to start, or to end; only a broken process takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The last lines of a log that are shown with what was broken.
const LAST_LINES: usize = 40;

/// What a process finds around it.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// The beginning of a command that runs elsewhere, such as in a network of its own.
    pub(crate) command: Vec<String>,
    /// Where it listens.
    pub(crate) listen: String,
    /// Variables by which a replica finds its database.
    pub(crate) variables: Vec<(String, String)>,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            command: Vec::new(),
            listen: "127.0.0.1:0".to_owned(),
            variables: Vec::new(),
        }
    }
}

/// Settings of its start.
pub(crate) struct Start<'a> {
    pub(crate) seed_dir: &'a SeedDir,
    pub(crate) labelrelay: &'a Path,
    pub(crate) sabotage: Option<&'a str>,
    /// Seconds that the laboratory server's time of day is ahead.
    pub(crate) ahead: i64,
    /// Which of the processes that run at once.
    pub(crate) replica: usize,
    pub(crate) surroundings: Surroundings,
}

/// A running process; killed when dropped.
pub(crate) struct Program {
    pub(crate) address: SocketAddr,
    child: Child,
    control: Option<(ChildStdin, BufReader<ChildStdout>)>,
    log: Arc<Mutex<Log>>,
    reader: Option<JoinHandle<()>>,
}

/// The program's output.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) panics: Vec<String>,
    pub(crate) last: VecDeque<String>,
}

impl Log {
    /// Last lines, as they are shown below a message.
    pub(crate) fn last_words(&self) -> String {
        let lines = self.last.iter();
        lines.fold(String::new(), |text, line| text + "\n    " + line)
    }
}

impl Start<'_> {
    pub(crate) fn program(&self, deployment: Deployment) -> Result<Program, String> {
        match deployment {
            Deployment::Serve | Deployment::Replicas => self.serve(DEADLINE_MS),
            Deployment::Laboratory => Ok(self.laboratory()),
        }
    }

    /// `labelrelay serve`, with this deadline.
    pub(crate) fn serve(&self, deadline_ms: u64) -> Result<Program, String> {
        let folder = self.seed_dir.home(self.replica);
        let ready = folder.join("ready");
        let _ = std::fs::remove_file(&ready);
        let around = &self.surroundings;
        let mut command = outlives_a_limit(self.labelrelay, &around.command);
        command
            .args(["serve", "--listen", &around.listen, "--ready-file"])
            .arg(&ready)
            .arg("--config")
            .arg(seed_dir::config(&folder))
            .env("LABELRELAY_ADMIN_LISTEN", "127.0.0.1:0")
            .env("LABELRELAY_DEADLINE_MS", deadline_ms.to_string())
            .envs(around.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let mut program = Program::spawn(&mut command);
        let begun = Instant::now();
        loop {
            if let Some(address) = address(&ready) {
                program.address = address;
                return Ok(program);
            }
            if let Some(status) = program.ended() {
                return Err(format!(
                    "serve ended with {status}:{}",
                    program.last_words()
                ));
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("serve is not ready:{}", program.last_words()));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn laboratory(&self) -> Program {
        let mut command = outlives_a_limit(&std::env::current_exe().unwrap(), &[]);
        command
            .arg("server")
            .arg(self.seed_dir.folder())
            .arg(self.ahead.to_string())
            .args(self.sabotage)
            .current_dir(self.seed_dir.folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut program = Program::spawn(&mut command);
        let orders = program.child.stdin.take().unwrap();
        let mut answers = BufReader::new(program.child.stdout.take().unwrap());
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        program.address = line
            .trim()
            .parse()
            .unwrap_or_else(|_| panic!("the laboratory server:{}", program.last_words()));
        program.control = Some((orders, answers));
        program
    }
}

/// The address in the file, once all of it is there.
fn address(ready: &Path) -> Option<SocketAddr> {
    std::fs::read_to_string(ready).ok()?.trim().parse().ok()
}

/// A command that is told of files that become too large, instead of being ended by the system: as on a
/// disk that is full.
fn outlives_a_limit(program: &Path, within: &[String]) -> Command {
    let mut command = match within {
        [] => Command::new("sh"),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg("sh");
            command
        }
    };
    command
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(program);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("LABEL")) {
            command.env_remove(name);
        }
    }
    command
}

impl Program {
    fn spawn(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Log::default()));
        let reader = std::thread::spawn({
            let (log, stderr) = (Arc::clone(&log), child.stderr.take().unwrap());
            move || read_log(stderr, &log)
        });
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            child,
            control: None,
            log,
            reader: Some(reader),
        }
    }

    /// Tells the laboratory server what to do, and waits until it did. Says whether it could.
    pub(crate) fn order(&mut self, command: &str) -> bool {
        let Some((orders, answers)) = &mut self.control else {
            return false;
        };
        let mut line = String::new();
        let told = writeln!(orders, "{command}").and_then(|()| answers.read_line(&mut line));
        told.is_ok() && line.trim() == "ok"
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        // A process that ended meanwhile is noticed elsewhere.
        let _ = rustix::process::kill_process(self.pid(), signal);
    }

    /// Stops it, and waits until none of its threads does anything any more.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
        let begun = Instant::now();
        while !self.is_still() && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Tells whether every thread is stopped, or gone: one that waits for the disk is neither.
    fn is_still(&self) -> bool {
        let Ok(threads) = std::fs::read_dir(format!("/proc/{}/task", self.child.id())) else {
            return true;
        };
        threads.flatten().all(|thread| {
            let stat = std::fs::read_to_string(thread.path().join("stat"));
            // The state stands after the name, which may hold anything, in brackets.
            let state = stat.ok().and_then(|stat| {
                let (_, rest) = stat.rsplit_once(") ")?;
                rest.chars().next()
            });
            state.is_none_or(|state| matches!(state, 'T' | 't' | 'Z' | 'X'))
        })
    }

    /// Asks it to end; it may be stopped just now.
    pub(crate) fn ask_to_stop(&mut self) {
        match &mut self.control {
            Some((orders, _)) => _ = writeln!(orders, "stop"),
            None => self.signal(Signal::TERM),
        }
    }

    /// Limits how large any of its files may become.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        // Inherited from us; what is lowered here could not be raised again.
        let maximum = rustix::process::getrlimit(Resource::Fsize).maximum;
        let limit = Rlimit {
            current: bytes.or(maximum),
            maximum,
        };
        let _ = rustix::process::prlimit(Some(self.pid()), Resource::Fsize, limit);
    }

    /// Its end, if it ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Ends it without warning; what it wrote.
    pub(crate) fn kill(mut self) -> Log {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log()
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> (Option<ExitStatus>, Log) {
        self.ask_to_stop();
        self.wait()
    }

    /// Waits until it has ended, as it was asked to.
    pub(crate) fn wait(mut self) -> (Option<ExitStatus>, Log) {
        let begun = Instant::now();
        let mut status = self.ended();
        while status.is_none() && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
            status = self.ended();
        }
        if status.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        (status, self.log())
    }

    fn log(&mut self) -> Log {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    fn last_words(&self) -> String {
        let log = self.log.lock().unwrap();
        log.last_words()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Nothing is left to do about an error here; a process that ended already is none.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_log(stderr: impl Read, log: &Mutex<Log>) {
    for line in BufReader::new(stderr).split(b'\n') {
        let Ok(line) = line else { return };
        let line = String::from_utf8_lossy(&line).into_owned();
        let mut log = log.lock().unwrap();
        if line.contains("panicked") || line.contains("a bug: please report it") {
            log.panics.push(line.clone());
        }
        if log.last.len() == LAST_LINES {
            log.last.pop_front();
        }
        log.last.push_back(line);
    }
}
