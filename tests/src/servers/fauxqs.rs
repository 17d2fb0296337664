//! fauxqs: SQS written by others than `MiniStack`'s authors, which counts attributes as AWS does.

use super::{Server, environment, installed};
use std::ops::Deref;
use std::process::Command;

/// Starts it as a module, which listens where it is told to; its own command listens on all interfaces.
const START: &str = include_str!("fauxqs.mjs");

/// A running fauxqs without a queue.
pub struct Fauxqs(Server);

impl Fauxqs {
    /// Starts one.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// Starts one whose receipts have no hyphen, as AWS's have none: its extended client for Python cuts a receipt at its
    /// last one.
    pub fn start_with_plain_receipts() -> Self {
        Self::start_with("plain-receipts")
    }

    fn start_with(receipts: &'static str) -> Self {
        let project = installed("LABELRELAY_TEST_FAUXQS");
        Self(Server::start("fauxqs", "/health", |port, folder| {
            // Modules are looked for beside the file that names them.
            let script = folder.join("fauxqs.mjs");
            std::fs::write(&script, START).unwrap();
            std::os::unix::fs::symlink(project.join("node_modules"), folder.join("node_modules"))
                .unwrap();
            let mut command = Command::new(installed("LABELRELAY_TEST_NODE"));
            command
                .arg(script)
                .arg(port.to_string())
                .arg(super::REGION)
                .arg(receipts);
            command
        }))
    }

    /// The environment of a program that shall use it.
    pub fn environment(&self) -> Vec<(String, String)> {
        environment(&self.endpoint())
    }
}

impl Deref for Fauxqs {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}
