//! Connections that are kept, and taken out of use when one of them may be dead.

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as LegacyClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use labelrelay_core::connection_retirement::{Attempt, Connections};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

pub(super) type Client = LegacyClient<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Longest wait for a connection: nobody waits longer for anything, and what has given up must not leave a connection in the making behind.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Azure's front ends close what is silent for a minute and more; who asks first is never surprised.
const IDLE: Duration = Duration::from_secs(45);

/// Requests under way at once, hence connections: a storage account's queue takes 2,000 messages a second,
/// and servers reset connections that come in floods.
const AT_ONCE: usize = 256;

/// A client whose kept connections can be replaced all at once.
pub(super) struct Pool {
    connector: HttpsConnector<HttpConnector>,
    clients: Connections<OnceLock<Client>>,
    slots: Semaphore,
}

impl Pool {
    pub(super) fn new() -> Self {
        Self {
            connector: connector(),
            clients: Connections::default(),
            slots: Semaphore::new(AT_ONCE),
        }
    }

    /// A slot among the requests under way. `None` never comes: nobody closes the semaphore.
    pub(super) async fn slot(&self) -> Option<SemaphorePermit<'_>> {
        self.slots.acquire().await.ok()
    }

    pub(super) fn attempt(&self) -> Attempt<'_, OnceLock<Client>> {
        self.clients.attempt()
    }

    pub(super) fn client<'a>(&self, attempt: &'a Attempt<'_, OnceLock<Client>>) -> &'a Client {
        attempt.connection().get_or_init(|| client(&self.connector))
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool")
    }
}

fn client(connector: &HttpsConnector<HttpConnector>) -> Client {
    LegacyClient::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE)
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .build(connector.clone())
}

fn connector() -> HttpsConnector<HttpConnector> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let roots =
        HttpsConnectorBuilder::new().with_provider_and_native_roots(ring::default_provider());
    let builder = match roots {
        Ok(builder) => builder,
        Err(error) => {
            // Emulators speak without TLS; everything else then says that it trusts nobody.
            tracing::warn!(name: "no_certificate_authorities", %error, "this machine has no certificate authorities; install ca-certificates or set SSL_CERT_FILE");
            HttpsConnectorBuilder::new().with_tls_config(trusting_nobody())
        }
    };
    builder.https_or_http().enable_http1().wrap_connector(http)
}

fn trusting_nobody() -> ClientConfig {
    let provider = std::sync::Arc::new(ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap_or_else(|_| unreachable!("ring has cipher suites for the default versions"))
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth()
}
