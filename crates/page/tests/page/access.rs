//! Who gets an answer, and what every answer has.

use crate::test_bench::{Data, HOST, TOKEN, asked, page, status};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE};
use http::{Request, StatusCode};

#[test]
fn the_printed_url_opens_the_page_and_leaves_a_cookie() {
    let page = page(Data::default());
    let url = page.url(HOST.parse().unwrap());
    assert_eq!(url, format!("http://{HOST}/?token={TOKEN}"));
    let everywhere = page.url("[::]:9090".parse().unwrap());
    assert_eq!(everywhere, format!("http://[::1]:9090/?token={TOKEN}"));
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
        "/api/deliveries/r1/event",
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
