//! Webhooks that are made and changed, on a server that loses answers.

use crate::server::{Asked, Server, answer, options};
use labelrelay_core::Secret;
use labelrelay_reconcile::PlatformError;
use labelrelay_reconcile::label_studio::{Management, Webhook, WebhookSettings};
use labelrelay_reconcile::labelbox;
use serde_json::Map;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

const LEGACY: &str = "0123456789abcdef0123456789abcdef01234567";
const URL: &str = "http://relay.test/label-studio";

fn management(server: &Server, token: &str) -> Management {
    let mut options = options();
    options.attempts = 1;
    let token = Secret::new("token", token).unwrap();
    Management::new(&server.url, token, options).unwrap()
}

async fn make(server: &Server, token: &str) -> Result<Webhook, PlatformError> {
    let headers = Map::new();
    let settings = WebhookSettings {
        url: URL,
        headers: &headers,
        sends_payload: true,
        sends_all_actions: true,
        actions: &[],
    };
    management(server, token).make_webhook(3, &settings).await
}

fn webhook(project: u64, url: &str) -> String {
    format!(
        r#"{{"id":7,"project":{project},"url":"{url}","headers":{{}},"is_active":true,"actions":[]}}"#
    )
}

fn posts(server: &Server) -> usize {
    let asked = server.asked.lock().unwrap();
    let is_post = |asked: &&Asked| asked.head.starts_with("POST /api/webhooks/");
    asked.iter().filter(is_post).count()
}

/// A server that loses what makes a webhook, and lists these.
async fn losing(listed: &'static [(u64, &'static str)]) -> Server {
    Server::by(move |asked| {
        if asked.head.starts_with("POST") {
            return String::new();
        }
        let listed: Vec<_> = listed
            .iter()
            .map(|(project, url)| webhook(*project, url))
            .collect();
        answer("200 OK", "", &format!("[{}]", listed.join(",")))
    })
    .await
}

#[tokio::test]
async fn a_lost_answer_is_looked_for_in_the_list() {
    let server = losing(&[(2, URL), (3, "http://else.test/"), (3, URL)]).await;
    let made = make(&server, LEGACY).await.unwrap();
    assert_eq!((made.id, made.project), (7, Some(3)));
    assert_eq!(posts(&server), 1);

    let server = losing(&[(2, URL), (3, "http://else.test/")]).await;
    let error = make(&server, LEGACY).await.unwrap_err();
    assert!(
        error.message.contains("was not made: run it again"),
        "{error}"
    );
    assert_eq!(posts(&server), 1);

    let server = Server::by(|_| answer("503 Service Unavailable", "", "")).await;
    let error = make(&server, LEGACY).await.unwrap_err();
    assert!(error.message.contains("is not known"), "{error}");
    assert!(error.is_retryable);
    assert_eq!(posts(&server), 1);
}

#[tokio::test]
async fn an_access_token_that_has_run_out_is_exchanged_before_the_second_try() {
    let exchanged = AtomicU32::new(0);
    let server = Server::by(move |asked| {
        if asked.head.starts_with("POST /api/token/refresh/") {
            let number = exchanged.fetch_add(1, Relaxed);
            answer("200 OK", "", &format!(r#"{{"access":"number-{number}"}}"#))
        } else if asked.head.contains("Bearer number-1") {
            answer("201 Created", "", &webhook(3, URL))
        } else {
            answer("401 Unauthorized", "", "{}")
        }
    })
    .await;
    let made = make(&server, "a.personal.token").await.unwrap();
    assert_eq!(made.id, 7);
    assert_eq!(posts(&server), 2, "what was refused was not carried out");
}

const OF_LABELBOX: &str = "https://relay.test/labelbox";

async fn make_of_labelbox(server: &Server) -> Result<labelbox::Webhook, PlatformError> {
    let mut options = options();
    options.attempts = 1;
    let key = Secret::new("key", "0123456789abcdef0123456789abcdef").unwrap();
    let management = labelbox::Management::new(&server.url, key, options).unwrap();
    let settings = labelbox::WebhookSettings {
        project: None,
        url: OF_LABELBOX,
        topics: &["LABEL_CREATED".to_owned()],
        secret: "a secret of forty characters, or nearly so",
    };
    management.make_webhook(&settings, &[]).await
}

/// A Labelbox that answers `said` to what makes a webhook, and then lists it as made.
async fn answering(said: &'static str) -> Server {
    Server::by(move |asked| {
        let body = if asked.body.contains("mutation") {
            said.to_owned()
        } else if asked.body.contains("skip: 0") {
            format!(
                r#"{{"data":{{"organization":{{"webhooks":[{{"id":"w1","url":"{OF_LABELBOX}","status":"ACTIVE"}}]}}}}}}"#
            )
        } else {
            r#"{"data":{"organization":{"webhooks":[]}}}"#.to_owned()
        };
        answer("200 OK", "", &body)
    })
    .await
}

/// Labelbox answers 200 to nearly everything; the body says what it means.
#[tokio::test]
async fn a_failure_of_labelbox_may_have_made_a_webhook_and_a_refusal_has_not() {
    for said in [
        r#"{"data":null,"errors":[{"message":"timeout","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#,
        r#"{"data":null,"errors":[{"message":"x","extensions":{"code":"INTERNAL_SERVER_ERROR","exception":{"status":503}}}]}"#,
        r#"{"message":"You have exceeded your API rate limit of 1500 requests per minute"}"#,
    ] {
        let made = make_of_labelbox(&answering(said).await).await;
        assert_eq!(made.unwrap().id, "w1", "{said}");
    }
    for status in ["422", "\"400\""] {
        let said = format!(
            r#"{{"data":null,"errors":[{{"message":"no such url","extensions":{{"code":"INTERNAL_SERVER_ERROR","exception":{{"status":{status}}}}}}}]}}"#
        );
        let server = answering(Box::leak(said.into_boxed_str())).await;
        let error = make_of_labelbox(&server).await.unwrap_err();
        assert!(!error.is_retryable, "{error}");
        assert!(error.message.contains("no such url"), "{error}");
        assert_eq!(server.count(), 1, "the list was not asked for");
    }
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_to_wait() {
    let limited =
        r#"{"message":"You have exceeded your API rate limit of 1500 requests per minute"}"#;
    let server = Server::by(move |_| answer("200 OK", "", limited)).await;
    let error = make_of_labelbox(&server).await.unwrap_err();
    assert!(error.is_retryable, "{error}");
    for part in ["asked too often", "1500 requests", "wait some minutes"] {
        assert!(error.message.contains(part), "no {part:?} in {error}");
    }
}
