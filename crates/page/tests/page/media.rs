//! Images of a task: what a delivery tells of them, and the document that loads one.

use crate::test_bench::{Data, HOST, TOKEN, asked, json, page, summary, with_token};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use labelrelay_page::{BodyPart, Delivery, Page};
use std::path::Path;

/// A page with one delivery, whose body is this.
fn with_body(body: &str, message: Option<Vec<u8>>) -> Page {
    page(Data {
        delivery: Some(Delivery {
            summary: summary(1),
            message,
            body: BodyPart::Whole(body.as_bytes().to_vec()),
            ..Delivery::default()
        }),
        ..Data::default()
    })
}

fn vouched(body: &str) -> Page {
    with_body(body, Some(Vec::new()))
}

const BODY: &str =
    r#"{"task":{"data":{"image":"https://media.example:8443/a\"/><script>.png?sign=s3cret&x='"}}}"#;

#[test]
fn a_delivery_tells_where_an_image_is_and_not_its_signature() {
    let url = "https://media.example/a.png?sign=s3cret";
    let body = format!(r#"{{"task":{{"data":{{"image":"{url}"}}}}}}"#);
    let shown = json(&vouched(&body), "/api/deliveries/r1");
    let expected = serde_json::json!([
        {"name": "image", "item": null, "origin": "https://media.example", "kind": "image"}
    ]);
    assert_eq!(shown["media"], expected);
    let stranger = with_body(&body, None);
    let shown = json(&stranger, "/api/deliveries/r1");
    assert_eq!(shown["media"], serde_json::json!([]));
    let answer = with_token(&stranger, "/media/r1/0/image");
    assert_eq!(answer.status(), 404);
}

#[test]
fn an_image_has_a_document_that_loads_it_and_nothing_else() {
    let body = r#"{"task":{"data":{"image":"https://media.example:8443/a.png?sign=s&x='"}}}"#;
    let page = vouched(body);
    let answer = with_token(&page, "/media/r1/0/image");
    assert_eq!(answer.status(), 200);
    let headers = answer.headers();
    assert_eq!(headers[CONTENT_TYPE], "image/svg+xml");
    assert_eq!(headers["x-frame-options"], "SAMEORIGIN");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert!(!headers.contains_key("cross-origin-opener-policy"));
    let policies = headers.get_all(CONTENT_SECURITY_POLICY).iter();
    let policies: Vec<_> = policies.collect();
    let expected = "default-src 'none'; img-src https://media.example:8443; sandbox; frame-ancestors 'self'; base-uri 'none'; form-action 'none'";
    assert_eq!(policies, [expected]);
    let document = std::str::from_utf8(answer.body()).unwrap();
    let expected = "href=\"https://media.example:8443/a.png?sign=s&#38;x=&#39;\"/></svg>";
    assert!(document.contains(expected), "{document}");

    // Signs that mean something in markup are numbers there, whether an address may have them or not.
    let answer = with_token(&vouched(BODY), "/media/r1/0/image");
    let document = std::str::from_utf8(answer.body()).unwrap();
    assert!(!document.contains("<script"), "{document}");
    for (uri, status) in [
        ("/media/r1/1/image", 404),
        ("/media/r1/x/image", 404),
        ("/media/r1", 404),
        ("/media/r1/0", 404),
        ("/media/r1/0/script", 404),
        ("/media/r1/0/image/image", 404),
        ("/media/../r1/0/image", 404),
        ("/media/r9/0/image", 404),
    ] {
        assert_eq!(with_token(&page, uri).status().as_u16(), status, "{uri}");
    }
}

#[test]
fn sound_and_video_have_a_document_that_plays_them_and_nothing_else() {
    let body = r#"{"task":{"data":{"audio":"https://media.example/a.wav?sign=s&x='","text":"https://media.example/a.csv","video":"https://media.example/stream"}}}"#;
    let page = vouched(body);
    let shown = json(&page, "/api/deliveries/r1");
    for (at, kind) in ["audio".into(), "other".into(), serde_json::Value::Null]
        .iter()
        .enumerate()
    {
        assert_eq!(&shown["media"][at]["kind"], kind, "{at}");
    }
    for (uri, element) in [
        (
            "/media/r1/0/audio?t=1.5,2",
            "<audio controls preload=\"metadata\" src=\"https://media.example/a.wav?sign=s&#38;x=&#39;#t=1.5,2\"></audio>",
        ),
        (
            "/media/r1/2/video?t=%22%3E%3Cscript%3E,1",
            "<video controls preload=\"metadata\" width=\"100%\" src=\"https://media.example/stream\"></video>",
        ),
    ] {
        let answer = with_token(&page, uri);
        assert_eq!(answer.status(), 200, "{uri}");
        let headers = answer.headers();
        assert_eq!(headers[CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(headers["x-frame-options"], "SAMEORIGIN");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        let policies: Vec<_> = headers.get_all(CONTENT_SECURITY_POLICY).iter().collect();
        let expected = "default-src 'none'; media-src https://media.example; sandbox; frame-ancestors 'self'; base-uri 'none'; form-action 'none'";
        assert_eq!(policies, [expected], "{uri}");
        let document = std::str::from_utf8(answer.body()).unwrap();
        assert!(document.contains(element), "{document}");
        assert!(
            !document.contains("autoplay") && !document.contains("<script"),
            "{document}"
        );
    }
}

#[test]
fn no_other_page_frames_an_image() {
    let page = vouched(r#"{"task":{"data":{"image":"https://media.example/a.png"}}}"#);
    let cookie = format!("labelrelay_9090={TOKEN}");
    for (site, status) in [
        ("same-origin", 200),
        ("same-site", 403),
        ("cross-site", 403),
    ] {
        let headers = [
            ("host", HOST),
            ("cookie", &*cookie),
            ("sec-fetch-site", site),
        ];
        let answer = asked(&page, "/media/r1/0/image", &headers);
        assert_eq!(answer.status().as_u16(), status, "{site}");
    }
}

/// The messages of the fixtures name images on both platforms.
#[test]
fn images_of_the_fixtures_are_found() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/changes");
    for (name, origin) in [
        ("ls_annotation_created", "https://example.com"),
        (
            "lb_v1_created",
            "https://labelbox.s3-us-west-2.amazonaws.com",
        ),
        ("lb_v2_created", "https://storage.googleapis.com"),
    ] {
        let message = std::fs::read(folder.join(format!("{name}.json"))).unwrap();
        let page = page(Data {
            delivery: Some(Delivery {
                summary: summary(1),
                message: Some(message),
                ..Delivery::default()
            }),
            ..Data::default()
        });
        let shown = json(&page, "/api/deliveries/r1");
        assert_eq!(shown["media"][0]["origin"], origin, "{name}");
    }
}
