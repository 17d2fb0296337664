//! The one HTTP client behind everything in this crate, and when its connections are not used again.

mod answer;
mod attempt;
mod trust;

pub(crate) use answer::{Answer, read};
pub(crate) use attempt::Attempt;
pub(crate) use trust::trust;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Idle connections older than this are closed rather than used: servers hang up after about a minute,
/// and a request that meets the hang-up fails.
const IDLE: Duration = Duration::from_secs(45);

/// Connections, pooled. Cheap to clone; clones share the pool.
#[derive(Clone)]
pub(crate) struct Http(Arc<Inner>);

struct Inner {
    tls: TlsContext,
    pool: Mutex<Pool>,
}

/// A pool and its place in the row of pools.
#[derive(Clone)]
struct Pool {
    /// `None` until it is first needed: a process that never connects never reads certificates.
    connector: Option<SharedHttpConnector>,
    generation: u64,
}

impl Http {
    pub(crate) fn new(tls: TlsContext) -> Self {
        let pool = Pool {
            connector: None,
            generation: 0,
        };
        Self(Arc::new(Inner {
            tls,
            pool: Mutex::new(pool),
        }))
    }

    /// The same trust, and none of the connections.
    pub(crate) fn with_own_connections(&self) -> Self {
        Self::new(self.0.tls.clone())
    }

    /// From here on a new pool is used, unless somebody saw to that since `generation`. What is under way
    /// ends on the old one.
    ///
    /// A function that was frozen finds all its idle connections dead, and a dead one answers nothing at
    /// all: the second attempt must not take another of them.
    fn renew(&self, generation: u64) {
        let mut pool = self.0.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.generation == generation {
            *pool = Pool {
                connector: None,
                generation: generation + 1,
            };
        }
    }

    fn generation(&self) -> u64 {
        let pool = self.0.pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.generation
    }

    fn connector(&self) -> SharedHttpConnector {
        let mut pool = self.0.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || {
            let connector = Connector::builder()
                .tls_provider(Provider::rustls(CryptoMode::Ring))
                .tls_context(self.0.tls.clone())
                .pool_idle_timeout(IDLE)
                .build();
            SharedHttpConnector::new(connector)
        };
        pool.connector.get_or_insert_with(made).clone()
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
