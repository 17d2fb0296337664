//! Starts `labelrelay` and looks at what it leaves.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Far more than anything here takes, also on a machine that does much else; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// A directory to start in, and an environment that holds nothing but what a test puts there.
pub(crate) struct Place {
    pub(crate) directory: TempDir,
    environment: BTreeMap<String, String>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            environment: BTreeMap::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    #[cfg(all(feature = "aws", feature = "azure", feature = "google"))]
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, contents).unwrap();
        path
    }

    /// Puts other contents into a file that somebody may read at any moment: never a part of them.
    pub(crate) fn replace(&self, name: &str, contents: impl AsRef<[u8]>) {
        let whole = self.write("whole", contents);
        fs::rename(whole, self.path(name)).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The log of `serve`, once all of this stands there: a thread of its own writes it.
    #[track_caller]
    pub(crate) fn logged(&self, words: &[&str]) -> String {
        let begun = Instant::now();
        loop {
            let log = self.read("serve.log");
            if words.iter().all(|word| log.contains(word)) {
                return log;
            }
            assert!(begun.elapsed() < PATIENCE, "not all of {words:?} in {log}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_labelrelay"));
        command
            .args(words)
            .current_dir(self.directory.path())
            .env_clear()
            .envs(&self.environment);
        command.stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        Ran::from(self.command(words).output().unwrap())
    }

    /// Starts `serve` on free ports, and waits until it answers.
    pub(crate) fn serve(&self, words: &[&str]) -> Serving {
        let stdout = fs::File::create(self.path("serve.out")).unwrap();
        let stderr = fs::File::create(self.path("serve.log")).unwrap();
        self.serve_into(words, stdout.into(), stderr.into())
    }

    /// The same, with outputs of the test's own.
    pub(crate) fn serve_into(&self, words: &[&str], stdout: Stdio, stderr: Stdio) -> Serving {
        self.serve_command(self.command(&[]), words, stdout, stderr)
    }

    /// The same, by a command that needs only be told what to do.
    pub(crate) fn serve_command(
        &self,
        mut command: Command,
        words: &[&str],
        stdout: Stdio,
        stderr: Stdio,
    ) -> Serving {
        let ready = self.path("ready");
        let child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--ready-file", "ready"])
            .args(words)
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut serving = Serving {
            child,
            address: String::new(),
            ready,
        };
        let begun = Instant::now();
        while !serving.ready.exists() {
            if let Some(status) = serving.child.try_wait().unwrap() {
                panic!("serve ended with {status}: {}", self.read("serve.log"));
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "serve is not ready: {}",
                self.read("serve.log")
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        fs::read_to_string(&serving.ready)
            .unwrap()
            .trim()
            .clone_into(&mut serving.address);
        serving
    }
}

/// Output and exit code of a process that ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Asserts that it ended with `code`, and said all of `words` on stderr.
    #[track_caller]
    pub(crate) fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in {self:?}");
        }
    }

    /// Asserts that it ended well, and returns what it printed.
    #[track_caller]
    pub(crate) fn good(&self) -> &str {
        assert_eq!(self.code, 0, "{self:?}");
        &self.stdout
    }

    /// The lines of stdout, each a JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// A `serve` that runs; killed when dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: String,
    ready: PathBuf,
}

impl Serving {
    pub(crate) fn url(&self, source: &str) -> String {
        format!("http://{}/{source}", self.address)
    }

    /// The other end of its stdout.
    pub(crate) fn stdout(&mut self) -> std::process::ChildStdout {
        self.child.stdout.take().unwrap()
    }

    /// The other end of its stderr.
    pub(crate) fn stderr(&mut self) -> std::process::ChildStderr {
        self.child.stderr.take().unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, by the shell's own command: nothing here may call into the system unsafely.
    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("sh")
            .args(["-c", &format!("kill {signal} {}", self.child.id())])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Asks it to stop, and waits for its exit code.
    pub(crate) fn stop(mut self) -> i32 {
        self.signal("-TERM");
        self.wait()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub(crate) fn wait(&mut self) -> i32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(begun.elapsed() < PATIENCE, "serve does not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Delivers a body that is laid out over several lines, as Labelbox.
pub(crate) fn send_laid_out(place: &Place, serving: &Serving) {
    place.write("laid-out", "{\n  \"id\": \"x\",\r\n\t\"b\": 1\n}");
    let url = serving.url("labelbox");
    place
        .run(&["send", "--file", "laid-out", "--to", &url])
        .good();
}

/// Waits for a condition.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Bytes that Linux tells of a process, such as `VmHWM:`, the peak of its memory.
#[cfg(target_os = "linux")]
pub(crate) fn bytes_of(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kib = line.split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() * 1024
}

/// Permission bits.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// One GET; status line and body.
pub(crate) fn get(address: &str, path: &str) -> (String, String) {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

/// A configuration with one source of each platform, and its secrets.
pub(crate) const CONFIG: &str = "\
queue = \"sqlite:queue.db\"
[[source]]
name = \"labelbox\"
provider = \"labelbox\"
secret = \"file:labelbox.secret\"
[[source]]
name = \"label-studio\"
provider = \"label-studio\"
secret = \"file:label-studio.secret\"
";

/// A place with [`CONFIG`] in it.
pub(crate) fn configured() -> Place {
    let place = Place::new();
    place.write("labelrelay.toml", CONFIG);
    place.write("labelbox.secret", "a secret of Labelbox, 27 bytes");
    place.write("label-studio.secret", "a-secret-of-label-studio");
    place
}

/// The same, where `serve` keeps no record: what it says of that is not looked for.
pub(crate) fn unrecorded(place: Place) -> Place {
    let config = place.read("labelrelay.toml");
    place.write(
        "labelrelay.toml",
        format!("{config}[serve.record]\nenabled = false\n"),
    );
    place
}

/// A [`configured`] place, where no answer is late because a machine is busy.
pub(crate) fn patient() -> Place {
    configured().with("LABELRELAY_DEADLINE_MS", "10000")
}

/// The same, where nothing comes into the queue but what is delivered.
pub(crate) fn deriving_nothing() -> Place {
    let place = patient();
    place.write(
        "labelrelay.toml",
        format!("{CONFIG}[embedded_queue]\nderive = false\n"),
    );
    place
}

/// A [`configured`] place with a setting of the embedded queue, a `serve`, and an event that it took.
pub(crate) fn serving_with_an_event(setting: &str) -> (Place, Serving) {
    let place = configured();
    let config = place.read("labelrelay.toml");
    place.write(
        "labelrelay.toml",
        format!("{config}[embedded_queue]\n{setting}\n"),
    );
    let serving = place.serve(&[]);
    let url = serving.url("labelbox");
    place.run(&["send", "--to", &url]).good();
    (place, serving)
}
