//! The server: connections in, answers out, and a stop that finishes what was accepted.

use crate::accept::{Accept, Accepted};
use crate::options::ServeOptions;
use crate::service::respond;
use crate::tasks::Tasks;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use labelrelay_core::Relay;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// After the drain timed out and the last delivery ended, its answer is on its way to the socket;
/// connections whose body still arrives end with it.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// Serves `relay` on `listener` until `shutdown` completes; returns when everything that was accepted
/// is finished and all connections are closed.
pub async fn serve(
    listener: TcpListener,
    relay: Arc<Relay>,
    shutdown: impl Future<Output = ()> + Send,
    options: ServeOptions,
) {
    let answer =
        move |tasks, peer, request| respond(Arc::clone(&relay), tasks, Some(peer), request);
    serve_with(listener, answer, shutdown, options).await;
}

/// Serves like [`serve`], with `answer` in place of [`respond`]: for platforms that have requests of their
/// own, or change those of senders on the way. Deliveries go through [`respond`] all the same.
pub async fn serve_with<A, F>(
    listener: TcpListener,
    answer: A,
    shutdown: impl Future<Output = ()> + Send,
    options: ServeOptions,
) where
    A: Fn(Tasks, IpAddr, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let server = Server {
        answer,
        tasks: Tasks::new(),
        builder: Arc::new(builder(&options)),
        head_timeout: options.head_timeout,
    };
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut accept = Accept::new(listener, options.max_connections);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = std::pin::pin!(accept.next());
        match futures_util::future::select(&mut shutdown, accepted).await {
            futures_util::future::Either::Left(_) => break,
            futures_util::future::Either::Right((accepted, _)) => {
                connections.spawn(server.connection(accepted, graceful.watcher()));
            }
        }
        // Those that ended since; so the set holds no more than there are slots.
        while connections.try_join_next().is_some() {}
    }
    drop(accept);
    server.stop(graceful, connections, options.drain).await;
}

struct Server<A> {
    answer: A,
    tasks: Tasks,
    builder: Arc<auto::Builder<TokioExecutor>>,
    head_timeout: Duration,
}

impl<A, F> Server<A>
where
    A: Fn(Tasks, IpAddr, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    /// One connection, to its end.
    fn connection(
        &self,
        accepted: Accepted,
        watcher: Watcher,
    ) -> impl Future<Output = ()> + Send + use<A, F> {
        let Accepted { stream, peer, slot } = accepted;
        // Answers are one small segment each; waiting for more to send would only delay them.
        let _ = stream.set_nodelay(true);
        let (answer, tasks) = (self.answer.clone(), self.tasks.clone());
        let begun = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&begun);
        let service = service_fn(move |request| {
            asked.store(true, Ordering::Relaxed);
            let answered = answer(tasks.clone(), peer.ip(), request);
            async move { Ok::<_, Infallible>(answered.await) }
        });
        let connection = self
            .builder
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        let connection = first_request_within(self.head_timeout, begun, watcher.watch(connection));
        async move {
            let _slot = slot;
            if let Err(error) = connection.await {
                tracing::debug!(name: "connection_ended", %error);
            }
        }
    }

    /// Lets requests end, for as long as `drain`; then takes no more deliveries, finishes those that it
    /// has, and closes what connections are left.
    async fn stop(self, graceful: GracefulShutdown, mut connections: JoinSet<()>, drain: Duration) {
        if tokio::time::timeout(drain, graceful.shutdown())
            .await
            .is_ok()
        {
            return self.tasks.finished().await;
        }
        tracing::warn!(name: "drain_timed_out", waited_ms = drain.as_millis(), "some requests were still arriving");
        self.tasks.finished().await;
        let answered = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_WORDS, answered).await;
        connections.shutdown().await;
    }
}

fn builder(options: &ServeOptions) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        // A sender that closes right after its last byte must not take its delivery with it: hyper
        // would drop the request between the arrival of the body and our first look at it.
        .half_close(true)
        .max_buf_size(READ_BUFFER_BYTES)
        .timer(TokioTimer::new())
        .header_read_timeout(options.head_timeout);
    versions(builder, options)
}

/// What a connection may hold of bytes that nobody has asked for yet; also the largest head. hyper's own
/// limit is six times as much, which 1,024 connections of strangers would turn into 400 MiB.
pub(crate) const READ_BUFFER_BYTES: usize = 64 * 1024;

/// HTTP/1.1 alone: whoever has to find out the version first waits for bytes without any timer.
#[cfg(not(feature = "h2c"))]
fn versions(
    builder: auto::Builder<TokioExecutor>,
    _: &ServeOptions,
) -> auto::Builder<TokioExecutor> {
    builder.http1_only()
}

/// Both versions. A peer that does not answer a ping is gone.
#[cfg(feature = "h2c")]
fn versions(
    mut builder: auto::Builder<TokioExecutor>,
    options: &ServeOptions,
) -> auto::Builder<TokioExecutor> {
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(options.head_timeout);
    builder
}

/// HTTP/1.1 has its own timer for the first request.
#[cfg(not(feature = "h2c"))]
fn first_request_within<T>(
    _: Duration,
    _: Arc<AtomicBool>,
    connection: impl Future<Output = T>,
) -> impl Future<Output = T> {
    connection
}

/// Ends a connection without a request: neither the search for the version nor HTTP/2 has a timer.
#[cfg(feature = "h2c")]
async fn first_request_within<E: From<std::io::Error>>(
    limit: Duration,
    begun: Arc<AtomicBool>,
    connection: impl Future<Output = Result<(), E>>,
) -> Result<(), E> {
    use futures_util::future::{Either, select};
    let mut connection = std::pin::pin!(connection);
    let limit = std::pin::pin!(tokio::time::sleep(limit));
    match select(connection.as_mut(), limit).await {
        Either::Left((ended, _)) => ended,
        Either::Right(_) if begun.load(Ordering::Relaxed) => connection.await,
        Either::Right(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    }
}
