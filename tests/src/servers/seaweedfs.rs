//! `SeaweedFS`: a real S3 server, on disk, that checks signatures, preconditions and checksums.

use super::{KEY, Server, environment, free_ports, installed};
use std::ops::Deref;
use std::process::Command;

/// A running S3 server without a bucket.
pub struct Seaweedfs(Server);

impl Seaweedfs {
    /// Starts one that takes [`KEY`] alone.
    pub fn start() -> Self {
        let program = installed("LABELRELAY_TEST_SEAWEEDFS");
        Self(Server::start("SeaweedFS", "/healthz", |port, folder| {
            let identities = folder.join("identities.json");
            std::fs::write(&identities, identities_of(KEY)).unwrap();
            let mut command = Command::new(&program);
            command
                .args([
                    "server",
                    "-filer",
                    "-s3",
                    "-s3.iam=false",
                    "-s3.autoCreateBucket=false",
                ])
                .args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1"])
                .args(["-master.telemetry=false", "-master.volumeSizeLimitMB=64"])
                .args(["-volume.max=30", "-s3.port.iceberg=0", "-s3.port.lance=0"])
                .arg(format!("-s3.port={port}"))
                .arg(format!("-s3.config={}", identities.display()))
                .arg(format!("-dir={}", folder.display()));
            let others = [
                "s3.port.grpc",
                "master.port",
                "master.port.grpc",
                "volume.port",
                "volume.port.grpc",
                "filer.port",
                "filer.port.grpc",
            ];
            for (name, port) in others.iter().zip(free_ports::<7>()) {
                command.arg(format!("-{name}={port}"));
            }
            command
        }))
    }

    /// The environment of a program that shall use it.
    pub fn environment(&self) -> Vec<(String, String)> {
        environment(&self.endpoint())
    }
}

fn identities_of(key: &str) -> String {
    serde_json::json!({ "identities": [{
        "name": key,
        "credentials": [{ "accessKey": key, "secretKey": key }],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }] })
    .to_string()
}

impl Deref for Seaweedfs {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}
