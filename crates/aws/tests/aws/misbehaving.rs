//! Every failure of SQS, and of the network between: an error of the right kind that says what to do, and
//! never a success.

use crate::setup::{aws, aws_with};
use labelrelay_aws::SqsQueue;
use labelrelay_core::{EventQueue, QueueError, QueueErrorKind};
use labelrelay_testkit::queue_suite::message;
use labelrelay_tests::servers::{Behaviour, Misbehaving};

use QueueErrorKind::{Denied, Misconfigured, Throttled, TooLarge, Unavailable, Unproven};

const PATH: &str = "/123456789012/events";

fn queue_of(server: &Misbehaving) -> SqsQueue {
    let url = format!("{}{PATH}", server.endpoint());
    aws(&server.endpoint()).queue(&url).expect("a queue's URL")
}

async fn failed(queue: &SqsQueue) -> QueueError {
    let sent = queue.send(&message("one", b"{}")).await;
    sent.map(drop).expect_err("not a success")
}

/// An error as SQS states it: status, code and words; and its outcome: the kind of the error, whether to try again,
/// and words of the cure.
type Stated = (
    u16,
    &'static str,
    &'static str,
    QueueErrorKind,
    bool,
    &'static [&'static str],
);

const ALLOW: &str = "allow sqs:SendMessage on arn:aws:sqs:eu-central-1:123456789012:events";

const STATED: &[Stated] = &[
    (
        400,
        "com.amazonaws.sqs#QueueDoesNotExist",
        "gone",
        Misconfigured,
        false,
        &["events", "create it"],
    ),
    (
        400,
        "AWS.SimpleQueueService.NonExistentQueue",
        "gone",
        Misconfigured,
        false,
        &["create it"],
    ),
    (
        404,
        "com.amazonaws.sqs#InvalidAddress",
        "no",
        Misconfigured,
        false,
        &["region eu-central-1"],
    ),
    (
        403,
        "SignatureDoesNotMatch",
        "Credential should be scoped to a valid region",
        Denied,
        false,
        &["region eu-central-1", "clock"],
    ),
    (
        403,
        "AccessDeniedException",
        "no identity-based policy",
        Denied,
        false,
        &[ALLOW],
    ),
    (
        403,
        "AccessDenied",
        "no identity-based policy",
        Denied,
        false,
        &[ALLOW],
    ),
    (
        400,
        "com.amazonaws.sqs#KmsAccessDenied",
        "x",
        Denied,
        false,
        &["kms:GenerateDataKey", "kms:Decrypt"],
    ),
    (
        400,
        "com.amazonaws.sqs#KmsDisabled",
        "x",
        Denied,
        false,
        &["kms:GenerateDataKey", "enabled"],
    ),
    (
        400,
        "AccessDeniedException",
        "not authorized to perform: kms:GenerateDataKey",
        Denied,
        false,
        &["kms:Decrypt"],
    ),
    (
        400,
        "com.amazonaws.sqs#KmsThrottled",
        "x",
        Throttled,
        true,
        &["KMS"],
    ),
    (403, "ExpiredToken", "x", Denied, false, &["expired"]),
    (
        403,
        "InvalidClientTokenId",
        "x",
        Denied,
        false,
        &["AWS_ACCESS_KEY_ID"],
    ),
    (
        403,
        "UnrecognizedClientException",
        "x",
        Denied,
        false,
        &["AWS_SESSION_TOKEN"],
    ),
    (
        400,
        "com.amazonaws.sqs#RequestThrottled",
        "x",
        Throttled,
        true,
        &["throttling"],
    ),
    (429, "Whatever", "x", Throttled, true, &["throttling"]),
    (
        400,
        "InvalidParameterValue",
        "Reason: Message must be shorter than 1024 bytes.",
        TooLarge,
        false,
        &["1024"],
    ),
    (
        400,
        "com.amazonaws.sqs#InvalidMessageContents",
        "x",
        Misconfigured,
        false,
        &["characters"],
    ),
    (
        400,
        "MissingParameter",
        "The request must contain the parameter MessageGroupId.",
        Misconfigured,
        false,
        &[".fifo", "MessageGroupId"],
    ),
    (
        400,
        "InvalidParameterValue",
        "MessageDeduplicationId is invalid",
        Misconfigured,
        false,
        &[".fifo"],
    ),
    (500, "InternalFailure", "x", Unavailable, true, &["500"]),
    (503, "ServiceUnavailable", "x", Unavailable, true, &["503"]),
    (
        400,
        "SomethingNew",
        "of tomorrow",
        Misconfigured,
        false,
        &["SomethingNew", "of tomorrow"],
    ),
];

#[tokio::test]
async fn errors_of_sqs_are_reported_with_the_cure() {
    let server = Misbehaving::start(Behaviour::Well);
    let queue = queue_of(&server);
    for (status, code, said, kind, retryable, words) in STATED {
        server.behave(Behaviour::error(*status, code, said));
        let error = failed(&queue).await;
        assert_eq!(
            (error.kind, error.retryable),
            (*kind, *retryable),
            "{code}: {error}"
        );
        for word in *words {
            assert!(
                error.message.contains(word),
                "{code}: {word} is missing in: {error}"
            );
        }
    }
    assert_eq!(
        server.seen().len(),
        STATED.len(),
        "each was tried once: nobody else retries"
    );
}

