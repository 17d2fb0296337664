//! Surroundings of a function: endpoints, roots, variables.

use super::certificate::Certificates;
use super::function::Environment;
use super::minimal_start;
use super::stand_in::StandIn;
use crate::Outcome;
use crate::bench::deliveries::SECRET;
use rustls::ClientConfig;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Surroundings {
    pub(super) sqs: StandIn,
    pub(super) secrets: StandIn,
    s3: StandIn,
    roots: PathBuf,
    client: Arc<ClientConfig>,
}

/// Work of a relay at its start.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StartKind {
    /// The secret in a variable, no connection opened ahead.
    Lean,
    /// The secret in Secrets Manager, the connection to the queue opened ahead.
    Full,
}

/// The source in a file, because a variable of its own would hold the secret itself.
const STORED_SECRET: &str = "[[source]]\nname = \"labelbox\"\nprovider = \"labelbox\"\nsecret = \"aws-secretsmanager:bench\"\n";

impl Surroundings {
    pub(super) fn start(folder: &Path) -> Outcome<Self> {
        let certificates = Certificates::new(folder)?;
        let tls = &certificates.server;
        Ok(Self {
            sqs: StandIn::start(tls)?,
            secrets: StandIn::start(tls)?,
            s3: StandIn::start(tls)?,
            roots: certificates.bundle,
            client: certificates.client,
        })
    }

    /// Time of one secret call and one handshake with the queue, side by side.
    pub(super) fn opening(&self) -> Outcome<Duration> {
        minimal_start::secret_and_queue(&self.client, &self.secrets, &self.sqs)
    }

    /// Gives all services the latency of a region, or that of this machine.
    pub(super) fn set_delay(&self, delay: Duration) {
        for service in [&self.sqs, &self.secrets, &self.s3] {
            service.set_delay(delay);
        }
    }

    /// The variables of a relay.
    pub(super) fn environment(&self, kind: StartKind) -> Environment {
        let roots = self.roots.display().to_string();
        let mut variables = vec![
            (
                "LABELRELAY_QUEUE",
                "https://sqs.us-east-1.amazonaws.com/000000000000/bench".to_owned(),
            ),
            ("LABELRELAY_BLOB_STORE", "s3://bench/claims".to_owned()),
            ("AWS_ENDPOINT_URL_SQS", self.sqs.endpoint.clone()),
            (
                "AWS_ENDPOINT_URL_SECRETS_MANAGER",
                self.secrets.endpoint.clone(),
            ),
            ("AWS_ENDPOINT_URL_S3", self.s3.endpoint.clone()),
            // As on Amazon Linux, where the system's roots are one file.
            ("SSL_CERT_FILE", roots),
        ];
        variables.extend(match kind {
            StartKind::Lean => [
                ("LABELBOX_WEBHOOK_SECRET", SECRET.to_owned()),
                ("LABELRELAY_WARM", "off".to_owned()),
            ],
            StartKind::Full => [
                ("LABELRELAY_CONFIG_TOML", STORED_SECRET.to_owned()),
                ("LABELRELAY_WARM", "on".to_owned()),
            ],
        });
        variables
    }
}
