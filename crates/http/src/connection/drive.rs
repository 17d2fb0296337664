//! Drives a connection to its end: the one that it finds itself, that its times set, or that others ask for.

use super::activity::{Activity, Overdue};
use crate::options::ServeOptions;
use futures_util::future::{Either, select};
use std::pin::Pin;
use std::task::Poll;
use std::time::Instant;

/// A connection that can be told that the next answer is its last.
pub(super) trait Closing: Future {
    fn close_when_idle(self: Pin<&mut Self>);
}

/// End of a connection.
pub(super) enum End<T> {
    /// By itself.
    Itself(T),
    /// One of its times is over.
    Overdue(Overdue),
    /// Made room for another one.
    Gone,
}

/// `stays` is called when a connection that was asked to go turned out to be busy.
pub(super) async fn drive<C: Closing>(
    connection: C,
    activity: &Activity,
    options: &ServeOptions,
    stays: impl Fn(),
) -> End<C::Output> {
    let mut connection = std::pin::pin!(connection);
    let mut closing = false;
    // Everything that can become overdue while this sleeps begins after it has fallen asleep.
    let shortest = options.head_timeout.min(options.write_timeout);
    loop {
        let now = Instant::now();
        let awake = activity
            .deadline(options)
            .map_or(now + shortest, |(at, _)| at.min(now + shortest));
        let running = std::future::poll_fn(|cx| {
            loop {
                match connection.as_mut().poll(cx) {
                    // Looked at after every poll: whatever had come is answered by now.
                    Poll::Pending if !closing && activity.is_drained() => {
                        closing = true;
                        connection.as_mut().close_when_idle();
                    }
                    polled => return polled,
                }
            }
        });
        let asleep = std::pin::pin!(tokio::time::sleep_until(awake.into()));
        let asked = std::pin::pin!(activity.asked());
        if let Either::Left((output, _)) = select(running, select(asked, asleep)).await {
            return End::Itself(output);
        }
        // Bytes that have come count already, whether the runtime knows of them or not: so a look at the socket
        // comes before every end.
        let was = activity.idle();
        activity.read_socket_next();
        let looked = std::future::poll_fn(|cx| Poll::Ready(connection.as_mut().poll(cx)));
        if let Poll::Ready(output) = looked.await {
            return End::Itself(output);
        }
        if let Some((at, why)) = activity.deadline(options)
            && at <= Instant::now()
        {
            return End::Overdue(why);
        }
        if activity.is_asked_to_close() {
            let is = activity.idle();
            let is_idle = is.is_some() && is == was;
            // Who asks on and on is idle in one moment and busy in the next; and a byte is no body.
            let goes_on = is.is_some() && activity.is_stranger();
            if is_idle || goes_on || (was.is_some() && activity.is_slow()) {
                return End::Gone;
            }
            activity.keep();
            stays();
        }
    }
}
