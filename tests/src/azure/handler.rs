//! The custom handler as a process, started as the host starts it.

use crate::client::Client;
use crate::relay::eventually;
use crate::servers::free_ports;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use tempfile::TempDir;

/// A running handler; killed when dropped.
pub struct Handler {
    /// Address that it listens on.
    pub address: SocketAddr,
    child: Child,
    folder: TempDir,
}

impl Handler {
    /// Starts `program` with these variables and nothing else that could be meant for it, and waits until it
    /// answers, as the host does: any answer counts.
    pub fn start(program: &Path, variables: &[(&str, &str)]) -> Self {
        let mut handler = Self::spawn(program, variables);
        eventually("the handler answers", || {
            if let Some(status) = handler.child.try_wait().unwrap() {
                panic!("the handler ended with {status}:\n{}", handler.log());
            }
            let ping = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
            Client::connect(handler.address).ok()?.exchange(ping).ok()
        });
        handler
    }

    /// Starts one that shall not come up: how it ended, and what it wrote.
    pub fn fail(program: &Path, variables: &[(&str, &str)]) -> (ExitStatus, String) {
        let mut handler = Self::spawn(program, variables);
        let status = eventually("the handler has ended", || {
            handler.child.try_wait().unwrap()
        });
        (status, handler.log())
    }

    fn spawn(program: &Path, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [port] = free_ports();
        let log = log(folder.path());
        let child = Command::new(program)
            .env_clear()
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .envs(variables.iter().copied())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(File::create(&log).unwrap())
            .stderr(File::options().append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            child,
            folder,
        }
    }

    /// Output, of both streams.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(log(self.folder.path())).unwrap()).into_owned()
    }

    /// Asks it to end and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        let status = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success(), "kill -TERM");
        eventually("the handler has ended", || self.child.try_wait().unwrap())
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        // A process that ended already is no error.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log(folder: &Path) -> std::path::PathBuf {
    folder.join("handler.log")
}
