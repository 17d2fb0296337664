//! The suite of sources of events over two SQS servers that know nothing of each other, and what is particular to SQS.

use crate::setup::aws;
use crate::sqs_client::{client, create, receive};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use labelrelay_aws::SqsSource;
use labelrelay_core::backend::{CommandLineBackEnd, Location};
use labelrelay_core::{
    BackEndError, BoxFuture, EventQueue as _, EventSource as _, Extended, Settled, SourceOptions,
};
use labelrelay_testkit::queue_suite::message;
use labelrelay_testkit::source_suite::{self as suite, REASON, Subject, Tells};
use labelrelay_tests::servers::{Behaviour, Fauxqs, Ministack, Misbehaving};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const LONG: Duration = Duration::from_mins(1);

/// Lets real time pass: the servers go by no other.
fn pass(by: Duration) -> BoxFuture<'static, ()> {
    Box::pin(tokio::time::sleep(by))
}

/// A server, as the tests use it.
struct Server {
    endpoint: String,
    client: Client,
    tells: Tells,
}

impl Server {
    fn of(endpoint: String, tells: Tells) -> Self {
        Self {
            client: client(&endpoint),
            endpoint,
            tells,
        }
    }

    /// Makes a queue whose dead letters go to another one; the URLs of both.
    async fn queues(&self, name: &str) -> (String, String) {
        let dead = match name.strip_suffix(".fifo") {
            Some(stem) => format!("{stem}-dead.fifo"),
            None => format!("{name}-dead"),
        };
        let dead = create(&self.client, &dead, &[]).await;
        let asked = self.client.get_queue_attributes().queue_url(&dead);
        let asked = asked.attribute_names(QueueAttributeName::QueueArn);
        let answer = asked.send().await.expect("attributes");
        let arn = &answer.attributes().expect("attributes")[&QueueAttributeName::QueueArn];
        let policy = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": 5 }).to_string();
        let policy = [(QueueAttributeName::RedrivePolicy, policy.as_str())];
        (create(&self.client, name, &policy).await, dead)
    }

    async fn open(&self, url: &str, options: &SourceOptions) -> SqsSource {
        let opened = aws(&self.endpoint).event_source(url, options).await;
        opened.expect("a queue")
    }

