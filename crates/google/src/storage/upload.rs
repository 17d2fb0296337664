//! An object's description and its bytes in one request, the bytes as they come.

use crate::rest::{Rest, RestError};
use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use labelrelay_core::{BlobError, BoxStream};
use reqwest::RequestBuilder;
use std::fmt::Write as _;
use std::io;
use tokio::sync::mpsc;

/// What stands before and after the bytes.
pub(super) struct Parts {
    boundary: String,
    head: Bytes,
    tail: Bytes,
    length: u64,
}

impl Parts {
    /// For an object of `length` bytes.
    pub(super) fn new(name: &str, content_type: &str, length: u64) -> Result<Self, BlobError> {
        // Of random bytes, so that nobody can put it into a body.
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            BlobError::transient(format!("the operating system has no random bytes: {error}"))
        })?;
        let boundary = random
            .iter()
            .fold(String::from("labelrelay-"), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            });
        let description = serde_json::json!({ "name": name, "contentType": content_type });
        let head = format!(
            "--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{description}\r\n--{boundary}\r\nContent-Type: {content_type}\r\n\r\n"
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        Ok(Self {
            boundary,
            head: head.into(),
            tail: tail.into(),
            length,
        })
    }

    /// Sends all of it; the outer error is of reading the bytes, the inner one of the answer.
    pub(super) async fn send(
        self,
        rest: &Rest,
        request: RequestBuilder,
        mut bytes: BoxStream<'_, io::Result<Bytes>>,
    ) -> Result<Result<Bytes, RestError>, BlobError> {
        let total = self.head.len() as u64 + self.length + self.tail.len() as u64;
        // The client wants to own what it sends; the bytes are borrowed. So they are handed over one by one.
        let (sender, mut receiver) = mpsc::channel::<io::Result<Bytes>>(1);
        let body = stream::poll_fn(move |context| receiver.poll_recv(context));
        let request = request
            .header(
                CONTENT_TYPE,
                format!("multipart/related; boundary={}", self.boundary),
            )
            .header(CONTENT_LENGTH, total)
            .body(reqwest::Body::wrap_stream(body));
        let hand_over = async move {
            let first = stream::once(future::ready(Ok(self.head)));
            let last = stream::once(future::ready(Ok(self.tail)));
            let mut all = first.chain(bytes.by_ref()).chain(last);
            while let Some(chunk) = all.next().await {
                let broken = chunk.as_ref().err().map(ToString::to_string);
                // Whoever does not listen any more has its answer already.
                if sender.send(chunk).await.is_err() {
                    return None;
                }
                if broken.is_some() {
                    return broken;
                }
            }
            None
        };
        let (answer, broken) = future::join(rest.send(request), hand_over).await;
        match broken {
            Some(reason) => Err(BlobError::permanent(format!(
                "the data cannot be read: {reason}"
            ))),
            None => Ok(answer),
        }
    }
}
