use super::*;
use crate::data::{
    BodyPart, DataError, Delivery, ListQuery, Listing, Part, PartState, Show, SourceView, Summary,
};
use http::Request;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE};
use serde_json::Value;
use std::sync::Mutex;

const TOKEN: &str = "0123456789abcdefghijkl";
const HOST: &str = "127.0.0.1:9090";

/// A record of as many deliveries as it is told, which remembers what it was asked.
#[derive(Default)]
struct Data {
    deliveries: i64,
    delivery: Option<Delivery>,
    is_damaged: bool,
    asked: Mutex<Vec<(ListQuery, usize)>>,
}

fn summary(number: i64) -> Summary {
    Summary {
        number,
        status: 200,
        outcome: "accepted".to_owned(),
        event_type: Some("<script>alert(1)</script>".to_owned()),
        ..Summary::default()
    }
}

impl PageData for Data {
    fn list(&self, query: &ListQuery, limit: usize) -> Result<Listing, DataError> {
        if self.is_damaged {
            return Err(DataError("the record is damaged".to_owned()));
        }
        self.asked.lock().unwrap().push((query.clone(), limit));
        let numbers = (1..=self.deliveries).rev();
        let after = query.after.unwrap_or(0);
        Ok(Listing {
            deliveries: numbers
                .filter(|number| *number > after)
                .take(limit)
                .map(summary)
                .collect(),
            newest: Some(self.deliveries + 5),
            lost: 2,
        })
    }

    fn delivery(&self, name: &str) -> Result<Option<Delivery>, DataError> {
        let delivery = self.delivery.clone();
        Ok(delivery.filter(|delivery| delivery.summary.name() == name))
    }

    fn strip(&self) -> Vec<PartState> {
        vec![PartState {
            part: Part::Queue,
            is_ok: false,
            words: "it is full".to_owned(),
        }]
    }

    fn sources(&self) -> Vec<SourceView> {
        Vec::new()
    }
}

fn page(data: Data) -> Page {
    Page::new(PageToken::new(TOKEN).unwrap(), Arc::new(data))
}

fn asked(page: &Page, uri: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
    let mut request = Request::get(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, ()) = request.body(()).unwrap().into_parts();
    page.answer(&head)
}

fn status(page: &Page, uri: &str, headers: &[(&str, &str)]) -> u16 {
    asked(page, uri, headers).status().as_u16()
}

fn with_token(page: &Page, uri: &str) -> Response<Bytes> {
    let bearer = format!("Bearer {TOKEN}");
    asked(page, uri, &[("host", HOST), ("authorization", &bearer)])
}

fn json(page: &Page, uri: &str) -> Value {
    let response = with_token(page, uri);
    assert_eq!(response.status(), StatusCode::OK, "{:?}", response.body());
    serde_json::from_slice(response.body()).unwrap()
}

#[test]
fn the_printed_url_opens_the_page_and_leaves_a_cookie() {
    let page = page(Data::default());
    let url = page.url(HOST.parse().unwrap());
    assert_eq!(url, format!("http://{HOST}/?token={TOKEN}"));
    let response = asked(
        &page,
        &format!("/?token={TOKEN}&show=refused"),
        &[("host", HOST)],
    );
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    let expected = format!("labelrelay_9090={TOKEN}; Path=/; HttpOnly; SameSite=Strict");
    assert_eq!(cookie, expected);
    let kept = format!("other=1; labelrelay_9090=of.another; labelrelay_9090={TOKEN}");
    assert_eq!(
        status(&page, "/", &[("host", HOST), ("cookie", &kept)]),
        200
    );
    let uri = "/api/strip";
    assert_eq!(
        status(&page, uri, &[("host", HOST), ("cookie", &kept)]),
        200
    );
}

