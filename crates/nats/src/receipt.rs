//! A receipt: where an event is acknowledged, and until when it is ours.
//!
//! JetStream takes what is said of an event from whoever says it, and does not tell what came too late. So the time
//! is in the receipt, and whatever would take an event away from others is not said after it.

use std::time::Duration;

/// First parts of the subject at which events are acknowledged.
const PREFIX: &str = "$JS.ACK.";

/// An event that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hold {
    /// Subject at which it is acknowledged.
    pub(crate) reply: String,
    /// Number of times that it was received, this time included.
    pub(crate) delivered: u32,
    /// Its number in the stream.
    pub(crate) sequence: u64,
    /// Number of this receive, of all of the consumer.
    pub(crate) delivery: u64,
    /// When it was stored, in nanoseconds.
    pub(crate) stored: u64,
    /// On the monotonic clock: until then it is ours.
    pub(crate) deadline: Duration,
}

impl Hold {
    /// Reads the subject that came with an event. `None` when it is none of this stream and consumer.
    pub(crate) fn of_reply(
        reply: &str,
        stream: &str,
        consumer: &str,
        deadline: Duration,
    ) -> Option<Self> {
        let parts: Vec<_> = reply.strip_prefix(PREFIX)?.split('.').collect();
        // Newer servers put a domain and an account in front, and something random at the end.
        let parts = match parts.len() {
            7 => parts.get(..7),
            9 | 10 => parts.get(2..9),
            _ => None,
        }?;
        let [
            of_stream,
            of_consumer,
            delivered,
            sequence,
            delivery,
            stored,
            _,
        ] = parts
        else {
            return None;
        };
        if *of_stream != stream || *of_consumer != consumer {
            return None;
        }
        Some(Self {
            delivered: delivered.parse().ok()?,
            sequence: sequence.parse().ok()?,
            delivery: delivery.parse().ok()?,
            stored: stored.parse().ok()?,
            reply: reply.to_owned(),
            deadline,
        })
    }

    pub(crate) fn to_text(&self) -> String {
        format!("{} {}", self.deadline.as_millis(), self.reply)
    }

    /// `None` when `text` is no receipt of this stream and consumer.
    pub(crate) fn parse(text: &str, stream: &str, consumer: &str) -> Option<Self> {
        let (deadline, reply) = text.split_once(' ')?;
        let deadline = Duration::from_millis(deadline.parse().ok()?);
        Self::of_reply(reply, stream, consumer, deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_come_back_and_nothing_else_is_one() {
        let deadline = Duration::from_millis(1500);
        for reply in [
            "$JS.ACK.EV.c.2.1.4.1796010815586507380.0",
            "$JS.ACK._.hash.EV.c.2.1.4.1796010815586507380.0",
            "$JS.ACK._.hash.EV.c.2.1.4.1796010815586507380.0.random",
        ] {
            let hold = Hold::of_reply(reply, "EV", "c", deadline).unwrap();
            assert_eq!((hold.delivered, hold.sequence, hold.delivery), (2, 1, 4));
            assert_eq!(Hold::parse(&hold.to_text(), "EV", "c"), Some(hold));
            assert_eq!(Hold::of_reply(reply, "EV", "other", deadline), None);
        }
        for text in [
            "",
            "no receipt",
            "1500 $JS.ACK.EV.c.2.1.4.0",
            "1500 $JS.ACK.EV.c.2.x.4.1.0",
            "x $JS.ACK.EV.c.2.1.4.1.0",
            "1500 labels.events",
        ] {
            assert_eq!(Hold::parse(text, "EV", "c"), None, "{text}");
        }
    }
}
