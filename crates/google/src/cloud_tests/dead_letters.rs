//! Dead letters of a topic, as `status` looks at them.

use super::{DENIED, queue, requests};
use crate::stub::Stub;
use labelrelay_core::{DeadLetterCount, EventQueue as _};

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_looked_at_and_given_back() {
    let stub = Stub::start(|path| match path {
        "/v1/projects/proj/topics/events/subscriptions" => (
            200,
            r#"{"subscriptions":["projects/proj/subscriptions/events"]}"#,
        ),
        "/v1/projects/proj/subscriptions/events" => (
            200,
            r#"{"deadLetterPolicy":{"deadLetterTopic":"projects/proj/topics/dead"}}"#,
        ),
        "/v1/projects/proj/topics/dead/subscriptions" => (
            200,
            r#"{"subscriptions":["projects/proj/subscriptions/dead","projects/proj/subscriptions/pushing"]}"#,
        ),
        "/v1/projects/proj/subscriptions/pushing" => (
            200,
            r#"{"pushConfig":{"pushEndpoint":"https://example.org"}}"#,
        ),
        "/v1/projects/proj/subscriptions/dead:pull" => (
            200,
            r#"{"receivedMessages":[{"ackId":"a","message":{"data":"e30="}},{"ackId":"b","message":{}}]}"#,
        ),
        _ => (200, "{}"),
    });
    let seen = queue(&stub).dead_letters().await.expect("allowed");
    assert_eq!(seen, DeadLetterCount::AtLeast(2));
    let asked = requests(&stub);
    let last = "post /v1/projects/proj/subscriptions/dead:modifyackdeadline http/1.1";
    assert!(asked.iter().any(|line| line == last), "{asked:?}");
    assert!(
        !asked.iter().any(|line| line.contains("pushing:")),
        "{asked:?}"
    );
}

/// Each subscription of a topic for dead letters has a copy of each. One of another project may be closed to us.
#[tokio::test(flavor = "multi_thread")]
async fn copies_of_dead_letters_count_once_and_a_closed_subscription_hides_none() {
    let stub = Stub::start(|path| match path {
        "/v1/projects/proj/topics/events/subscriptions" => (
            200,
            r#"{"subscriptions":["projects/other/subscriptions/closed","projects/proj/subscriptions/events"]}"#,
        ),
        "/v1/projects/proj/subscriptions/events" => (
            200,
            r#"{"deadLetterPolicy":{"deadLetterTopic":"projects/proj/topics/dead"}}"#,
        ),
        "/v1/projects/proj/topics/dead/subscriptions" => (
            200,
            r#"{"subscriptions":["projects/proj/subscriptions/one","projects/proj/subscriptions/two","projects/other/subscriptions/closed"]}"#,
        ),
        "/v1/projects/proj/subscriptions/one:pull" => {
            (200, r#"{"receivedMessages":[{"ackId":"a","message":{}}]}"#)
        }
        "/v1/projects/proj/subscriptions/two:pull" => (
            200,
            r#"{"receivedMessages":[{"ackId":"b","message":{}},{"ackId":"c","message":{}}]}"#,
        ),
        "/v1/projects/other/subscriptions/closed" => (403, DENIED),
        _ => (200, "{}"),
    });
    let seen = queue(&stub).dead_letters().await.expect("allowed");
    assert_eq!(seen, DeadLetterCount::AtLeast(2));
}

/// Red if "no dead letter was seen" is said of a place that nobody could look into.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_of_dead_letters_where_a_part_is_closed_and_none_was_seen() {
    let stub = Stub::start(|path| match path {
        "/v1/projects/proj/topics/events/subscriptions" => (
            200,
            r#"{"subscriptions":["projects/proj/subscriptions/events"]}"#,
        ),
        "/v1/projects/proj/subscriptions/events" => (
            200,
            r#"{"deadLetterPolicy":{"deadLetterTopic":"projects/proj/topics/dead"}}"#,
        ),
        "/v1/projects/proj/topics/dead/subscriptions" => (
            200,
            r#"{"subscriptions":["projects/proj/subscriptions/open","projects/proj/subscriptions/closed"]}"#,
        ),
        "/v1/projects/proj/subscriptions/closed:pull" => (403, DENIED),
        _ => (200, "{}"),
    });
    let seen = queue(&stub).dead_letters().await.expect("no fault");
    assert!(
        matches!(seen, DeadLetterCount::Unknown(Some(_))),
        "{seen:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_see_dead_letters_learns_how_to() {
    for stub in [
        Stub::start(|_| (403, DENIED)),
        // Subscriptions without a policy.
        Stub::start(|_| (200, "{}")),
    ] {
        let told = queue(&stub).dead_letters().await.expect("no fault");
        let DeadLetterCount::Unknown(Some(how)) = told else {
            panic!("{told:?}");
        };
        assert!(how.contains("Cloud Monitoring"), "{how}");
    }
    let stub = Stub::start(|_| (503, "{}"));
    let error = queue(&stub).dead_letters().await.expect_err("away");
    assert!(error.retryable, "{error}");
}
