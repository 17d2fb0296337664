//! fake-gcs-server: Cloud Storage with preconditions, in memory.

use super::{Server, installed};
use crate::client::once;
use std::ops::{Deref, DerefMut};
use std::process::Command;

/// A running server without a bucket.
pub struct FakeGcs(Server);

impl FakeGcs {
    /// Starts one.
    pub fn start() -> Self {
        let program = installed("LABELRELAY_TEST_FAKE_GCS");
        Self(Server::start(
            "fake-gcs-server",
            "/_internal/healthcheck",
            |port, _| {
                let mut command = Command::new(&program);
                command
                    .args([
                        "-backend",
                        "memory",
                        "-scheme",
                        "http",
                        "-host",
                        "127.0.0.1",
                        "-log-level",
                        "warn",
                    ])
                    .args(["-port", &port.to_string()]);
                command
            },
        ))
    }

    /// The environment of a program that shall use it.
    pub fn environment(&self) -> Vec<(String, String)> {
        vec![("STORAGE_EMULATOR_HOST".to_owned(), self.endpoint())]
    }

    /// Makes a bucket.
    pub fn bucket(&self, name: &str) {
        let body = format!(r#"{{"name":"{name}"}}"#);
        let request = format!(
            "POST /storage/v1/b?project=test HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = once(self.address, request.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// The object that a `gs://` URI names, if there is one.
    pub fn object(&self, uri: &str) -> Option<Vec<u8>> {
        let (bucket, name) = uri.strip_prefix("gs://").unwrap().split_once('/').unwrap();
        let name = name.replace('/', "%2F");
        let request = format!(
            "GET /storage/v1/b/{bucket}/o/{name}?alt=media HTTP/1.1\r\nHost: localhost\r\n\r\n"
        );
        let answer = once(self.address, request.as_bytes());
        (answer.status == 200).then_some(answer.body)
    }
}

impl Deref for FakeGcs {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

impl DerefMut for FakeGcs {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.0
    }
}
