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

/// Text before and after the bytes.
pub(super) struct MultipartBody {
    boundary: String,
    head: Bytes,
    tail: Bytes,
    length: u64,
}

impl MultipartBody {
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
        let (head, tail, length) = (self.head, self.tail, self.length);
        let feed = async move {
            // A receiver that has gone has its answer already.
            if sender.send(Ok(head)).await.is_err() {
                return None;
            }
            let mut came = 0;
            loop {
                let broken = match bytes.next().await {
                    Some(Ok(chunk)) if came + chunk.len() as u64 <= length => {
                        came += chunk.len() as u64;
                        if sender.send(Ok(chunk)).await.is_err() {
                            return None;
                        }
                        continue;
                    }
                    None if came == length => {
                        let _ = sender.send(Ok(tail)).await;
                        return None;
                    }
                    Some(Ok(_)) => format!("more than its {length} bytes came"),
                    Some(Err(error)) => error.to_string(),
                    None => format!("{came} of its {length} bytes came"),
                };
                // The tail would make an object of what came so far: a server need not wait for the rest of
                // the announced length.
                let _ = sender.send(Err(io::Error::other(broken.clone()))).await;
                return Some(broken);
            }
        };
        let (answer, broken) = future::join(rest.send(request), feed).await;
        match broken {
            Some(reason) => Err(BlobError::permanent(format!(
                "the data cannot be read: {reason}"
            ))),
            None => Ok(answer),
        }
    }
}
