//! One connection to a server, and what the server says beside its answers.

use crate::failure::Failure;
use async_nats::{Client, Event, HeaderMap, Message, Request, ServerError, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use std::pin::pin;
use tokio::sync::watch;

/// Refusals that are kept. Older ones were told to whom they concern.
const REFUSALS: usize = 8;

/// A connection that stands, or stood.
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) news: watch::Receiver<News>,
}

/// What was heard beside the answers.
#[derive(Default)]
pub(crate) struct News {
    is_broken: bool,
    /// What the server refused, in its words.
    refusals: Vec<String>,
}

impl News {
    /// Takes note of what a client tells.
    pub(crate) fn note(news: &watch::Sender<Self>, event: &Event) {
        match event {
            Event::Disconnected | Event::Closed => news.send_modify(|news| news.is_broken = true),
            Event::ServerError(ServerError::Other(said)) if is_refusal(said) => {
                news.send_modify(|news| {
                    if news.refusals.len() >= REFUSALS {
                        news.refusals.remove(0);
                    }
                    news.refusals.push(said.clone());
                });
            }
            _ => {}
        }
    }

    /// What of it keeps a message to `subject` from being answered.
    fn failure(&self, subject: &str) -> Option<Failure> {
        // Without the place for answers, none comes.
        let concerns = |said: &&String| {
            said.contains(&format!("\"{subject}\"")) || said.contains("for Subscription")
        };
        let refusal = self.refusals.iter().find(concerns);
        let refusal = refusal.map(|said| Failure::not_permitted(said));
        refusal.or_else(|| self.is_broken.then(Failure::broken))
    }
}

/// Tells whether the server refused something that we may not do. It says so without naming the message.
fn is_refusal(said: &str) -> bool {
    said.to_ascii_lowercase().contains("permissions violation")
}

impl Connection {
    pub(crate) fn stands(&self) -> bool {
        // Nobody tells anything any more once the client has given up.
        !self.news.borrow().is_broken && self.news.has_changed().is_ok()
    }

    /// Sends a message and waits for its answer, for as long as the connection stands.
    pub(crate) async fn ask(
        &self,
        subject: &str,
        headers: Option<HeaderMap>,
        payload: Bytes,
    ) -> Result<Message, Failure> {
        let mut request = Request::new().payload(payload).timeout(None);
        if let Some(headers) = headers {
            request = request.headers(headers);
        }
        let asked = pin!(self.client.send_request(subject.to_owned(), request));
        let failed = pin!(self.failure(subject));
        match select(asked, failed).await {
            Either::Left((answer, _)) => answer.map_err(|error| Failure::of_request(&error)),
            Either::Right((failure, _)) => Err(failure),
        }
    }

    /// Asks for up to `most` messages, and puts them into `messages` as they come. Ends when they are there, or the
    /// server says that no more come.
    pub(crate) async fn pull(
        &self,
        subject: &str,
        request: Bytes,
        most: usize,
        messages: &mut Vec<Message>,
    ) -> Result<(), Failure> {
        let inbox = self.client.new_inbox();
        let subscribed = self.client.subscribe(inbox.clone()).await;
        let mut answers = subscribed.map_err(|_| Failure::broken())?;
        let sent = self
            .client
            .publish_with_reply(subject.to_owned(), inbox, request);
        sent.await.map_err(|_| Failure::broken())?;
        while messages.len() < most {
            let message = self.next(&mut answers, subject).await?;
            let Some(status) = message.status else {
                messages.push(message);
                continue;
            };
            match status.as_u16() {
                // It is alive.
                100 => {}
                // There are none, or none came in time.
                404 | 408 => return Ok(()),
                503 => return Err(Failure::nobody()),
                _ => {
                    let said = message.description.unwrap_or_default();
                    return Err(Failure::ended(&said));
                }
            }
        }
        Ok(())
    }

    async fn next(&self, answers: &mut Subscriber, subject: &str) -> Result<Message, Failure> {
        let failed = pin!(self.failure(subject));
        match select(answers.next(), failed).await {
            Either::Left((message, _)) => message.ok_or_else(Failure::broken),
            Either::Right((failure, _)) => Err(failure),
        }
    }

    /// Ends when no answer to a message to `subject` can come any more.
    async fn failure(&self, subject: &str) -> Failure {
        let mut news = self.news.clone();
        loop {
            let failure = news.borrow_and_update().failure(subject);
            if let Some(failure) = failure {
                return failure;
            }
            if news.changed().await.is_err() {
                return Failure::broken();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_core::QueueErrorKind;

    #[test]
    fn a_refusal_concerns_whom_it_names_and_a_break_everybody() {
        let (sender, news) = watch::channel(News::default());
        let refused = |said: &str| Event::ServerError(ServerError::Other(said.to_owned()));
        News::note(&sender, &Event::Connected);
        News::note(
            &sender,
            &refused("Permissions Violation for Publish to \"a.b\""),
        );
        let failure = news.borrow().failure("a.b").unwrap();
        assert_eq!(failure.fault.kind, QueueErrorKind::Denied);
        assert!(news.borrow().failure("a.bc").is_none());
        News::note(
            &sender,
            &refused("Permissions Violation for Subscription to \"_INBOX.x\""),
        );
        assert!(news.borrow().failure("a.bc").is_some());
        let (sender, news) = watch::channel(News::default());
        News::note(&sender, &Event::Disconnected);
        let failure = news.borrow().failure("a").unwrap();
        assert_eq!(failure.fault.kind, QueueErrorKind::Unavailable);
    }
}
