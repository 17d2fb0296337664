//! A borrowed stream as a body: the HTTP client wants one that lives on its own.

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures_channel::mpsc;
use futures_util::future::{Either, select};
use futures_util::{SinkExt, StreamExt};
use http_body::{Body, Frame, SizeHint};
use labelrelay_core::BoxStream;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Runs `request`, which gets a body of `length` bytes, and feeds that body from `stream` meanwhile. At
/// most two chunks are in memory.
pub(super) async fn with_body<T>(
    length: u64,
    mut stream: BoxStream<'_, io::Result<Bytes>>,
    request: impl AsyncFnOnce(SdkBody) -> T,
) -> T {
    let (mut feed, chunks) = mpsc::channel(0);
    let body = SizedBody {
        chunks,
        left: length,
    };
    let feeding = async move {
        while let Some(chunk) = stream.next().await {
            // Sending fails when the answer came before the body's end: nobody takes the rest.
            if feed.send(chunk).await.is_err() {
                break;
            }
        }
    };
    let request = std::pin::pin!(request(SdkBody::from_body_1_x(body)));
    match select(request, std::pin::pin!(feeding)).await {
        Either::Left((answer, _)) => answer,
        Either::Right(((), request)) => request.await,
    }
}

/// A body that is exactly as long as was said, or breaks.
struct SizedBody {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    left: u64,
}

impl Body for SizedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        errors: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let odd = |problem| Poll::Ready(Some(Err(io::Error::other(problem))));
        match std::task::ready!(self.chunks.poll_next_unpin(errors)) {
            Some(Ok(chunk)) => match self.left.checked_sub(chunk.len() as u64) {
                Some(left) => {
                    self.left = left;
                    Poll::Ready(Some(Ok(Frame::data(chunk))))
                }
                None => odd("the body is longer than was said"),
            },
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None if self.left > 0 => odd("the body is shorter than was said"),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        false
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
