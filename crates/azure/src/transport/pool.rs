//! Connections that are kept, and taken out of use when one of them may be dead.

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as LegacyClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

type Client = LegacyClient<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Nobody waits longer for anything; what has given up must not leave a connection in the making behind.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Azure's front ends close what is silent for a minute and more; who asks first is never surprised.
const IDLE: Duration = Duration::from_secs(45);

/// Requests under way at once, hence connections: a storage account's queue takes 2,000 messages a second,
/// and servers reset connections that come in floods.
const AT_ONCE: usize = 256;

/// A client whose kept connections can be replaced all at once.
pub(super) struct Pool {
    connector: HttpsConnector<HttpConnector>,
    current: Mutex<Generation>,
    slots: Semaphore,
}

struct Generation {
    number: u64,
    client: Client,
}

impl Pool {
    pub(super) fn new() -> Self {
        let connector = connector();
        let current = Mutex::new(Generation {
            number: 0,
            client: client(&connector),
        });
        Self {
            connector,
            current,
            slots: Semaphore::new(AT_ONCE),
        }
    }

    /// A place among those under way. `None` never comes: nobody closes the semaphore.
    pub(super) async fn slot(&self) -> Option<SemaphorePermit<'_>> {
        self.slots.acquire().await.ok()
    }

    pub(super) fn attempt(&self) -> Attempt<'_> {
        let current = self.current();
        Attempt {
            pool: self,
            number: current.number,
            client: current.client.clone(),
            answered: false,
        }
    }

    /// Lets no later attempt use a connection of generation `number`; those that are busy end by themselves.
    fn distrust(&self, number: u64) {
        let mut current = self.current();
        if current.number == number {
            *current = Generation {
                number: number + 1,
                client: client(&self.connector),
            };
        }
    }

    fn current(&self) -> MutexGuard<'_, Generation> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool")
    }
}

/// One request under way.
pub(super) struct Attempt<'a> {
    pool: &'a Pool,
    number: u64,
    client: Client,
    answered: bool,
}

impl Attempt<'_> {
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The connection lives.
    pub(super) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.pool.distrust(self.number);
        }
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
