//! A response, whole and bounded.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt;
use std::error::Error as StdError;

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Reads an answer of at most `max` bytes.
pub(crate) async fn read(
    response: HttpResponse,
    max: usize,
) -> Result<Answer, Box<dyn StdError + Send + Sync>> {
    let (head, mut body) = response.try_into_http1x()?.into_parts();
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if read.len() + data.len() > max {
            return Err(format!("the answer is larger than {max} bytes").into());
        }
        read.extend_from_slice(&data);
    }
    Ok(Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: read.freeze(),
    })
}
