//! The connection to a collector.

use crate::post::Post;
use crate::settings::Target;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Request, Uri};
use http_body_util::{BodyExt as _, Limited};
use labelrelay_http_client::{BrokeOff, Connection, TrustedRoots};
use std::time::{Duration, SystemTime};

/// An answer of a collector is small. Of a larger one, the connection is not used again.
const MOST_ANSWER_BYTES: usize = 64 * 1024;

/// A connection that idled for longer is not used again: what lies between may have forgotten it, and nobody would say so.
/// By the time of the day, since a function that was frozen has slept through it.
const LONGEST_IDLE: Duration = Duration::from_secs(300);

const MEDIA_TYPE: &str = "application/x-protobuf";
const NAME: &str = concat!("labelrelay/", env!("CARGO_PKG_VERSION"));

/// Posts to one collector, over one connection for as long as that lives.
#[derive(Default)]
pub struct Collector {
    roots: TrustedRoots,
    kept: Option<Kept>,
}

struct Kept {
    to: Uri,
    connection: Connection,
    since: SystemTime,
}

impl Kept {
    /// Tells whether it leads there, as far as is known.
    fn leads_to(&self, url: &Uri) -> bool {
        let is_same = self.to.scheme() == url.scheme() && self.to.authority() == url.authority();
        is_same && is_fresh(self.since) && !self.connection.is_closed()
    }
}

fn is_fresh(since: SystemTime) -> bool {
    // A clock that was set back tells nothing of it.
    since.elapsed().is_ok_and(|idle| idle < LONGEST_IDLE)
}

impl Post for Collector {
    async fn post(&mut self, target: &Target, message: Bytes) -> Result<u16, String> {
        let url = &target.url;
        let kept = self.kept.take();
        if let Some(kept) = kept.filter(|kept| kept.leads_to(url)) {
            let connection = kept.connection;
            match self.exchange(connection, target, message.clone()).await {
                // The collector had ended it for being idle.
                Err(broken) if broken.is_end => {}
                answered => return answered.map_err(|broken| broken.message),
            }
        }
        let connection = Connection::open(url, &self.roots).await;
        let connection = connection.map_err(|error| error.to_string())?;
        let answered = self.exchange(connection, target, message).await;
        answered.map_err(|broken| broken.message)
    }
}

impl Collector {
    async fn exchange(
        &mut self,
        mut connection: Connection,
        target: &Target,
        message: Bytes,
    ) -> Result<u16, BrokeOff> {
        let request = Request::post(target.url.clone()).body(message);
        let mut request = request.map_err(|error| error.to_string())?;
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(NAME));
        for (name, value) in &target.headers {
            headers.append(name, value.clone());
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        let response = connection.exchange(request).await?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), MOST_ANSWER_BYTES);
        if body.collect().await.is_ok() {
            self.kept = Some(Kept {
                to: target.url.clone(),
                connection,
                since: SystemTime::now(),
            });
        }
        Ok(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_idled_for_long_is_not_used_again() {
        let now = SystemTime::now();
        assert!(is_fresh(now - LONGEST_IDLE / 2));
        assert!(!is_fresh(now - LONGEST_IDLE));
        assert!(!is_fresh(now + LONGEST_IDLE), "the clock was set back");
    }
}
