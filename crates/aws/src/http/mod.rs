//! The one HTTP client behind everything in this crate, and the retirement of its connections.

mod answer;
mod trusted_roots;

pub(crate) use answer::{Answer, read};
pub(crate) use trusted_roots::trust;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use labelrelay_core::connection_retirement::{Attempt, Connections};
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Idle connections older than this are closed rather than used: servers hang up after about a minute,
/// and a request that meets the hang-up fails.
const IDLE: Duration = Duration::from_secs(45);

/// Connections, pooled. Cheap to clone; clones share the pool.
#[derive(Clone)]
pub(crate) struct Http(Arc<Inner>);

struct Inner {
    tls: TlsContext,
    pools: Connections<Pool>,
}

/// A pool of connections. Empty until it is first needed: a process that never connects never reads certificates.
pub(crate) type Pool = OnceLock<SharedHttpConnector>;

impl Http {
    pub(crate) fn new(tls: TlsContext) -> Self {
        Self(Arc::new(Inner {
            tls,
            pools: Connections::default(),
        }))
    }

    /// A client with the same trusted roots, and connections of its own.
    pub(crate) fn with_own_connections(&self) -> Self {
        Self::new(self.0.tls.clone())
    }

    /// Begins an attempt. Unless it is answered, the next one uses a new pool: a function that was frozen finds all
    /// its idle connections dead, and the second attempt must not take another of them.
    pub(crate) fn attempt(&self) -> Attempt<'_, Pool> {
        self.0.pools.attempt()
    }

    fn connector(&self) -> SharedHttpConnector {
        let made = || {
            let connector = Connector::builder()
                .tls_provider(Provider::rustls(CryptoMode::Ring))
                .tls_context(self.0.tls.clone())
                .pool_idle_timeout(IDLE)
                .build();
            SharedHttpConnector::new(connector)
        };
        self.0.pools.current().get_or_init(made).clone()
    }
}

impl HttpConnector for Http {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.connector().call(request)
    }
}

impl HttpClient for Http {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}
