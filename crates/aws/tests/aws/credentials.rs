//! Credentials of a container's role: fetched when they are needed, again before they end, and never from
//! where others could give them out.

use crate::setup::aws_with;
use labelrelay_aws::{Aws, SqsQueue};
use labelrelay_core::EventQueue as _;
use labelrelay_core::config::SecretRef;
use labelrelay_testkit::queue_suite::message;
use labelrelay_tests::servers::{Behaviour, Misbehaving};
use std::io::Write as _;

const PATIENCE: std::time::Duration = std::time::Duration::from_mins(2);

fn keys(id: &str, end: &str) -> Behaviour {
    let body = serde_json::json!({
        "AccessKeyId": id, "SecretAccessKey": "secret", "Token": "session", "Expiration": end,
    });
    Behaviour::Answer {
        status: 200,
        headers: Vec::new(),
        body: body.to_string(),
    }
}

/// AWS at `services` as a container sees it whose role's keys are at `role`.
fn aws(services: &Misbehaving, role: &Misbehaving, more: &[(&str, &str)]) -> Aws {
    let url = format!("{}/v1/credentials", role.endpoint());
    let mut variables = vec![
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
    ];
    variables.extend(more);
    aws_with(&services.endpoint(), &variables)
}

fn queue(services: &Misbehaving, aws: &Aws) -> SqsQueue {
    let url = format!("{}/123456789012/events", services.endpoint());
    aws.queue(&url).expect("a queue's URL")
}

#[tokio::test]
async fn keys_are_fetched_once_and_again_before_they_end() {
    let services = Misbehaving::start(Behaviour::Well);
    let role = Misbehaving::start(keys("FIRST", "2099-01-01T00:00:00Z"));
    let mut token = tempfile::NamedTempFile::new().unwrap();
    writeln!(token, "the-token").unwrap();
    let path = token.path().to_str().unwrap();
    let aws = aws(
        &services,
        &role,
        &[("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path)],
    );
    let queue = queue(&services, &aws);
    assert!(role.seen().is_empty(), "opening asks for nothing");
    for number in 0..3 {
        queue
            .send(&message(&number.to_string(), b"{}"))
            .await
            .expect("sent");
    }
    let asked = role.seen();
    assert_eq!(asked.len(), 1, "all share what was fetched");
    assert_eq!(asked[0].line, "GET /v1/credentials");
    assert_eq!(asked[0].authorization, "the-token");
    for seen in services.seen() {
        assert!(
            seen.authorization.contains("Credential=FIRST/"),
            "{}",
            seen.authorization
        );
    }

    // These keys end in less than five minutes, so the next request asks for new ones. Until new ones come, these sign.
    let soon = (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(60)).to_string();
    let role = Misbehaving::start(keys("SECOND", &soon));
    let aws = self::aws(&services, &role, &[]);
    let reference = SecretRef::Store {
        scheme: "aws-secretsmanager",
        name: "relay".to_owned(),
    };
    let secret = aws
        .secret(&reference, None)
        .unwrap()
        .expect("a store of AWS");
    let queue = self::queue(&services, &aws);
    queue.send(&message("a", b"{}")).await.expect("sent");
    role.behave(Behaviour::html(503));
    queue
        .send(&message("b", b"{}"))
        .await
        .expect("sent with what is good for a minute yet");
    role.behave(keys("THIRD", "2099-01-01T00:00:00Z"));
    let begun = std::time::Instant::now();
    loop {
        // The stand-in has no secrets; what counts is who asked.
        let _nothing = secret.fetch().await;
        let last = services.seen().pop().unwrap();
        assert!(
            last.action.starts_with("secretsmanager."),
            "{}",
            last.action
        );
        if last.authorization.contains("Credential=THIRD/") {
            break;
        }
        // After an error, and where an answer took longer than a second, the next one is asked for after a pause.
        assert!(begun.elapsed() < PATIENCE, "{}", last.authorization);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(role.seen().len() >= 3);
}

#[tokio::test]
async fn a_role_whose_keys_cannot_be_had_is_an_error_that_says_from_where() {
    let services = Misbehaving::start(Behaviour::Well);
    for behaviour in [Behaviour::html(403), Behaviour::HangUp, keys("", "soon")] {
        let role = Misbehaving::start(behaviour);
        let queue = queue(&services, &aws(&services, &role, &[]));
        let error = queue.send(&message("a", b"{}")).await.expect_err("no keys");
        let text = format!("{error}");
        assert!(text.contains("/v1/credentials"), "{text}");
    }
    assert!(services.seen().is_empty(), "nothing is sent unsigned");
}

#[test]
fn an_address_that_anybody_could_answer_at_is_refused() {
    let lookup = |full: &'static str| {
        move |name: &str| (name == "AWS_CONTAINER_CREDENTIALS_FULL_URI").then(|| full.to_owned())
    };
    let error = Aws::load(&lookup("http://keys.example/")).expect_err("anybody could answer");
    assert!(
        error
            .to_string()
            .contains("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        "{error}"
    );
    assert!(Aws::load(&lookup("https://keys.example/")).is_ok());
}
