//! Why a server gave no answer.

use http::{StatusCode, Uri};
use std::error::Error as StdError;
use std::time::Duration;

/// Why there is no answer, or none that can be used.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct HttpError {
    /// The problem and, where known, the cure. Never holds a credential.
    pub message: String,
    is_retryable: bool,
    is_too_large: bool,
    is_late: bool,
}

impl HttpError {
    pub(super) fn no_authorities(error: &std::io::Error) -> Self {
        Self::lasting(format!(
            "this machine trusts no certificate authority ({error}): install its CA certificates"
        ))
    }

    /// `by` says by which way it was asked.
    pub(super) fn no_answer(
        uri: &Uri,
        by: &str,
        error: &hyper_util::client::legacy::Error,
    ) -> Self {
        let cause = deepest(error);
        let message = if error.is_connect() {
            format!(
                "cannot connect to {}{by}: {cause}; see that the server runs and that the URL is its address",
                without_query(uri)
            )
        } else {
            format!(
                "{}{by}: the exchange broke off: {cause}",
                without_query(uri)
            )
        };
        Self::passing(message)
    }

    /// `by` says which proxy it is.
    pub(super) fn proxy_refuses(uri: &Uri, by: &str) -> Self {
        Self::lasting(format!(
            "{}{by}: the proxy wants a user and a password (407): write them into its URL, http://USER:PASSWORD@HOST:PORT",
            without_query(uri)
        ))
    }

    pub(super) fn broke_off(uri: &Uri, error: &hyper::Error) -> Self {
        Self::passing(format!(
            "{}: the answer broke off: {}",
            without_query(uri),
            deepest(error)
        ))
    }

    pub(super) fn late(uri: &Uri, limit: Duration) -> Self {
        let message = format!(
            "{}: no whole answer within {} s; see whether the server is overloaded",
            without_query(uri),
            limit.as_secs()
        );
        Self {
            is_late: true,
            ..Self::passing(message)
        }
    }

    pub(super) fn too_large(uri: &Uri, limit: usize) -> Self {
        let message = format!(
            "{}: the answer is larger than {limit} bytes",
            without_query(uri)
        );
        Self {
            is_too_large: true,
            ..Self::lasting(message)
        }
    }

    pub(super) fn keeps_failing(uri: &Uri, status: StatusCode) -> Self {
        let cure = if status == StatusCode::TOO_MANY_REQUESTS {
            "it is asked too often, from here or by others: wait some minutes, then try again"
        } else {
            "look into the server's log"
        };
        Self::passing(format!(
            "{}: answered {status} to every attempt; {cure}",
            without_query(uri)
        ))
    }

    fn passing(message: String) -> Self {
        Self {
            message,
            is_retryable: true,
            is_too_large: false,
            is_late: false,
        }
    }

    fn lasting(message: String) -> Self {
        Self {
            message,
            is_retryable: false,
            is_too_large: false,
            is_late: false,
        }
    }

    /// Tells whether the same request may be answered later, although nobody changes it.
    pub fn is_retryable(&self) -> bool {
        self.is_retryable
    }

    /// Tells whether the answer did not come in time.
    pub fn is_late(&self) -> bool {
        self.is_late
    }

    /// Tells whether there is an answer, larger than what was allowed.
    pub fn is_too_large(&self) -> bool {
        self.is_too_large
    }
}

/// The root cause: the outer errors of a client say no more than that there was one.
fn deepest(error: &dyn StdError) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// A URI without its query, for messages: a query may hold what is nobody's business.
fn without_query(uri: &Uri) -> String {
    let port = uri
        .port_u16()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!(
        "{}://{}{port}{}",
        uri.scheme_str().unwrap_or_default(),
        uri.host().unwrap_or_default(),
        uri.path()
    )
}
