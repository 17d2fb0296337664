//! The function for Lambda, behind AWS's Runtime Interface Emulator and behind `cargo lambda watch`.

use super::{Server, free_ports, installed};
use crate::client;
use crate::relay::eventually;
use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The function behind the Runtime Interface Emulator, which takes events as they are.
pub struct Function(Server);

impl Function {
    /// Starts it with these variables and no others. Its INIT is part of the first invocation.
    pub fn start(variables: &[(String, String)]) -> Self {
        let emulator = installed("LABELRELAY_TEST_RIE");
        let bootstrap = installed("LABELRELAY_TEST_LAMBDA");
        Self(Server::start_until("the emulator", answers, |port, _| {
            let [api] = free_ports();
            // One stream for both, so that their lines stay in order.
            let mut command = Command::new("sh");
            command
                .args(["-c", "exec \"$@\" 1>&2", "sh"])
                .arg(&emulator)
                .args(["--runtime-interface-emulator-address", &local(port)])
                .args(["--runtime-api-address", &local(api)])
                .arg(&bootstrap)
                .env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap_or_default())
                .env("AWS_LAMBDA_FUNCTION_NAME", "relay")
                .env("AWS_LAMBDA_FUNCTION_TIMEOUT", "60")
                .envs(variables.iter().cloned());
            command
        }))
    }

    /// Answer of the function to `event`.
    pub fn invoke(&self, event: &[u8]) -> serde_json::Value {
        let head = format!(
            "POST /2015-03-31/functions/function/invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
            event.len()
        );
        let answer = client::once(self.0.address, &[head.as_bytes(), event].concat());
        serde_json::from_slice(&answer.body).unwrap_or_else(|error| {
            let body = String::from_utf8_lossy(&answer.body);
            panic!("{error}: {} {body}\n{}", answer.status, self.log())
        })
    }

    /// Output of the function and of the emulator.
    pub fn log(&self) -> String {
        self.0.log()
    }

    /// The output behind its first `from` bytes, in whole lines, once all of `words` stand there: the emulator passes
    /// the function's lines on, and some of them behind the answer.
    pub fn logged(&self, from: usize, words: &[&str]) -> String {
        eventually(&format!("{words:?} in the function's log"), || {
            let mut log = self.log().split_off(from);
            log.truncate(log.rfind('\n')? + 1);
            words.iter().all(|word| log.contains(word)).then_some(log)
        })
    }
}

/// The function behind `cargo lambda watch`, which makes events of HTTP requests.
pub struct Watched {
    emulator: Server,
    function: Child,
    folder: TempDir,
}

impl Watched {
    /// Starts both; the function gets these variables and no others.
    pub fn start(variables: &[(String, String)]) -> Self {
        let cargo_lambda = installed("LABELRELAY_TEST_CARGO_LAMBDA");
        let emulator = Server::start_until("cargo lambda watch", answers, |port, folder| {
            package(folder);
            let cargo = Path::new(env!("CARGO")).parent().unwrap();
            let path = std::env::var("PATH").unwrap_or_default();
            let mut command = Command::new(&cargo_lambda);
            command
                .args(["lambda", "watch", "--only-lambda-apis", "--disable-cors"])
                .args(["--invoke-address", "127.0.0.1"])
                .args(["--invoke-port", &port.to_string()])
                .env("PATH", format!("{}:{path}", cargo.display()));
            command
        });
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("function.log")).unwrap();
        let function = Command::new(installed("LABELRELAY_TEST_LAMBDA"))
            .env_clear()
            .env(
                "AWS_LAMBDA_RUNTIME_API",
                format!("{}/.rt", emulator.endpoint()),
            )
            .env("AWS_LAMBDA_FUNCTION_NAME", "_")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .envs(variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log)
            .spawn()
            .unwrap();
        Self {
            emulator,
            function,
            folder,
        }
    }

    /// Address for requests.
    pub fn address(&self) -> SocketAddr {
        self.emulator.address
    }

    /// Output of the function.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.path().join("function.log")).unwrap())
            .into_owned()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // A process that ended already is no error.
        let _ = self.function.kill();
        let _ = self.function.wait();
    }
}

/// A package to watch; it is never built.
fn package(folder: &Path) {
    let manifest: PathBuf = folder.join("Cargo.toml");
    let text =
        "[package]\nname = \"watched\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
    std::fs::write(manifest, text).unwrap();
    std::fs::create_dir(folder.join("src")).unwrap();
    std::fs::write(folder.join("src/main.rs"), "fn main() {}\n").unwrap();
}

fn local(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// Tells whether somebody listens. A request would be an invocation.
fn answers(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}
