//! The protocol, against a stub that keeps what it is sent.

use super::*;
use crate::stub::Stub;
use azure_core::http::Body;
use labelrelay_testkit::clock::FakeClock;
use labelrelay_testkit::queue_suite::message;

const CONNECTION: &str =
    "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=c2VjcmV0";

fn queue(url: &str, stub: &Arc<Stub>) -> Result<ServiceBusQueue, BackEndError> {
    let connection = ConnectionString::parse(CONNECTION).unwrap();
    ServiceBusQueue::open(
        url,
        Some(&connection),
        stub.clone(),
        stub.clone(),
        Arc::new(FakeClock::at("2026-11-24T00:00:00Z")),
        SettingValue(url),
    )
}

fn header(request: &Request, name: &'static str) -> String {
    let name = azure_core::http::headers::HeaderName::from_static(name);
    request
        .headers()
        .get_optional_str(&name)
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn a_message_is_one_signed_post_with_its_properties() {
    let stub = Stub::answering(&[(201, "")]);
    let queue = queue("servicebus://ns/events", &stub).unwrap();
    let sent = message("id 1", br#"{"a":"\ud83d"}"#);
    queue.send(&sent).await.unwrap();
    let requests = stub.requests();
    let [request] = requests.as_slice() else {
        panic!("one request")
    };
    assert_eq!(
        request.url().as_str(),
        "https://ns.servicebus.windows.net/events/messages"
    );
    assert_eq!(
        header(request, "brokerproperties"),
        r#"{"MessageId":"id 1","PartitionKey":"/labelbox"}"#
    );
    assert_eq!(header(request, "id"), r#""id 1""#);
    assert_eq!(header(request, "type"), r#""com.labelbox.label.created""#);
    assert_eq!(header(request, "source"), r#""/labelbox""#);
    assert_eq!(header(request, "subject"), r#""label/4""#);
    assert!(
        header(request, "authorization").starts_with("SharedAccessSignature sr=https%3A%2F%2Fns.")
    );
    let Body::Bytes(body) = request.body() else {
        panic!("bytes")
    };
    assert_eq!(*body, sent.body);
}

#[tokio::test]
async fn sessions_come_when_they_are_asked_for() {
    let stub = Stub::answering(&[(201, "")]);
    let queue = queue("servicebus://ns/events?session=partition", &stub).unwrap();
    queue.send(&message("1", b"{}")).await.unwrap();
    let properties = header(&stub.requests()[0], "brokerproperties");
    assert!(
        properties.contains(r#""SessionId":"/labelbox""#),
        "{properties}"
    );
}

#[tokio::test]
async fn another_namespace_gets_a_token_of_the_identity() {
    let stub = Stub::answering(&[(201, "")]);
    let queue = queue(
        "servicebus://other.servicebus.chinacloudapi.cn/events",
        &stub,
    )
    .unwrap();
    queue.send(&message("1", b"{}")).await.unwrap();
    let request = &stub.requests()[0];
    assert_eq!(
        request.url().host_str(),
        Some("other.servicebus.chinacloudapi.cn")
    );
    assert_eq!(header(request, "authorization"), "Bearer stub-token");
}

#[tokio::test]
async fn the_limit_counts_properties_and_holds_to_the_byte() {
    let stub = Stub::answering(&[(201, "")]);
    let queue = queue("servicebus://ns/events", &stub).unwrap();
    let around = queue.message_bytes(&message("1", b""));
    let fits = b"1".repeat(usize::try_from(STANDARD_BYTES - around).unwrap());
    queue.send(&message("1", &fits)).await.unwrap();
    let over = [fits.as_slice(), b"1"].concat();
    let error = queue.send(&message("1", &over)).await.unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::TooLarge);
    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test]
async fn only_created_is_a_receipt() {
    for (status, kind, retryable) in [
        (200, QueueErrorKind::Unproven, false),
        (401, QueueErrorKind::Denied, false),
        (403, QueueErrorKind::Full, false),
        (404, QueueErrorKind::Misconfigured, false),
        (410, QueueErrorKind::Misconfigured, false),
        (429, QueueErrorKind::Throttled, true),
        (500, QueueErrorKind::Unavailable, true),
        (503, QueueErrorKind::Unavailable, true),
    ] {
        let stub = Stub::answering(&[(status, "")]);
        let queue = queue("servicebus://ns/events", &stub).unwrap();
        let error = queue.send(&message("1", b"{}")).await.unwrap_err();
        assert_eq!((error.kind, error.retryable), (kind, retryable), "{status}");
        assert!(error.to_string().contains("`events`"), "{error}");
    }
}

#[tokio::test]
async fn a_check_proves_what_a_sender_may_ask_for() {
    for (status, good) in [(200, true), (401, true), (404, false), (503, false)] {
        let stub = Stub::answering(&[(status, "")]);
        let queue = queue("servicebus://ns/events", &stub).unwrap();
        assert_eq!(queue.check().await.is_ok(), good, "{status}");
    }
}

#[tokio::test]
async fn dead_letters_are_those_of_the_queue_s_description() {
    let described = "<QueueDescription><CountDetails><d2p1:DeadLetterMessageCount>3</d2p1:DeadLetterMessageCount></CountDetails></QueueDescription>";
    let stub = Stub::answering(&[(200, described)]);
    let counted = queue("servicebus://ns/events", &stub).unwrap();
    assert_eq!(
        counted.dead_letters().await.unwrap(),
        DeadLetterCount::About(3)
    );
    for (status, body) in [(401, ""), (403, ""), (200, "<TopicDescription/>")] {
        let stub = Stub::answering(&[(status, body)]);
        let queue = queue("servicebus://ns/events", &stub).unwrap();
        let told = queue.dead_letters().await.unwrap();
        let DeadLetterCount::Unknown(Some(how)) = told else {
            panic!("{status}: {told:?}");
        };
        assert!(how.contains("az servicebus queue show"), "{how}");
        // Whoever may not see a topic's description is not warned that nobody subscribes.
        assert!(how.contains("topic subscription list"), "{how}");
    }
    let stub = Stub::answering(&[(503, "")]);
    let away = queue("servicebus://ns/events", &stub).unwrap();
    assert!(away.dead_letters().await.unwrap_err().retryable);
}

#[tokio::test]
async fn a_topic_that_nobody_subscribes_to_is_a_doubt() {
    let topic = |count: u64| {
        format!(
            "<TopicDescription><SubscriptionCount>{count}</SubscriptionCount></TopicDescription>"
        )
    };
    for (status, body, doubted) in [
        (200, topic(0), true),
        (200, topic(1), false),
        (200, "<QueueDescription/>".to_owned(), false),
        (401, String::new(), false),
        (503, String::new(), false),
    ] {
        let stub = Stub::answering(&[(status, body.as_str())]);
        let queue = queue("servicebus://ns/events", &stub).unwrap();
        let doubt = queue.doubt().await;
        assert_eq!(doubt.is_some(), doubted, "{status} {body}: {doubt:?}");
    }
}

#[test]
fn wrong_urls_are_refused() {
    let stub = Stub::answering(&[]);
    for url in [
        "servicebus://ns",
        "servicebus://ns/",
        "servicebus:///events",
        "servicebus://ns/a/../b",
        "servicebus://ns/events?session=always",
        "servicebus://ns/events?max_message_bytes=999999999",
        "servicebus://ns/events?sig=secret",
    ] {
        let error = queue(url, &stub).err().unwrap_or_else(|| panic!("{url}"));
        assert!(!error.to_string().contains("secret"));
    }
}