    async fn over_a_queue<T>(&self, name: &str, test: impl AsyncFnOnce(Subject<'_>) -> T) -> T {
        let (url, _) = self.queues(name).await;
        let source = self.open(&url, &SourceOptions::default()).await;
        let queue = aws(&self.endpoint).queue(&url).expect("a queue's URL");
        test(Subject {
            queue: &queue,
            source: &source,
            pass: &pass,
            tells: self.tells,
        })
        .await
    }

    /// Contents of the queue for dead letters of the queue of this name.
    async fn dead(&self, name: &str) -> Vec<Message> {
        let answer = self.client.get_queue_url().queue_name(name).send().await;
        let answer = answer.expect("a queue");
        receive(&self.client, answer.queue_url().expect("its URL"), 10, LONG).await
    }

    async fn conforms(&self) {
        tokio::join!(
            self.over_a_queue(
                "again",
                suite::an_event_comes_back_when_its_visibility_ran_out
            ),
            self.over_a_queue("done", suite::an_acknowledged_event_is_done_with),
            self.over_a_queue("done.fifo", suite::an_acknowledged_event_is_done_with),
            self.over_a_queue(
                "back",
                suite::an_event_that_was_given_back_comes_when_its_time_has_come
            ),
            self.over_a_queue("kept", suite::an_event_that_is_extended_is_kept),
            self.over_a_queue("wait", suite::a_wait_ends_with_an_event),
            self.over_a_queue("odd", suite::odd_and_large_envelopes_come_as_they_were_sent),
            self.over_a_queue("late", suite::an_event_that_others_may_have_is_not_rejected),
            self.over_a_queue("often", async |subject| {
                suite::an_event_that_is_received_too_often_is_handed_out_no_more(subject, 5).await;
            }),
            self.over_a_queue("batch", async |subject| {
                suite::a_long_batch_is_settled_receipt_by_receipt(subject, 25).await;
            }),
            self.over_a_queue("shared", async |subject| {
                let answer = self
                    .client
                    .get_queue_url()
                    .queue_name("shared")
                    .send()
                    .await;
                let url = answer.expect("a queue").queue_url.expect("its URL");
                let other = self.open(&url, &SourceOptions::default()).await;
                suite::an_event_that_is_held_is_nobody_elses(subject, &other).await;
            }),
        );
        assert!(self.dead("late-dead").await.is_empty());
        tokio::join!(
            self.a_dead_letter_keeps_what_stood_beside_it("events", "events-dead"),
            self.a_dead_letter_keeps_what_stood_beside_it("events.fifo", "events-dead.fifo"),
            self.receives_are_counted_where_the_queue_does_not(),
            self.an_event_without_its_dead_letter_stays(),
            self.a_group_is_named_where_the_queue_keeps_its_order(),
        );
        self.a_queue_that_cannot_be_consumed_is_refused_with_the_cure()
            .await;
    }

    async fn a_dead_letter_keeps_what_stood_beside_it(&self, name: &str, dead: &str) {
        let rejected = self
            .over_a_queue(name, suite::a_rejected_event_is_done_with)
            .await;
        let dead = self.dead(dead).await;
        assert_eq!(dead.len(), 1);
        assert_eq!(
            dead[0].body().expect("a body").as_bytes(),
            rejected.envelope
        );
        let beside = dead[0].message_attributes().expect("attributes");
        let text = |name: &str| beside[name].string_value().expect("text");
        assert_eq!(text("labelrelay-reason"), REASON);
        assert_eq!((text("id"), text("source")), ("poison", "/labelbox"));
        if name.contains(".fifo") {
            let system = dead[0].attributes().expect("system attributes");
            let group = &system[&MessageSystemAttributeName::MessageGroupId];
            assert_eq!(group, "/labelbox");
        }
    }

    async fn receives_are_counted_where_the_queue_does_not(&self) {
        const MOST: u32 = 3;
        let url = create(&self.client, "counted", &[]).await;
        create(&self.client, "counted-elsewhere", &[]).await;
        let options = SourceOptions::default();
        let options = options.max_receives(MOST).dead_letter("counted-elsewhere");
        let source = self.open(&url, &options).await;
        assert!(source.limits_receives(), "as it was told to");
        let untold = SourceOptions::default().dead_letter("counted-elsewhere");
        assert!(!self.open(&url, &untold).await.limits_receives());
        let queue = aws(&self.endpoint).queue(&url).expect("a queue's URL");
        let subject = Subject {
            queue: &queue,
            source: &source,
            pass: &pass,
            tells: self.tells,
        };
        suite::an_event_that_is_received_too_often_is_handed_out_no_more(subject, MOST).await;
        let dead = self.dead("counted-elsewhere").await;
        assert_eq!(dead.len(), 1);
        let beside = dead[0].message_attributes().expect("attributes");
        let reason = beside["labelrelay-reason"].string_value();
        assert_eq!(reason, Some("received 3 times and never acknowledged"));
    }

    /// Red if the event is deleted before its dead letter is there: there is no such queue.
    async fn an_event_without_its_dead_letter_stays(&self) {
        let url = create(&self.client, "stays", &[]).await;
        let options = SourceOptions::default().dead_letter("nowhere");
        let source = self.open(&url, &options).await;
        let queue = aws(&self.endpoint).queue(&url).expect("a queue's URL");
        let subject = Subject {
            queue: &queue,
            source: &source,
            pass: &pass,
            tells: self.tells,
        };
        let error = suite::a_failed_rejection_leaves_the_event(subject).await;
        assert!(
            error.resource.ends_with("/nowhere") && !error.retryable,
            "{error}"
        );
    }

    async fn a_group_is_named_where_the_queue_keeps_its_order(&self) {
        for (name, group) in [("grouped", None), ("grouped.fifo", Some("/labelbox"))] {
            let (url, _) = self.queues(name).await;
            let source = self.open(&url, &SourceOptions::default()).await;
            let queue = aws(&self.endpoint).queue(&url).expect("a queue's URL");
            queue.send(&message("one", b"{}")).await.expect("taken");
            let events = source.receive(1, LONG, LONG).await.expect("read");
            assert_eq!(events[0].group.as_deref(), group);
        }
    }

    async fn a_queue_that_cannot_be_consumed_is_refused_with_the_cure(&self) {
        let without = create(&self.client, "without", &[]).await;
        let missing = without.replace("without", "missing");
        let options = SourceOptions::default();
        let itself = SourceOptions::default().dead_letter("without");
        let account = without.rsplit('/').nth(1).expect("an account");
        let by_another_host = format!("https://another.example.org/{account}/without");
        let by_another_host = SourceOptions::default().dead_letter(by_another_host);
        let odd = SourceOptions::default().dead_letter("no name");
        let elsewhere = SourceOptions::default().dead_letter("elsewhere");
        for (url, options, word) in [
            (&*without, &options, "redrive policy"),
            (&without, &itself, "its own queue"),
            (&without, &by_another_host, "its own queue"),
            (&without, &odd, "neither a queue's URL nor its name"),
            (&missing, &options, "no such queue"),
            (&missing, &elsewhere, "no such queue"),
            ("sqs://eu-west-1", &options, "names no queue"),
        ] {
            let error = refused(&self.endpoint, url, options).await;
            assert!(
                error.to_string().contains(word) && !error.retryable,
                "{url}: {error}"
            );
        }
    }
}

async fn refused(endpoint: &str, url: &str, options: &SourceOptions) -> BackEndError {
    let aws = aws(endpoint);
    let base_dir = Path::new("/");
    let opened = CommandLineBackEnd::event_source(&aws, Location { url, base_dir }, options);
    opened.await.err().expect("refused")
}

#[tokio::test]
#[ignore = "needs MiniStack: cargo xtask test"]
async fn ministack() {
    let server = Ministack::start();
    Box::pin(Server::of(server.endpoint(), Tells::All).conforms()).await;
}

#[tokio::test]
#[ignore = "needs fauxqs: cargo xtask test"]
async fn fauxqs() {
    let server = Fauxqs::start();
    Box::pin(Server::of(server.endpoint(), Tells::Changes).conforms()).await;
}

const POLICY: &str = r#"{"Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:eu-central-1:123456789012:dead\",\"maxReceiveCount\":3}"}}"#;

/// A sound answer of SQS.
fn answer(body: &str) -> Behaviour {
    Behaviour::Answer {
        status: 200,
        headers: Vec::new(),
        body: body.to_owned(),
    }
}

/// Answers these actions so, and the question for the redrive policy well.
fn answering(more: Vec<(&'static str, Behaviour)>) -> Behaviour {
    let mut all = vec![("AmazonSQS.GetQueueAttributes", answer(POLICY))];
    all.extend(more);
    Behaviour::ByAction(all)
}

async fn source_of(server: &Misbehaving) -> SqsSource {
    let url = format!("{}/123456789012/events", server.endpoint());
    let aws = aws(&server.endpoint());
    let opened = aws.event_source(&url, &SourceOptions::default()).await;
    opened.expect("a queue")
}

fn received(body: &str, md5: &str) -> String {
    let message =
        json!({ "MessageId": "1", "ReceiptHandle": "handle", "Body": body, "MD5OfBody": md5 });
    json!({ "Messages": [message] }).to_string()
}

/// MD5 of `{}`.
const MD5: &str = "99914b932bd37a50b983c5e7c90ae93b";

const RECEIVE: &str = "AmazonSQS.ReceiveMessage";
const DELETE: &str = "AmazonSQS.DeleteMessageBatch";
const HIDE: &str = "AmazonSQS.ChangeMessageVisibilityBatch";
const SEND: &str = "AmazonSQS.SendMessage";

/// Red if a body that was changed on its way is handed out.
#[tokio::test]
async fn a_message_that_is_not_as_it_was_queued_is_not_handed_out() {
    let server = Misbehaving::start(answering(vec![]));
    let source = source_of(&server).await;
    let sound = received("{}", MD5);
    for (behaviour, word) in [
        (answer(&received("{ }", MD5)), "MD5OfBody"),
        (answer(&received("{}", "")), "MD5OfBody"),
        (
            answer(r#"{"Messages":[{"MessageId":"1"}]}"#),
            "receipt handle",
        ),
        (Behaviour::html(200), "is not SQS"),
        (Behaviour::html(502), "SQS answered 502"),
        (Behaviour::HangUp, "does not answer"),
    ] {
        server.behave(answering(vec![(RECEIVE, behaviour)]));
        let error = source.receive(1, LONG, Duration::ZERO).await;
        let error = error.expect_err("not handed out");
        assert!(error.problem.contains(word) && error.retryable, "{error}");
        server.behave(answering(vec![(RECEIVE, answer(&sound))]));
        let events = source.receive(1, LONG, Duration::ZERO).await;
        assert_eq!(events.expect("a sound answer").len(), 1);
    }
}

/// Red if an entry that failed, or that the answer passes over, counts as done.
#[tokio::test]
async fn an_entry_that_fails_is_told() {
    let sound = received("{}", MD5);
    let with = |more: Vec<(&'static str, Behaviour)>| {
        let mut all = vec![(RECEIVE, answer(&sound))];
        all.extend(more);
        answering(all)
    };
    let server = Misbehaving::start(with(vec![]));
    let source = source_of(&server).await;
    let events = source.receive(1, LONG, Duration::ZERO).await.expect("read");
    let receipt = events[0].receipt.as_str();
    let failed = |code: &str, said: &str, ours: bool| {
        let entry = json!({ "Id": "0", "Code": code, "Message": said, "SenderFault": ours });
        answer(&json!({ "Successful": [], "Failed": [entry] }).to_string())
    };
    server.behave(with(vec![(
        HIDE,
        failed("ReceiptHandleIsInvalid", "x", true),
    )]));
    let kept = source.extend(receipt, LONG).await;
    assert_eq!(kept.expect("answered"), Extended::Stale);
    for (behaviour, retryable, word) in [
        (
            failed("InternalError", "x", false),
            true,
            "SQS answered 500",
        ),
        (failed("RequestThrottled", "x", true), true, "throttling"),
        (
            failed("AccessDenied", "x", true),
            false,
            "sqs:DeleteMessage",
        ),
        (answer("{}"), true, "does not say what became"),
        (
            answer(r#"{"Successful":[{"Id":"1"}]}"#),
            true,
            "does not say what became",
        ),
    ] {
        server.behave(with(vec![(DELETE, behaviour)]));
        let error = source.ack(&[receipt]).await.expect_err("not done");
        assert!(
            error.to_string().contains(word) && error.retryable == retryable,
            "{error}"
        );
    }
}

/// Red if an event is deleted though SQS has not proven that it has the dead letter.
#[tokio::test]
async fn an_unproven_dead_letter_deletes_nothing() {
    let done = answer(r#"{"Successful":[{"Id":"0"}]}"#);
    let sound = received("{}", MD5);
    let server = Misbehaving::start(answering(vec![(RECEIVE, answer(&sound))]));
    let source = source_of(&server).await;
    let mut events = source.receive(1, LONG, Duration::ZERO).await.expect("read");
    for behaviour in [
        answer("{}"),
        answer(r#"{"MessageId":"1","MD5OfMessageBody":"00"}"#),
        answer(&format!(r#"{{"MessageId":"","MD5OfMessageBody":"{MD5}"}}"#)),
        Behaviour::HangUp,
        Behaviour::error(403, "AccessDeniedException", "no"),
    ] {
        server.behave(answering(vec![(HIDE, done.clone()), (SEND, behaviour)]));
        source
            .reject(&mut events[0], "why")
            .await
            .expect_err("no dead letter");
    }
    let actions: Vec<_> = server.seen().into_iter().map(|seen| seen.action).collect();
    assert!(
        !actions.iter().any(|action| action == DELETE),
        "{actions:?}"
    );
    let proven = answer(&format!(
        r#"{{"MessageId":"1","MD5OfMessageBody":"{MD5}"}}"#
    ));
    server.behave(answering(vec![
        (HIDE, done.clone()),
        (SEND, proven),
        (DELETE, done),
    ]));
    let rejected = source.reject(&mut events[0], "why").await;
    assert_eq!(rejected.expect("a dead letter"), Settled::Done);
    assert_eq!(server.seen().last().expect("seen").action, DELETE);
}

/// Red if whoever may not see the policy cannot consume although a place for dead letters is named, or if a place is
/// guessed.
#[tokio::test]
async fn a_policy_that_cannot_be_read_takes_a_place_for_dead_letters() {
    let denied = Behaviour::error(403, "AccessDeniedException", "no");
    let server = Misbehaving::start(denied);
    let endpoint = server.endpoint();
    let url = format!("{endpoint}/123456789012/events");
    let error = refused(&endpoint, &url, &SourceOptions::default()).await;
    assert!(
        error.to_string().contains("allow sqs:GetQueueAttributes"),
        "{error}"
    );
    let named = SourceOptions::default().dead_letter("dead");
    let source = aws(&endpoint)
        .event_source(&url, &named)
        .await
        .expect("a queue");
    assert_eq!(format!("{source:?}"), format!("SqsSource({url})"));
    server.behave(Behaviour::html(503));
    let error = refused(&endpoint, &url, &named).await;
    assert!(error.retryable, "{error}");
}

#[tokio::test]
async fn a_time_that_sqs_does_not_know_is_refused() {
    let server = Misbehaving::start(answering(vec![]));
    let source = source_of(&server).await;
    let day = Duration::from_hours(24);
    let error = source
        .receive(1, day, Duration::ZERO)
        .await
        .expect_err("too long");
    assert!(
        error.cure.contains("12 hours") && !error.retryable,
        "{error}"
    );
}

/// SQS refuses a time that would hide a message for more than 12 hours from its receive on. Red if 12 hours are asked for
/// at any later time: the refusal would bring a long retry back at once.
#[tokio::test]
async fn twelve_hours_are_counted_from_the_receive() {
    let done = answer(r#"{"Successful":[{"Id":"0"}]}"#);
    let sound = received("{}", MD5);
    let server = Misbehaving::start(answering(vec![(RECEIVE, answer(&sound)), (HIDE, done)]));
    let source = source_of(&server).await;
    let events = source.receive(1, LONG, Duration::ZERO).await.expect("read");
    let receipt = events[0].receipt.as_str();
    let day = Duration::from_hours(24);
    source.retry(&[receipt], day).await.expect("given back");
    let extended = source.extend(receipt, Duration::from_hours(12)).await;
    assert_eq!(
        extended.expect("answered"),
        Extended::Until(receipt.to_owned())
    );
    let hidden = server.seen().into_iter().filter(|seen| seen.action == HIDE);
    let seconds: Vec<_> = hidden
        .map(|seen| {
            let asked: Value = serde_json::from_slice(&seen.body).expect("JSON");
            asked["Entries"][0]["VisibilityTimeout"].as_u64()
        })
        .collect();
    assert_eq!(seconds.len(), 2);
    for seconds in seconds {
        assert!(seconds.is_some_and(|seconds| (43_000..43_195).contains(&seconds)));
    }
}

/// A source of a FIFO queue without a redrive policy. It makes a dead letter of what was received more than three times.
async fn burying(server: &Misbehaving) -> SqsSource {
    let endpoint = server.endpoint();
    let url = format!("{endpoint}/123456789012/events.fifo");
    let options = SourceOptions::default().max_receives(3);
    let options = options.dead_letter("dead.fifo");
    let opened = aws(&endpoint).event_source(&url, &options).await;
    opened.expect("a queue")
}

/// Messages of these groups, received so many times each.
fn grouped(messages: &[(&str, u32)]) -> Behaviour {
    let message = |(at, (group, count)): (usize, &(&str, u32))| {
        json!({
            "MessageId": at.to_string(), "ReceiptHandle": "handle", "Body": "{}", "MD5OfBody": MD5,
            "Attributes": { "MessageGroupId": group, "ApproximateReceiveCount": count.to_string() },
        })
    };
    let messages: Vec<_> = messages.iter().enumerate().map(message).collect();
    answer(&json!({ "Messages": messages }).to_string())
}

/// Red if what follows an event in its group overtakes it, because its dead letter could not be made.
#[tokio::test]
async fn nothing_overtakes_an_event_that_could_not_be_buried() {
    let done = answer(r#"{"Successful":[{"Id":"0"}]}"#);
    let denied = Behaviour::error(403, "AccessDeniedException", "no");
    let messages = grouped(&[("one", 4), ("one", 1), ("other", 1), ("one", 1)]);
    let server = Misbehaving::start(Behaviour::ByAction(vec![
        (RECEIVE, messages),
        (HIDE, done),
        (SEND, denied),
    ]));
    let source = burying(&server).await;
    let events = source.receive(10, LONG, Duration::ZERO).await;
    let places: Vec<_> = events
        .expect("read")
        .into_iter()
        .map(|event| event.place)
        .collect();
    assert_eq!(places, ["message 2"]);
    // What was held back is given back, and not hidden until its visibility runs out.
    let asked = server.seen().into_iter().map(|seen| seen.body);
    let given_back = asked
        .map(|body| String::from_utf8(body).expect("text"))
        .filter(|body| body.contains("\"VisibilityTimeout\":0}"))
        .count();
    assert_eq!(given_back, 1);
}

/// Red if good events wait, with their visibility running out, until the queue for dead letters was given up.
#[tokio::test]
async fn good_events_do_not_wait_for_the_dead_letters_of_others() {
    let done = answer(r#"{"Successful":[{"Id":"0"}]}"#);
    let messages = grouped(&[("one", 4), ("other", 1), ("two", 4), ("three", 4)]);
    let server = Misbehaving::start(Behaviour::ByAction(vec![
        (RECEIVE, messages),
        (HIDE, done),
        (SEND, Behaviour::Hang),
    ]));
    let source = burying(&server).await;
    let visibility = Duration::from_secs(6);
    let events = source.receive(10, visibility, Duration::ZERO);
    let events = tokio::time::timeout(visibility, events).await;
    let events = events.expect("before they are others'").expect("read");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].group.as_deref(), Some("other"));
}
