//! `MiniStack` as AWS is reached: over TLS, by callers who may do only what their policies allow.

use labelrelay_tests::servers::{KEY, REGION, Server, boto3, environment, free_ports};
use std::cell::Cell;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A stand-in for AWS with nothing in it.
pub(crate) struct Aws {
    /// Answers without TLS: function URLs, since Label Studio trusts no certificate of ours, and the
    /// question whether that gets past the policies.
    plain: Server,
    tls: u16,
    /// Holds the certificate.
    folder: TempDir,
}

impl Aws {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = rcgen::generate_simple_self_signed(["localhost".into(), "127.0.0.1".into()]);
        let own = own.unwrap();
        std::fs::write(certificate(folder.path()), own.cert.pem()).unwrap();
        std::fs::write(key(folder.path()), own.signing_key.serialize_pem()).unwrap();
        let tls = Cell::new(0);
        let plain = Server::start("MiniStack", "/_ministack/ready", |port, state| {
            let [free] = free_ports();
            tls.set(free);
            server(free, port, state, folder.path())
        });
        Self {
            plain,
            tls: tls.get(),
            folder,
        }
    }

    /// Address at which HTTP is spoken without TLS.
    pub(crate) fn plain(&self) -> SocketAddr {
        self.plain.address
    }

    /// The environment of a program that shall use it, as somebody who may do everything.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let mut environment = environment(&endpoint(self.tls));
        environment.extend(trust(self.folder.path()));
        environment
    }

    /// Runs Python against it; see [`boto3::run`].
    pub(crate) fn boto3(&self, script: &str, arguments: &[&str]) -> String {
        boto3::run_in(&self.environment(), script, arguments)
    }
}

/// Runs it as a module: its own command speaks either TLS or not.
fn server(tls: u16, plain: u16, state: &Path, folder: &Path) -> Command {
    let mut command = Command::new(boto3::python());
    command
        .args(["-m", "hypercorn", "ministack.app:app"])
        .args(["--bind", &format!("127.0.0.1:{tls}")])
        .args(["--insecure-bind", &format!("127.0.0.1:{plain}")])
        .arg("--certfile")
        .arg(certificate(folder))
        .arg("--keyfile")
        .arg(key(folder))
        .args(["--keep-alive", "75"])
        .env("AUTH", "true")
        .env("USE_SSL", "1")
        .env("GATEWAY_PORT", tls.to_string())
        .env("MINISTACK_REGION", REGION)
        .env("LAMBDA_EXECUTOR", "local")
        .env("STATE_DIR", state.join("state"))
        .env("S3_DATA_DIR", state.join("s3"))
        // Nothing may look for a container engine here.
        .env("DOCKER_HOST", "unix:///dev/null")
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", KEY)
        // Functions inherit these; nothing else tells them where AWS is.
        .env("AWS_ENDPOINT_URL", endpoint(tls))
        .envs(trust(folder));
    command
}

fn endpoint(tls: u16) -> String {
    format!("https://localhost:{tls}")
}

/// Variables by which programs in Python and in Rust trust the certificate.
fn trust(folder: &Path) -> [(String, String); 2] {
    ["AWS_CA_BUNDLE", "SSL_CERT_FILE"]
        .map(|name| (name.to_owned(), certificate(folder).display().to_string()))
}

fn certificate(folder: &Path) -> std::path::PathBuf {
    folder.join("certificate.pem")
}

fn key(folder: &Path) -> std::path::PathBuf {
    folder.join("key.pem")
}
