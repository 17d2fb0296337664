//! Refusals by the HTTP parser, and by HTTP's rules, are reported like every other refusal.

use crate::support::{Running, body, head, request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The answer to raw bytes and what was reported: outcome and reason.
async fn refused(raw: &[u8]) -> (String, String, String) {
    let running = Running::start("").await;
    let mut stream = running.connect().await;
    stream.write_all(raw).await.unwrap();
    let mut said = Vec::new();
    // The connection ends with a reset if bytes were left unread.
    let _ = stream.read_to_end(&mut said).await;
    running
        .until("it is reported", |running| {
            !running.seen.reports().is_empty()
        })
        .await;
    let reports = running.seen.reports();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(reports[0].client.is_some());
    assert_eq!(running.queued(), 0);
    (
        String::from_utf8_lossy(&said).into_owned(),
        reports[0].outcome.as_str().to_owned(),
        reports[0].reason.clone().unwrap_or_default(),
    )
}

#[tokio::test]
async fn requests_refused_by_the_parser_are_counted_and_reported() {
    let hops = "X-Hop: v\r\n".repeat(100);
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(300_000));
    let large = request(&body(1), &format!("X-Large: {}\r\n", "a".repeat(300_000)));
    let folded = request(&body(1), "X-Folded: a\r\n b\r\n");
    let two = request(&body(1), "Content-Length: 7\r\n");
    let cases: [(&[u8], &str, &str); 15] = [
        (&request(&body(1), &hops), "431", "too large"),
        (&large, "431", "too large"),
        (long.as_bytes(), "4", "too large"),
        (&folded, "400", "not a request"),
        (&two, "400", "not a request"),
        (
            b"POST /labelbox HTTP/1.1\r\nHost: r\r\nContent-Length: -1\r\n\r\n",
            "400",
            "not a request",
        ),
        (
            b"POST /labelbox HTTP/1.1\r\nHost: r\r\nTransfer-Encoding: gzip\r\n\r\n",
            "400",
            "",
        ),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "", "TLS"),
        (
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nPOST /labelbox HTTP/1.1\r\n\r\n",
            "",
            "PROXY protocol",
        ),
        (
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\0\x01\0\x02",
            "",
            "PROXY protocol",
        ),
        // Prior knowledge; and what curl asks for where it has none, with the frames that it sends at once.
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", "HTTP/2"),
        (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\0\xa0\0\0\0\x02\0\0\0\0",
            "",
            "HTTP/2",
        ),
        // More than 64 bits hold.
        (
            b"POST /labelbox HTTP/1.1\r\nHost: r\r\nContent-Length: 18446744073709551616\r\n\r\n",
            "400",
            "not a request",
        ),
        (
            b"POST /labelbox HTTP/1.1\r\nHost: r\r\nContent-Length: 99999999999999999999999999999999999\r\n\r\n",
            "400",
            "not a request",
        ),
        (b"hello\r\n\r\n", "400", "not a request"),
    ];
    for (raw, status, reason) in cases {
        let shown = String::from_utf8_lossy(&raw[..raw.len().min(60)]).into_owned();
        let (said, outcome, why) = refused(raw).await;
        assert!(
            said.is_empty() || said.starts_with(&format!("HTTP/1.1 {status}")),
            "{shown}: {said}"
        );
        assert_eq!(outcome, "malformed", "{shown}");
        assert!(why.contains(reason), "{shown}: {why}");
    }
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_413_whatever_the_number() {
    const LIMIT: u64 = 100 * 1024 * 1024;
    let announced = [
        LIMIT + 1,
        i64::MAX.unsigned_abs(),
        i64::MAX.unsigned_abs() + 1,
        u64::MAX - 3,
        // hyper keeps the two numbers after it for bodies of unknown length, and says 431.
        u64::MAX - 2,
    ];
    for length in announced.map(|length| length.to_string()) {
        for length in [length.clone(), format!("000{length}")] {
            let raw = head(&body(1), &format!("Content-Length: {length}\r\n"));
            let (said, outcome, why) = refused(&raw).await;
            assert!(said.starts_with("HTTP/1.1 413 "), "{length}: {said}");
            assert_eq!(outcome, "too_large", "{length}");
            assert!(why.contains("max_body_bytes"), "{length}: {why}");
        }
    }
}

#[tokio::test]
async fn a_peer_that_speaks_http_2_is_told_of_as_one_kind() {
    let whole = request(&body(1), "Upgrade: h2c\r\nConnection: close\r\n");
    let running = Running::start("").await;
    let said = running.talk(&whole).await;
    assert!(
        said.starts_with("HTTP/1.1 200 "),
        "an offer to upgrade is not taken: {said}"
    );
    let (_, _, first) = refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    let (_, _, other) = refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\x01\0\0\0\0").await;
    assert_eq!(first, other);
}

#[tokio::test]
async fn requests_that_two_programs_read_differently_are_400() {
    let whole = String::from_utf8(request(&body(1), "")).unwrap();
    let chunked = |coding: &str| {
        let line = whole
            .lines()
            .find(|line| line.starts_with("Content-Length"))
            .unwrap();
        let body = String::from_utf8(body(1)).unwrap();
        whole
            .replace(line, coding)
            .replace(&body, &format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()))
    };
    for raw in [
        whole.replace("Host: relay\r\n", ""),
        whole.replace("Host: relay\r\n", "Host: relay\r\nHost: relay\r\n"),
        whole.replace("Host: relay\r\n", "Host: relay\r\nHost: other\r\n"),
        whole.replace("Host: relay\r\n", "Host: a b\r\n"),
        chunked("Transfer-Encoding: gzip, chunked"),
        chunked("Transfer-Encoding: chunked, chunked"),
        chunked("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"),
        chunked("Transfer-Encoding: identity, chunked"),
    ] {
        let (said, outcome, _) = refused(raw.as_bytes()).await;
        assert!(said.starts_with("HTTP/1.1 400 "), "{raw}: {said}");
        assert_eq!(outcome, "malformed", "{raw}");
    }
    let running = Running::start("").await;
    let plain = chunked("Transfer-Encoding: Chunked\r\nConnection: close");
    let said = running.talk(plain.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
}
