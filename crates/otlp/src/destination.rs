//! The queue, in the words of OpenTelemetry's semantic conventions.

/// The queue that events are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Destination {
    /// `messaging.system`.
    pub system: &'static str,
    /// `messaging.destination.name`.
    pub name: String,
}

impl Destination {
    /// The queue of a URL. The conventions have no name for Azure's Storage Queue, nor for a file of ours.
    ///
    /// ```
    /// use labelrelay_otlp::Destination;
    ///
    /// let queue = Destination::of_url("sqs://eu-central-1/123456789012/labels");
    /// assert_eq!((queue.system, &*queue.name), ("aws_sqs", "labels"));
    /// ```
    pub fn of_url(url: &str) -> Self {
        // A query may be a signature.
        let place = url.split(['?', '#']).next().unwrap_or_default();
        let (scheme, rest) = place.split_once(':').unwrap_or(("", place));
        let system = match scheme {
            "pubsub" => "gcp_pubsub",
            "servicebus" => "servicebus",
            "azure-queue" => "azure_storage_queue",
            "http" | "https" if rest.contains(".servicebus.") => "servicebus",
            "http" | "https" if rest.contains(".queue.") => "azure_storage_queue",
            "sqs" | "http" | "https" => "aws_sqs",
            _ => "labelrelay",
        };
        let name = rest.trim_end_matches('/').rsplit('/').next();
        let name = name.filter(|name| !name.is_empty()).unwrap_or(scheme);
        Self {
            system,
            name: name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_have_the_names_of_the_conventions() {
        for (url, system, name) in [
            ("sqlite:queue.db", "labelrelay", "queue.db"),
            (
                "sqlite:/var/lib/labelrelay/queue.db",
                "labelrelay",
                "queue.db",
            ),
            ("stdout:", "labelrelay", "stdout"),
            (
                "sqs://eu-central-1/123456789012/labels.fifo",
                "aws_sqs",
                "labels.fifo",
            ),
            (
                "https://sqs.eu-central-1.amazonaws.com/123456789012/labels",
                "aws_sqs",
                "labels",
            ),
            ("pubsub://project/topic", "gcp_pubsub", "topic"),
            ("servicebus://namespace/queue", "servicebus", "queue"),
            (
                "https://namespace.servicebus.windows.net/queue",
                "servicebus",
                "queue",
            ),
            (
                "azure-queue://account/queue/",
                "azure_storage_queue",
                "queue",
            ),
            (
                "https://account.queue.core.windows.net/queue?sig=secret/1",
                "azure_storage_queue",
                "queue",
            ),
        ] {
            let queue = Destination::of_url(url);
            assert_eq!((queue.system, &*queue.name), (system, name), "{url}");
        }
    }
}
