//! A stand-in for the part of Labelbox's API that exports projects and manages webhooks, and Labelbox's own client, which is run
//! against it: what both understand is what that client speaks.

use super::{Server, installed};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// The API key that the stand-in takes.
pub const API_KEY: &str = "a key of the stand-in for Labelbox";

/// The Python that has Labelbox's own client.
fn python() -> PathBuf {
    installed("LABELRELAY_TEST_LABELBOX")
}

/// A workspace of Labelbox.
pub struct Labelbox {
    server: Server,
    rows: TempDir,
}

impl Labelbox {
    /// Starts one without rows.
    pub fn start() -> Self {
        let rows = tempfile::tempdir().unwrap();
        let file = rows.path().join("rows");
        std::fs::write(&file, "").unwrap();
        let server = Server::start("the stand-in for Labelbox", "/ready", |port, _| {
            let mut command = Command::new(python());
            command
                .args(["-c", include_str!("labelbox_server.py"), &port.to_string()])
                .arg(&file)
                .arg(API_KEY);
            command
        });
        Self { server, rows }
    }

    /// From now on it has these rows, each one line.
    pub fn set_rows(&self, rows: &[String]) {
        // At once, or an export would see half of them.
        let (new, file) = (self.rows.path().join("new"), self.rows.path().join("rows"));
        std::fs::write(&new, rows.join("\n")).unwrap();
        std::fs::rename(new, file).unwrap();
    }

    /// Endpoint.
    pub fn endpoint(&self) -> String {
        format!("{}/graphql", self.server.endpoint())
    }

    /// Export of a project by Labelbox's own client, of rows that were active at or after `since`: it prints each
    /// as JSON, a row a line.
    pub fn own_client(&self, key: &str, project: &str, since: &str) -> Output {
        Command::new(python())
            .args(["-c", include_str!("labelbox_client.py")])
            .args([&self.endpoint(), key, project, since])
            .env("PYTHONIOENCODING", "utf-8")
            .output()
            .unwrap()
    }

    /// Webhooks by Labelbox's own client; what it printed. The script says which words there are.
    ///
    /// # Panics
    /// When the client fails.
    pub fn own_webhooks(&self, words: &[&str]) -> Vec<Value> {
        let output = Command::new(python())
            .args(["-c", include_str!("labelbox_webhooks.py")])
            .args([&self.endpoint(), API_KEY])
            .args(words)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {told}");
        let printed = String::from_utf8(output.stdout).unwrap();
        let lines = printed.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}
