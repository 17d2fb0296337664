//! The connection to a collector.

use crate::post::Post;
use crate::settings::Target;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Request, Uri};
use http_body_util::{BodyExt as _, Limited};
use labelrelay_http_client::{BrokeOff, Connection, TrustedRoots};

/// An answer of a collector is small. Of a larger one, the connection is not used again.
const MOST_ANSWER_BYTES: usize = 64 * 1024;

const MEDIA_TYPE: &str = "application/x-protobuf";
const NAME: &str = concat!("labelrelay/", env!("CARGO_PKG_VERSION"));

/// Posts to one collector, over one connection for as long as that lives.
#[derive(Default)]
pub struct Collector {
    roots: TrustedRoots,
    kept: Option<(Uri, Connection)>,
}

impl Post for Collector {
    async fn post(&mut self, target: &Target, message: Bytes) -> Result<u16, String> {
        let url = &target.url;
        let is_same =
            |kept: &Uri| kept.scheme() == url.scheme() && kept.authority() == url.authority();
        let kept = self.kept.take();
        let kept = kept.filter(|(to, connection)| is_same(to) && !connection.is_closed());
        if let Some((_, connection)) = kept {
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
            self.kept = Some((target.url.clone(), connection));
        }
        Ok(status)
    }
}
