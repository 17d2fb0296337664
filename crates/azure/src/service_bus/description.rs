//! The description of a queue or a topic, as far as it matters here: an entry of Atom that holds XML.

/// Words for whoever may not ask for it, and for topics, whose dead letters are in their subscriptions.
pub(super) const HOW: &str = "not counted: `az servicebus queue show --query countDetails.deadLetterMessageCount` says their number, and for a topic `az servicebus topic subscription list` that of each subscription, and whether there is one. Here it takes the right to manage the queue";

/// Number of the queue's dead letters; `None` where the text is not about a queue.
pub(super) fn dead_letters(text: &[u8]) -> Option<u64> {
    // Of a topic, the same member is there and is always 0. `TransferDeadLetterMessageCount` is another member.
    count(text, "<QueueDescription", "DeadLetterMessageCount>")
}

/// Tells whether the text is about a topic that has no subscription.
pub(super) fn is_without_subscriptions(text: &[u8]) -> bool {
    count(text, "<TopicDescription", "SubscriptionCount>") == Some(0)
}

/// A number that is a member of a description of this kind.
fn count(text: &[u8], kind: &str, member: &str) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let (_, inside) = text.split_once(kind)?;
    // With a prefix of its namespace or without.
    let mut tags = [":", "<"]
        .into_iter()
        .map(|before| format!("{before}{member}"));
    let (_, count) = tags.find_map(|tag| inside.split_once(tag.as_str()))?;
    let (count, _) = count.split_once('<')?;
    count.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{dead_letters, is_without_subscriptions};

    /// As the documents of the service show it, shortened.
    const QUEUE: &str = concat!(
        r#"<entry xmlns="http://www.w3.org/2005/Atom"><title type="text">events</title><content type="application/xml">"#,
        r#"<QueueDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect">"#,
        "<LockDuration>PT1M</LockDuration><MessageCount>12</MessageCount>",
        r#"<CountDetails xmlns:d2p1="http://schemas.microsoft.com/netservices/2011/06/servicebus">"#,
        "<d2p1:ActiveMessageCount>9</d2p1:ActiveMessageCount><d2p1:DeadLetterMessageCount>3</d2p1:DeadLetterMessageCount>",
        "<d2p1:TransferDeadLetterMessageCount>1</d2p1:TransferDeadLetterMessageCount></CountDetails>",
        "</QueueDescription></content></entry>"
    );

    #[test]
    fn a_queue_s_description_says_how_many_there_are() {
        assert_eq!(dead_letters(QUEUE.as_bytes()), Some(3));
        assert_eq!(dead_letters(QUEUE.replace("d2p1:", "").as_bytes()), Some(3));
        let transfer =
            "<d2p1:TransferDeadLetterMessageCount>1</d2p1:TransferDeadLetterMessageCount>";
        let reordered = QUEUE.replace(transfer, "").replace(
            "<d2p1:ActiveMessageCount>",
            &format!("{transfer}<d2p1:ActiveMessageCount>"),
        );
        assert_eq!(dead_letters(reordered.as_bytes()), Some(3), "{reordered}");
        let topic = QUEUE.replace("QueueDescription", "TopicDescription");
        for other in [topic.as_str(), "", "<QueueDescription/>", "{}"] {
            assert_eq!(dead_letters(other.as_bytes()), None, "{other}");
        }
        assert_eq!(dead_letters(b"\xff"), None);
    }

    #[test]
    fn a_topic_s_description_says_whether_somebody_subscribes() {
        let topic = |count: &str| {
            format!(
                "<entry><content><TopicDescription><Status>Active</Status>{count}<AutoDeleteOnIdle>P1D</AutoDeleteOnIdle></TopicDescription></content></entry>"
            )
        };
        for (count, is_without) in [
            ("<SubscriptionCount>0</SubscriptionCount>", true),
            ("<x:SubscriptionCount>0</x:SubscriptionCount>", true),
            ("<SubscriptionCount>2</SubscriptionCount>", false),
            ("", false),
        ] {
            let text = topic(count);
            assert_eq!(
                is_without_subscriptions(text.as_bytes()),
                is_without,
                "{text}"
            );
        }
        assert!(!is_without_subscriptions(QUEUE.as_bytes()));
    }
}
