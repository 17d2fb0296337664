//! What an answer holds.

use crate::test_bench::{Data, HOST, TOKEN, by, json, page, summary, with_token};
use http::header::CONTENT_TYPE;
use labelrelay_page::{Action, BodyPart, Delivery, Page, PageData, PageToken, Show};
use serde_json::Value;
use std::sync::Arc;

#[test]
fn a_list_says_where_the_next_question_begins() {
    let data = Arc::new(Data {
        deliveries: 7,
        ..Data::default()
    });
    let page = Page::new(
        PageToken::new(TOKEN).unwrap(),
        Arc::clone(&data) as Arc<dyn PageData>,
    );
    let list = json(&page, "/api/deliveries?limit=3&after=2&show=refused&q=r1");
    let names = list["deliveries"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["r7", "r6", "r5"]);
    assert_eq!(list["more"], true);
    assert_eq!(list["newest"], 12);
    assert_eq!(list["lost"], 2);
    let asked = data.asked.lock().unwrap();
    let (query, limit) = &asked[0];
    assert_eq!(*limit, 4);
    assert_eq!((query.show, query.after), (Show::Refused, Some(2)));
    assert_eq!(query.search.as_deref(), Some("r1"));
}

#[test]
fn what_cannot_be_answered_says_why() {
    let damaged = page(Data {
        is_damaged: true,
        ..Data::default()
    });
    for (uri, status, words) in [
        ("/api/deliveries", 503, "damaged"),
        ("/api/deliveries?after=x", 400, "`after`"),
        ("/api/deliveries/r9", 404, "no such delivery"),
        ("/api/deliveries/r9/body", 404, "no such delivery"),
        ("/api/deliveries/r9/event", 404, "no such delivery"),
        ("/api/nothing", 404, "nothing"),
    ] {
        let response = with_token(&damaged, uri);
        assert_eq!(response.status().as_u16(), status, "{uri}");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        let said: Value = serde_json::from_slice(response.body()).unwrap();
        assert!(said["error"].as_str().unwrap().contains(words), "{said}");
    }
}

#[test]
fn a_refused_delivery_is_shown_with_its_reason() {
    let mut refused = summary(3);
    refused.status = 401;
    refused.outcome = "unauthorized".to_owned();
    refused.reason = Some("no secret matches".to_owned());
    let page = page(Data {
        delivery: Some(Delivery {
            summary: refused,
            cure: Some("enter the secret".to_owned()),
            body: BodyPart::Start(b"{\"a\": [1, ".to_vec()),
            ..Delivery::default()
        }),
        ..Data::default()
    });
    let shown = json(&page, "/api/deliveries/r3");
    assert_eq!(shown["summary"]["tone"], "bad");
    assert_eq!(shown["cure"], "enter the secret");
    assert_eq!(shown["body"]["state"], "start");
    assert_eq!(shown["body"]["text"], "{\"a\": [1, ");
    assert_eq!(
        shown["body"]["outline"][1],
        serde_json::json!([1, "a", "array", ""])
    );
    assert_eq!(shown["drawings"], serde_json::json!([]));
    assert!(shown["drawing_words"].is_string());
    let saved = with_token(&page, "/api/deliveries/r3/body");
    assert_eq!(&saved.body()[..], b"{\"a\": [1, ");
    let disposition = saved.headers()["content-disposition"].to_str().unwrap();
    assert!(disposition.starts_with("attachment"), "{disposition}");
}

#[test]
fn a_test_fixture_is_the_event_as_the_queue_has_it() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/changes/lb_v2_created.json"
    );
    let message = std::fs::read(file).unwrap();
    let with = |message: Option<Vec<u8>>| {
        page(Data {
            delivery: Some(Delivery {
                summary: summary(2),
                message,
                ..Delivery::default()
            }),
            ..Data::default()
        })
    };
    let saved = with_token(&with(Some(message.clone())), "/api/deliveries/r2/event");
    assert_eq!(saved.status().as_u16(), 200);
    assert!(saved.body()[..] == message[..], "other bytes");
    assert_eq!(
        saved.headers()["content-disposition"],
        "attachment; filename=\"event.json\""
    );
    let none = with_token(&with(None), "/api/deliveries/r2/event");
    assert_eq!(none.status().as_u16(), 404);
    let said: Value = serde_json::from_slice(none.body()).unwrap();
    assert!(said["error"].as_str().unwrap().contains("no event"));
}

#[test]
fn a_large_body_becomes_a_small_answer() {
    let items = "[[0]],".repeat(8_000_000);
    let body = format!("[{items}0]").into_bytes();
    let page = page(Data {
        delivery: Some(Delivery {
            summary: summary(1),
            body: BodyPart::Whole(body),
            ..Delivery::default()
        }),
        ..Data::default()
    });
    let response = with_token(&page, "/api/deliveries/r1");
    assert!(
        response.body().len() < 512 * 1024,
        "{}",
        response.body().len()
    );
    let shown: Value = serde_json::from_slice(response.body()).unwrap();
    assert!(
        shown["body"]["cut"]
            .as_str()
            .unwrap()
            .contains("first 64 KiB of 45")
    );
    assert!(shown["body"]["outline_cut"].is_string());
}

#[test]
fn what_was_done_is_said_and_so_is_what_was_not() {
    let page = page(Data {
        delivery: Some(Delivery {
            summary: summary(3),
            actions: Action::ALL.to_vec(),
            ..Delivery::default()
        }),
        ..Data::default()
    });
    let shown = json(&page, "/api/deliveries/r3");
    assert_eq!(shown["actions"], serde_json::json!(["retry", "replay"]));
    let bearer = format!("Bearer {TOKEN}");
    for (uri, status, key, words) in [
        ("/api/deliveries/r1/retry", 200, "words", "retry is done"),
        (
            "/api/deliveries/r%31/replay",
            200,
            "words",
            "replay is done",
        ),
        ("/api/deliveries/r2/retry", 409, "error", "no dead letter"),
        ("/api/deliveries/r9/retry", 404, "error", "no such delivery"),
    ] {
        let response = by(
            &page,
            "POST",
            uri,
            &[("host", HOST), ("authorization", &bearer)],
        );
        assert_eq!(response.status().as_u16(), status, "{uri}");
        let said: Value = serde_json::from_slice(response.body()).unwrap();
        assert!(said[key].as_str().unwrap().contains(words), "{said}");
    }
}
