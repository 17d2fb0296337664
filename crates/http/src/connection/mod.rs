//! One connection, from the moment it has a slot to its end.

mod activity;
mod drive;
mod idle_rank;
mod parser_refusal;
mod request_boundary;
mod watched_socket;

pub(crate) use activity::Activity;
pub(crate) use idle_rank::Idle;

use crate::accept::Accepted;
use crate::options::ServeOptions;
use crate::service::response;
use crate::slots::Slots;
use crate::tasks::Tasks;
use crate::well_formed;
use activity::Overdue;
use bytes::Bytes;
use drive::{Closing, End, drive};
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, Version};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use labelrelay_core::{Answer, Observer, Outcome, Report};
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use watched_socket::Watched;

/// Shared by all connections of a server.
pub(crate) struct Shared<A> {
    pub(crate) answer: A,
    pub(crate) tasks: Tasks,
    pub(crate) builder: auto::Builder<TokioExecutor>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) options: ServeOptions,
    pub(crate) slots: Arc<Slots>,
}

impl<A, F> Shared<A>
where
    A: Fn(Tasks, IpAddr, Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    /// One connection, to its end.
    pub(crate) async fn connection(self: Arc<Self>, accepted: Accepted) {
        let Accepted { stream, peer, slot } = accepted;
        let peer = peer.ip();
        if !slot.wait_for_slot(self.options.head_timeout).await {
            return self.observer.connection_closed("no_room");
        }
        // Answers are one small segment each; waiting for more to send would only delay them.
        let _ = stream.set_nodelay(true);
        let activity = Arc::clone(slot.activity());
        let service = service_fn(|request: Request<Incoming>| {
            // At once: hyper reads on before it asks for an answer.
            activity.request(request.version() == Version::HTTP_2);
            let (shared, activity) = (Arc::clone(&self), Arc::clone(&activity));
            async move { Ok::<_, Infallible>(shared.request(&activity, peer, request).await) }
        });
        let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
        let connection = self.builder.serve_connection(io, service);
        let ended = drive(connection, &activity, &self.options, || slot.keep()).await;
        match ended {
            End::Itself(Ok(())) => {}
            End::Itself(Err(error)) => {
                tracing::debug!(name: "connection_ended", %error);
                if let Some(report) =
                    parser_refusal::by_parser(&*error, &activity.first_bytes(), peer)
                {
                    self.observer.request(&report);
                }
            }
            End::Overdue(Overdue::Head) => {
                self.observer
                    .request(&parser_refusal::late_head(&self.options, peer));
            }
            End::Overdue(Overdue::Idle) => self.observer.connection_closed("idle"),
            End::Overdue(Overdue::Stalled) => self.observer.connection_closed("unread"),
            End::Gone => self.observer.connection_closed("made_room"),
        }
    }

    async fn request(
        &self,
        activity: &Arc<Activity>,
        peer: IpAddr,
        request: Request<Incoming>,
    ) -> Response<Full<Bytes>> {
        if activity.is_stranger() {
            // Others first: who asks on and on would be answered many times in a row else.
            tokio::task::yield_now().await;
        }
        let multiplexed = request.version() == Version::HTTP_2;
        let length = request.body().size_hint().exact();
        let mut answer = if let Some(problem) = well_formed::problem(&request) {
            self.observer.request(&Report::refused(
                Outcome::Malformed,
                problem.to_owned(),
                Some(peer),
            ));
            let mut answer = response(Answer::refusal(Outcome::Malformed, problem));
            // Whoever stands in between may have seen another end of this request.
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(CONNECTION, close);
            answer
        } else {
            (self.answer)(self.tasks.on(activity), peer, request).await
        };
        // While others wait, a peer that has shown no secret gets one answer, and has to come again for the next.
        let crowded = !multiplexed && !activity.is_proven() && self.slots.is_crowded();
        if activity.is_last_answer(length) || crowded {
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(CONNECTION, close);
        }
        answer
    }
}

impl<I, S, E> Closing for auto::Connection<'_, I, S, E>
where
    Self: Future,
    S: hyper::service::HttpService<Incoming>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::ResBody: hyper::body::Body + 'static,
    <S::ResBody as hyper::body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    E: hyper_util::server::conn::auto::HttpServerConnExec<S::Future, S::ResBody>,
{
    fn close_when_idle(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}
