//! A request's body as a stream of bytes.

use bytes::Bytes;
use futures_util::{Stream, stream};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use labelrelay_core::BodyError;

/// The body's bytes as they arrive. `Content-Encoding` is not looked at: a user of Label Studio can
/// set that header on a plain body, and a signature covers the bytes as they were sent.
pub(crate) fn stream(body: Incoming) -> impl Stream<Item = Result<Bytes, BodyError>> + Send {
    stream::unfold(Some(body), |body| async move {
        let mut body = body?;
        if body.is_end_stream() {
            return None;
        }
        loop {
            match body.frame().await? {
                Ok(frame) => match frame.into_data() {
                    Ok(data) => return Some((Ok(data), Some(body))),
                    Err(_trailers) => {}
                },
                Err(error) => return Some((Err(BodyError::Broken(error.to_string())), None)),
            }
        }
    })
}