/// Answers that prove nothing are no success, though their status is 200.
#[tokio::test]
async fn an_answer_without_proof_is_no_success() {
    let cases = [
        (Behaviour::WrongBodyMd5, "MD5OfMessageBody"),
        (Behaviour::WrongAttributesMd5, "MD5OfMessageAttributes"),
        (Behaviour::NoMd5, "MD5OfMessageBody"),
        (Behaviour::NoMessageId, "MessageId"),
        (Behaviour::html(200), "not SQS"),
    ];
    let server = Misbehaving::start(Behaviour::Well);
    let queue = queue_of(&server);
    queue
        .send(&message("one", b"{}"))
        .await
        .expect("it can be proven");
    for (behaviour, word) in cases {
        server.behave(behaviour.clone());
        let error = failed(&queue).await;
        assert_eq!(error.kind, Unproven, "{behaviour:?}: {error}");
        assert!(error.retryable, "a repeat is better than a loss");
        assert!(error.message.contains(word), "{behaviour:?}: {error}");
        // And the next attempt does not trust the connection that it came over.
        server.behave(Behaviour::Well);
        queue
            .send(&message("one", b"{}"))
            .await
            .expect("a sound answer");
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 11);
    let connections: Vec<_> = seen.iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5]);
}

/// Garbage with other statuses: proxies, load balancers, captive portals.
#[tokio::test]
async fn an_answer_that_is_not_from_sqs_is_unavailable() {
    let server = Misbehaving::start(Behaviour::Well);
    let queue = queue_of(&server);
    let empty = Behaviour::Answer {
        status: 503,
        headers: Vec::new(),
        body: String::new(),
    };
    for behaviour in [
        Behaviour::html(502),
        Behaviour::html(403),
        empty,
        Behaviour::html(302),
    ] {
        server.behave(behaviour.clone());
        let error = failed(&queue).await;
        assert_eq!(
            (error.kind, error.retryable),
            (Unavailable, true),
            "{behaviour:?}: {error}"
        );
        let error = queue.check().await.expect_err("not a success");
        assert_eq!(error.kind, Unavailable, "{behaviour:?}: {error}");
    }
}

#[tokio::test]
async fn broken_connections_are_unavailable() {
    for tls in [false, true] {
        let server = if tls {
            Misbehaving::start_tls(Behaviour::Well)
        } else {
            Misbehaving::start(Behaviour::Well)
        };
        let trusted = trusting(&server, tls);
        for behaviour in [Behaviour::HangUp, Behaviour::Cut, Behaviour::Reset] {
            // Anew each time: what is reset is the handshake, not a connection at hand.
            let queue = trusted();
            server.behave(behaviour.clone());
            let error = failed(&queue).await;
            // Half an answer may look like one that proves nothing.
            let kinds = [Unavailable, Unproven];
            assert!(
                kinds.contains(&error.kind) && error.retryable,
                "{behaviour:?}: {error}"
            );
            server.behave(Behaviour::Well);
            queue
                .send(&message("one", b"{}"))
                .await
                .expect("a sound connection");
        }
    }
}

fn trusting(server: &Misbehaving, tls: bool) -> impl Fn() -> SqsQueue {
    move || {
        let authority = tls.then(|| server.authority().to_str().expect("a path"));
        let bundle = ("AWS_CA_BUNDLE", authority.unwrap_or_default());
        let aws = aws_with(&server.endpoint(), &[bundle]);
        aws.queue(&format!("{}{PATH}", server.endpoint()))
            .expect("a queue's URL")
    }
}

/// Drops `attempt` when so many requests have arrived. It must not have ended by then.
async fn given_up<T>(
    server: Misbehaving,
    requests: usize,
    attempt: impl Future<Output = T>,
) -> Misbehaving {
    let arrived = tokio::task::spawn_blocking(move || {
        server.wait_for(requests);
        server
    });
    tokio::select! {
        _ = attempt => panic!("it ended by itself"),
        server = arrived => server.expect("arrived"),
    }
}

/// If the queue never answers, the relay gives up by its own clock. The next attempt connects anew.
#[tokio::test]
async fn the_relay_gives_up_on_a_silent_queue() {
    let server = Misbehaving::start(Behaviour::Hang);
    let queue = queue_of(&server);
    let one = message("one", b"{}");
    let server = given_up(server, 1, queue.send(&one)).await;
    let server = given_up(server, 2, queue.check()).await;
    server.behave(Behaviour::Well);
    queue.send(&one).await.expect("taken");
    assert_eq!(server.connections(), 3);
}

