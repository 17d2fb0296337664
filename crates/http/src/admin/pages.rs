//! A page beside the metrics, where somebody mounts one: it has every path that is not one of ours.

use super::text_response::{PLAIN, text};
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Answers a request by its head. It may wait for a disk.
pub type PageAnswer = Arc<dyn Fn(&Parts) -> Response<Bytes> + Send + Sync>;

/// Requests that are answered at once: a browser has six connections, and each of them reads from the disk.
const AT_ONCE: usize = 8;

/// A page, and room for its requests.
#[derive(Clone)]
pub(super) struct Page {
    answer: PageAnswer,
    slots: Arc<Semaphore>,
}

impl Page {
    pub(super) fn new(answer: PageAnswer) -> Self {
        Self {
            answer,
            slots: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        // Given back when the reading has ended, and not when the peer has gone: who asks again and again, and hangs
        // up, gets no more of the disk.
        let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else {
            return broken();
        };
        let (head, _body) = request.into_parts();
        let answer = Arc::clone(&self.answer);
        let answered = tokio::task::spawn_blocking(move || {
            let response = answer(&head);
            drop(slot);
            response
        });
        match answered.await {
            Ok(response) => response.map(Full::new),
            // A panic of it was printed where it happened.
            Err(_) => broken(),
        }
    }
}

fn broken() -> Response<Full<Bytes>> {
    let body = "the page broke down, and the log says where; deliveries go on\n".to_owned();
    text(StatusCode::INTERNAL_SERVER_ERROR, PLAIN, body)
}
