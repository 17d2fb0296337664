//! The server: connections in, answers out, and a stop that finishes what had arrived.

use crate::accept::Accept;
use crate::connection::Shared;
use crate::options::{READ_BUFFER_BYTES, ServeOptions};
use crate::service::respond;
use crate::tasks::Tasks;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto;
use labelrelay_core::{Observer, Relay};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// After the drain timed out and the last delivery ended, its answer is on its way to the socket;
/// connections whose body still arrives end with it.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// After a stop was asked for, connections are accepted until none waits any more, but no longer than this:
/// somebody who connects again and again must not keep the program from ending.
const LAST_ACCEPTED: Duration = Duration::from_secs(2);

/// Serves `relay` on `listener` until `shutdown` completes; returns when everything that had arrived by
/// then is finished and all connections are closed.
pub async fn serve(
    listener: TcpListener,
    relay: Arc<Relay>,
    shutdown: impl Future<Output = ()> + Send,
    options: ServeOptions,
) {
    let observer = Arc::clone(&relay.parts().observer);
    let answer =
        move |tasks, peer, request| respond(Arc::clone(&relay), tasks, Some(peer), request);
    serve_with(listener, answer, observer, shutdown, options).await;
}

/// Serves like [`serve`], with `answer` in place of [`respond`]: for platforms that have requests of their
/// own, or change those of senders on the way. Deliveries go through [`respond`] all the same. `observer`
/// hears of what is refused before `answer` sees it.
pub async fn serve_with<A, F>(
    listener: TcpListener,
    answer: A,
    observer: Arc<dyn Observer>,
    shutdown: impl Future<Output = ()> + Send,
    options: ServeOptions,
) where
    A: Fn(Tasks, IpAddr, Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let mut accept = Accept::new(listener, &options);
    let shared = Arc::new(Shared {
        answer,
        tasks: Tasks::new(),
        builder: builder(&options),
        observer,
        options,
        slots: Arc::clone(&accept.slots),
    });
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = std::pin::pin!(accept.next());
        match futures_util::future::select(&mut shutdown, accepted).await {
            futures_util::future::Either::Left(_) => break,
            futures_util::future::Either::Right((accepted, _)) => {
                connections.spawn(Arc::clone(&shared).connection(accepted));
            }
        }
        // Ended connections are removed here, so that the set does not grow beyond the number of slots.
        while connections.try_join_next().is_some() {}
    }
    let asked = Instant::now();
    accept.slots.drain();
    let end = asked + LAST_ACCEPTED.min(options.drain.max(LAST_WORDS));
    accept
        .rest(end, |accepted| {
            connections.spawn(Arc::clone(&shared).connection(accepted));
        })
        .await;
    stop(&shared.tasks, connections, asked, options.drain).await;
}

/// Lets requests end, for as long as `drain`; then takes no more deliveries, finishes those that it
/// has, and closes what connections are left.
async fn stop(tasks: &Tasks, mut connections: JoinSet<()>, asked: Instant, drain: Duration) {
    let spent = asked.elapsed();
    let mut left = drain.saturating_sub(spent);
    if spent > LAST_WORDS {
        // The connections accepted last are still to be read.
        left = left.max(LAST_WORDS);
    }
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(left, ended).await.is_ok() {
        return tasks.finished().await;
    }
    tracing::warn!(name: "drain_timed_out", waited_ms = u64::try_from(drain.as_millis()).unwrap_or(u64::MAX), "some requests were still arriving");
    tasks.finished().await;
    let answered = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(LAST_WORDS, answered).await;
    connections.shutdown().await;
}

fn builder(options: &ServeOptions) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        // A sender that closes right after its last byte must not take its delivery with it: hyper
        // would drop the request between the arrival of the body and our first look at it.
        .half_close(true)
        .max_buf_size(READ_BUFFER_BYTES)
        // `connection` has the times: hyper's own end a connection without a look at its socket.
        .header_read_timeout(None);
    versions(builder, options)
}

/// HTTP/1.1 alone.
#[cfg(not(feature = "h2c"))]
fn versions(
    builder: auto::Builder<TokioExecutor>,
    _options: &ServeOptions,
) -> auto::Builder<TokioExecutor> {
    builder.http1_only()
}

/// Both versions, where they are asked for: a program is not to speak HTTP/2 because another one is built beside it.
/// A peer that does not answer a ping is gone.
#[cfg(feature = "h2c")]
fn versions(
    mut builder: auto::Builder<TokioExecutor>,
    options: &ServeOptions,
) -> auto::Builder<TokioExecutor> {
    if !options.has_http2 {
        return builder.http1_only();
    }
    builder
        .http2()
        .timer(hyper_util::rt::TokioTimer::new())
        .keep_alive_interval(PING);
    builder
}

#[cfg(feature = "h2c")]
const PING: Duration = Duration::from_secs(60);