/// Connections of a function that was frozen: they look good and lead nowhere. There are several, so that trying
/// another of the same kind does not pass.
#[tokio::test]
async fn an_abandoned_attempt_retires_its_connections() {
    for behaviour in [Behaviour::StaleAndSilent, Behaviour::StaleAndReset] {
        for tls in [false, true] {
            let server = if tls {
                Misbehaving::start_tls(Behaviour::WellTogether(3))
            } else {
                Misbehaving::start(Behaviour::WellTogether(3))
            };
            let queue = trusting(&server, tls)();
            let one = message("one", b"{}");
            let (a, b, c) = tokio::join!(queue.send(&one), queue.send(&one), queue.send(&one));
            assert!(a.is_ok() && b.is_ok() && c.is_ok(), "{a:?} {b:?} {c:?}");
            let opened = server.connections();
            assert_eq!(
                opened, 3,
                "each had a connection of its own, which is idle now"
            );
            server.behave(behaviour.clone());
            if behaviour == Behaviour::StaleAndSilent {
                // The relay gives up on an attempt by dropping it, once the request is on its way.
                let attempt = queue.send(&one);
                let server = given_up(server, 4, attempt).await;
                queue.send(&one).await.expect("a fresh connection");
                assert_eq!(server.connections(), opened + 1);
                assert_eq!(server.seen().last().expect("seen").connection, opened);
            } else {
                // The client may notice in time, or the attempt fails; then the next one does not.
                if queue.send(&one).await.is_err() {
                    queue.send(&one).await.expect("a fresh connection");
                }
                assert_eq!(server.seen().last().expect("seen").connection, opened);
            }
        }
    }
}

#[tokio::test]
async fn an_untrusted_certificate_is_refused() {
    let server = Misbehaving::start_tls(Behaviour::Well);
    let error = failed(&queue_of_untrusted(&server)).await;
    assert_eq!(
        (error.kind, error.retryable),
        (Unavailable, true),
        "{error}"
    );
    assert!(error.message.contains("AWS_CA_BUNDLE"), "{error}");
    assert!(server.seen().is_empty(), "nothing was told to it");
}

fn queue_of_untrusted(server: &Misbehaving) -> SqsQueue {
    let aws = aws_with(&server.endpoint(), &[("AWS_CA_BUNDLE", "")]);
    aws.queue(&format!("{}{PATH}", server.endpoint()))
        .expect("a queue's URL")
}

#[tokio::test]
async fn a_refused_connection_is_unavailable_and_names_the_endpoint() {
    let [port] = labelrelay_tests::servers::free_ports();
    let refused = format!("http://127.0.0.1:{port}");
    let unknown = "http://sqs.eu-nowhere-9.invalid".to_owned();
    for (endpoint, word) in [(refused, "refused"), (unknown, "region")] {
        let queue = aws(&endpoint)
            .queue(&format!("{endpoint}{PATH}"))
            .expect("a queue's URL");
        let error = failed(&queue).await;
        assert_eq!(
            (error.kind, error.retryable),
            (Unavailable, true),
            "{error}"
        );
        let host = endpoint.strip_prefix("http://").expect("http");
        assert!(
            error.message.contains(host) && error.message.contains(word),
            "{error}"
        );
    }
}

/// Reading the limit is not needed to send: without that permission the relay still starts.
#[tokio::test]
async fn a_check_needs_no_more_than_sending_does() {
    let server = Misbehaving::start(Behaviour::error(403, "AccessDeniedException", "not yours"));
    let queue = queue_of(&server);
    queue.check().await.expect("only the limit is unknown");
    assert_eq!(queue.limits().max_message_bytes, 1_048_576);
    for code in [
        "ExpiredToken",
        "InvalidClientTokenId",
        "com.amazonaws.sqs#QueueDoesNotExist",
    ] {
        server.behave(Behaviour::error(403, code, "x"));
        queue.check().await.expect_err(code);
    }
    // The check opened the connection that a delivery uses.
    server.behave(Behaviour::Well);
    queue.check().await.expect("there");
    queue.send(&message("one", b"{}")).await.expect("taken");
    assert_eq!(server.connections(), 1);
}

/// Errors are logged: they hold nothing of the message and nothing of the credentials.
#[tokio::test]
async fn errors_hold_no_body_and_no_secret() {
    let server = Misbehaving::start(Behaviour::Well);
    let hush = "hush-hush-hush";
    let aws = aws_with(&server.endpoint(), &[("AWS_SECRET_ACCESS_KEY", hush)]);
    let queue = aws
        .queue(&format!("{}{PATH}", server.endpoint()))
        .expect("a queue's URL");
    for behaviour in [
        Behaviour::error(403, "SignatureDoesNotMatch", "x"),
        Behaviour::WrongBodyMd5,
        Behaviour::HangUp,
        Behaviour::html(200),
        Behaviour::html(500),
    ] {
        server.behave(behaviour);
        let sent = queue
            .send(&message("one", b"{\"token\":\"tell-nobody\"}"))
            .await;
        let error = sent.expect_err("not a success");
        let text = format!("{error} {error:?} {queue:?} {aws:?}");
        assert!(
            !text.contains(hush) && !text.contains("tell-nobody"),
            "{text}"
        );
    }
}