#[test]
fn everything_but_the_assets_asks_for_todays_token() {
    let page = page(Data::default());
    let old = "labelrelay_9090=0123456789abcdefghijk_";
    for uri in [
        "/",
        "/?token=0123456789abcdefghijk_",
        "/api/strip",
        "/api/sources",
        "/api/deliveries",
        "/api/deliveries/r1",
        "/api/deliveries/r1/body",
        "/api/nothing",
        "/nothing",
        // Only the page itself takes it from the address.
        &format!("/api/strip?token={TOKEN}"),
    ] {
        for headers in [
            &[("host", HOST)][..],
            &[("host", HOST), ("cookie", old)],
            &[
                ("host", HOST),
                ("authorization", "Bearer 0123456789abcdefghijk_"),
            ],
            // That of another port's relay.
            &[
                ("host", "127.0.0.1:9091"),
                ("cookie", "labelrelay_9090=0123456789abcdefghijkl"),
            ],
        ] {
            let response = asked(&page, uri, headers);
            assert_eq!(
                response.status(),
                StatusCode::UNAUTHORIZED,
                "{uri} {headers:?}"
            );
            let words = std::str::from_utf8(response.body()).unwrap();
            assert!(words.contains("?token="), "{words}");
            assert!(!words.contains(TOKEN), "{words}");
            assert!(!response.headers().contains_key(SET_COOKIE));
        }
    }
    for name in ["page.js", "page.css", "icon.svg"] {
        assert_eq!(
            status(&page, &format!("/assets/{name}"), &[("host", HOST)]),
            200
        );
    }
    for name in ["index.html", "../src/page.rs", "%2e%2e/page.js", ""] {
        assert_eq!(
            status(&page, &format!("/assets/{name}"), &[("host", HOST)]),
            404
        );
    }
}

#[test]
fn no_other_page_gets_an_answer() {
    let page = page(Data::default());
    let bearer = format!("Bearer {TOKEN}");
    let token = ("authorization", &*bearer);
    for headers in [
        &[token][..],
        &[token, ("host", "evil.example")],
        &[token, ("host", "evil.example:9090")],
        &[token, ("host", "127.0.0.1.evil.example")],
        &[token, ("host", "evil@127.0.0.1")],
        &[token, ("host", "192.0.2.1:9090")],
        &[token, ("host", HOST), ("host", "evil.example")],
        &[token, ("host", HOST), ("origin", "http://evil.example")],
        &[token, ("host", HOST), ("origin", "http://127.0.0.1:9091")],
        &[token, ("host", HOST), ("origin", "https://127.0.0.1:9090")],
        &[token, ("host", HOST), ("origin", "null")],
        &[token, ("host", HOST), ("sec-fetch-site", "cross-site")],
        // A page of another port.
        &[token, ("host", HOST), ("sec-fetch-site", "same-site")],
    ] {
        assert_eq!(status(&page, "/api/strip", headers), 403, "{headers:?}");
    }
    for headers in [
        &[token, ("host", "localhost:9090")][..],
        &[token, ("host", "[::1]:9090")],
        &[token, ("host", HOST), ("origin", "http://127.0.0.1:9090")],
        &[token, ("host", HOST), ("sec-fetch-site", "same-origin")],
        &[token, ("host", HOST), ("sec-fetch-site", "none")],
    ] {
        assert_eq!(status(&page, "/api/strip", headers), 200, "{headers:?}");
    }
    // Somebody followed a link to the page.
    let followed = [("host", HOST), ("sec-fetch-site", "cross-site")];
    assert_eq!(status(&page, &format!("/?token={TOKEN}"), &followed), 200);
}

#[test]
fn every_answer_has_the_strict_headers() {
    let page = page(Data::default());
    for (uri, host) in [
        ("/", HOST),
        ("/", "evil.example"),
        (&*format!("/?token={TOKEN}"), HOST),
        ("/assets/page.js", HOST),
        ("/assets/none", HOST),
        ("/api/strip", HOST),
    ] {
        let response = asked(&page, uri, &[("host", host)]);
        let headers = response.headers();
        let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.split("; ").any(|one| one == part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["cache-control"], "no-store");
    }
}

#[test]
fn only_get_is_answered() {
    let page = page(Data::default());
    for method in ["POST", "HEAD", "DELETE", "OPTIONS"] {
        let request = Request::builder()
            .method(method)
            .uri("/")
            .header("host", HOST);
        let (head, ()) = request.body(()).unwrap().into_parts();
        let response = page.answer(&head);
        assert_eq!(
            response.status(),
            StatusCode::METHOD_NOT_ALLOWED,
            "{method}"
        );
        assert_eq!(response.headers()["allow"], "GET");
    }
}

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
