//! Who gets an answer, and what every answer has.

use crate::test_bench::{Data, HOST, TOKEN, asked, by, page, status};
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE};
use labelrelay_page::{Action, Page, PageData, PageToken};
use std::sync::Arc;

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
        "/media/r1/0/image",
        "/media/r1/0/audio?t=1,2",
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

/// RFC 9110, section 11.1.
#[test]
fn the_case_of_the_scheme_means_nothing() {
    let page = page(Data::default());
    for (said, expected) in [
        (format!("Bearer {TOKEN}"), 200),
        (format!("bearer {TOKEN}"), 200),
        (format!("BEARER {TOKEN}"), 200),
        (format!("basic {TOKEN}"), 401),
        (format!("bearer{TOKEN}"), 401),
        (TOKEN.to_owned(), 401),
    ] {
        let headers = [("authorization", said.as_str()), ("host", HOST)];
        assert_eq!(status(&page, "/api/strip", &headers), expected, "{said}");
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
            "frame-src 'self'",
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
fn whatever_changes_nothing_is_get() {
    let page = page(Data::default());
    for (uri, methods, right) in [
        ("/", ["POST", "HEAD", "DELETE", "OPTIONS"], "GET"),
        (
            "/api/deliveries/r1",
            ["POST", "PUT", "DELETE", "OPTIONS"],
            "GET",
        ),
        (
            "/api/deliveries/r1/retry",
            ["GET", "PUT", "DELETE", "OPTIONS"],
            "POST",
        ),
        (
            "/api/deliveries/r1/replay",
            ["GET", "HEAD", "PATCH", "OPTIONS"],
            "POST",
        ),
    ] {
        for method in methods {
            let response = by(&page, method, uri, &[("host", HOST)]);
            assert_eq!(
                response.status(),
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {uri}"
            );
            assert_eq!(response.headers()["allow"], right);
        }
    }
}

#[test]
fn nobody_else_has_something_done() {
    let data = Arc::new(Data::default());
    let page = Page::new(
        PageToken::new(TOKEN).unwrap(),
        Arc::clone(&data) as Arc<dyn PageData>,
    );
    let bearer = format!("Bearer {TOKEN}");
    let bearer = ("authorization", &*bearer);
    let cookie = format!("labelrelay_9090={TOKEN}");
    let cookie = ("cookie", &*cookie);
    let own = ("origin", "http://127.0.0.1:9090");
    let uri = "/api/deliveries/r1/replay";
    for (headers, status) in [
        // Nobody, somebody of yesterday, and somebody whose page was opened here.
        (&[own][..], 401),
        (
            &[own, ("authorization", "Bearer 0123456789abcdefghijk_")],
            401,
        ),
        (&[cookie], 403),
        (&[cookie, ("origin", "http://127.0.0.1:9091")], 403),
        (&[cookie, ("origin", "null")], 403),
        (&[cookie, own, ("sec-fetch-site", "same-site")], 403),
        (&[bearer, ("origin", "http://evil.example")], 403),
    ] {
        let all = [&[("host", HOST)][..], headers].concat();
        let response = by(&page, "POST", uri, &all);
        assert_eq!(response.status().as_u16(), status, "{headers:?}");
    }
    // A token in the address is in a history, too.
    let with_token = format!("{uri}?token={TOKEN}");
    for (uri, host, status) in [(&*with_token, HOST, 401), (uri, "evil.example", 403)] {
        let response = by(&page, "POST", uri, &[("host", host), own]);
        assert_eq!(response.status().as_u16(), status, "{uri} {host}");
    }
    assert!(data.acted.lock().unwrap().is_empty());
    for headers in [
        &[bearer][..],
        &[cookie, own],
        &[cookie, own, ("sec-fetch-site", "same-origin")],
    ] {
        let all = [&[("host", HOST)][..], headers].concat();
        let response = by(&page, "POST", uri, &all);
        assert_eq!(response.status(), StatusCode::OK, "{headers:?}");
    }
    let acted = vec![("r1".to_owned(), Action::Replay); 3];
    assert_eq!(*data.acted.lock().unwrap(), acted);
}
