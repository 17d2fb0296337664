//! The program, through the host, into Azurite.

use crate::setup::{
    QUEUE, SECRET, assert_clean, azurite, deliver, queued, start, under_the_prefix, variables,
};
use labelrelay_tests::azure::handler::Handler;
use labelrelay_tests::azure::host::{FUNCTION_KEY, Host, MAX_BODY_BYTES};
use labelrelay_tests::client::once;
use labelrelay_tests::relay::eventually;
use labelrelay_tests::{fixture, sender};
use std::collections::HashMap;

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn every_recorded_request_and_sample_arrives_byte_for_byte() {
    let azurite = azurite();
    let mut handler = start(&variables(&azurite));
    let host = Host::start(handler.address, false);
    let mut sent = HashMap::new();
    for recorded in fixture::label_studio()
        .into_iter()
        .filter(fixture::Recorded::is_event)
    {
        let answer = deliver(&host, &recorded.request(&format!("Bearer {SECRET}")));
        assert_eq!(answer.status, 200, "{}: {}", recorded.name, answer.text());
        sent.insert(answer.member("id").unwrap(), recorded.body);
    }
    for sample in fixture::labelbox()
        .into_iter()
        .filter(|sample| !sample.body.is_empty())
    {
        let signature = sender::signature(SECRET, &sample.body);
        let answer = deliver(&host, &sample.request(&signature));
        assert_eq!(answer.status, 200, "{}: {}", sample.name, answer.text());
        sent.insert(answer.member("id").unwrap(), sample.body);
    }
    let forged = sender::labelbox("another secret", "LABEL_CREATED", "d", b"{\"id\":1}");
    assert_eq!(deliver(&host, &forged).status, 401);
    // Larger than a message may be, and than a block.
    let large = format!(r#"{{"id":"large","label":"{}"}}"#, "x".repeat(9 << 20)).into_bytes();
    let answer = deliver(
        &host,
        &sender::labelbox(SECRET, "LABEL_CREATED", "d", &large),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    sent.insert(answer.member("id").unwrap(), large);
    let got = queued(&azurite);
    assert_eq!(got.len(), sent.len());
    for (id, body) in &sent {
        assert!(got.get(id) == Some(body), "{id}");
    }
    assert!(handler.stop().success());
    let log = handler.log();
    assert!(
        log.contains("99999999-8888-7777-6666-555555555555"),
        "the invocation's id"
    );
    assert_clean(
        &log,
        &[
            "xxxxxxxx",
            "annotation_result",
            "token\\\":",
            "ckf4fyd7i0itb0bo5gjgjavwf",
        ],
    );
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn the_limit_of_a_message_to_the_byte() {
    let azurite = azurite();
    let without: Vec<_> = variables(&azurite)
        .into_iter()
        .filter(|(name, _)| *name != "LABELRELAY_BLOB_STORE")
        .collect();
    let handler = start(&without);
    let host = Host::start(handler.address, false);
    let delivery = |bytes: usize| {
        let body = format!(r#"{{"id":"l","label":"{}"}}"#, "x".repeat(bytes)).into_bytes();
        sender::labelbox(SECRET, "LABEL_CREATED", "d", &body)
    };
    // The envelope adds the same number of bytes to each delivery, so measuring one gives the largest body that fits.
    let answer = deliver(&host, &delivery(10_000));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let around = azurite.drain(QUEUE)[0].body.len() - 10_000;
    let most = 49_152 - around;
    let answer = deliver(&host, &delivery(most));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = deliver(&host, &delivery(most + 1));
    assert_eq!(answer.status, 413, "{}", answer.text());
    let got = azurite.drain(QUEUE);
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].body.len(), 49_152);
    // A thread of its own writes the log.
    eventually("the log names the limit", || {
        handler.log().contains("49152 bytes").then_some(())
    });
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn a_function_key_is_the_hosts_to_check() {
    let azurite = azurite();
    let handler = start(&variables(&azurite));
    let host = Host::start(handler.address, true);
    let request = sender::labelbox(SECRET, "LABEL_CREATED", "d", &sender::label("key"));
    assert_eq!(deliver(&host, &request).status, 401);
    let text = String::from_utf8(under_the_prefix(&request)).unwrap();
    let with_key = text.replacen(
        "/api/labelbox",
        &format!("/api/labelbox?code={FUNCTION_KEY}"),
        1,
    );
    let answer = once(host.address, with_key.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(queued(&azurite).len(), 1);
    assert_clean(&handler.log(), &[FUNCTION_KEY]);
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn the_address_that_counts_is_the_one_that_the_front_end_wrote() {
    let azurite = azurite();
    let mut variables = variables(&azurite);
    let config = |allowed: &str| {
        format!(
            "[[source]]\nname = \"labelbox\"\nprovider = \"labelbox\"\nsecret = \"env:LABELBOX_WEBHOOK_SECRET\"\nallow = [\"{allowed}\"]\n"
        )
    };
    variables.push(("LABELRELAY_CONFIG_TOML", config("203.0.113.7")));
    let forged = |address: &str| {
        let body = sender::label("address");
        sender::Head {
            path: "/labelbox",
            event: "LABEL_CREATED",
            delivery: "d",
            signature: &sender::signature(SECRET, &body),
            more: &format!("X-Forwarded-For: {address}\r\n"),
        }
        .followed_by(&body)
    };
    let handler = start(&variables);
    let host = Host::start(handler.address, false);
    assert_eq!(deliver(&host, &forged("203.0.113.7")).status, 403);
    drop(handler);
    variables.pop();
    variables.push(("LABELRELAY_CONFIG_TOML", config("127.0.0.1")));
    let handler = start(&variables);
    let host = Host::start(handler.address, false);
    assert_eq!(deliver(&host, &forged("203.0.113.7")).status, 200);
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn a_body_too_large_for_the_host_leaves_nothing() {
    let azurite = azurite();
    let handler = start(&variables(&azurite));
    let host = Host::start(handler.address, false);
    let head = format!(
        "POST /api/labelbox HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        MAX_BODY_BYTES + 1
    );
    assert_eq!(once(host.address, head.as_bytes()).status, 413);
    assert!(azurite.drain(QUEUE).is_empty());
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn the_timer_moves_what_waited_in_the_fallback() {
    let azurite = azurite();
    let mut variables = variables(&azurite);
    variables.push(("LABELRELAY_FALLBACK", azurite.blob_url("fallback/events")));
    // The queue is missing: with a fallback the program starts all the same.
    variables.push(("LABELRELAY_QUEUE", azurite.queue_url("later")));
    let handler = start(&variables);
    let host = Host::start(handler.address, false);
    let small = sender::label("waits");
    let large = format!(r#"{{"id":"large","label":"{}"}}"#, "x".repeat(200_000)).into_bytes();
    for body in [&small, &large] {
        let answer = deliver(&host, &sender::labelbox(SECRET, "LABEL_CREATED", "d", body));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(
        host.timer("redrive").status,
        500,
        "the queue is still missing"
    );
    azurite.make_queue("later");
    let answer = host.timer("redrive");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(azurite.drain("later").len(), 2);
    let answer = host.timer("redrive");
    assert!(answer.text().contains("moved 0"), "{}", answer.text());
    assert_clean(&handler.log(), &["xxxxxxxx"]);
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn a_wrong_configuration_ends_the_start_with_one_line_that_names_it() {
    let azurite = azurite();
    let good = variables(&azurite);
    let cases = [
        (
            "LABELRELAY_QUEUE",
            azurite.queue_url("missing"),
            "`missing`",
        ),
        (
            "LABELRELAY_QUEUE",
            format!("{}x", azurite.queue_url(QUEUE)),
            "Storage Queue Data Message Sender",
        ),
        (
            "LABELRELAY_QUEUE",
            "sqs://eu-central-1/1/q".to_owned(),
            "LABELRELAY_QUEUE",
        ),
        (
            "LABELRELAY_BLOB_STORE",
            azurite.blob_url("missing"),
            "`missing`",
        ),
        ("LABELRELAY_LOG", "loud".to_owned(), "LABELRELAY_LOG"),
        (
            "LABELBOX_WEBHOOK_SECRET",
            String::new(),
            "LABELBOX_WEBHOOK_SECRET",
        ),
        (
            "AZURE_STORAGE_CONNECTION_STRING",
            "nonsense".to_owned(),
            "AZURE_STORAGE_CONNECTION_STRING",
        ),
    ];
    for (name, value, part) in cases {
        let mut variables: Vec<_> = good
            .iter()
            .filter(|(known, _)| *known != name)
            // An empty secret counts as absent. Drop Label Studio's too, else the start succeeds with it.
            .filter(|(known, _)| {
                name != "LABELBOX_WEBHOOK_SECRET" || *known != "LABEL_STUDIO_WEBHOOK_SECRET"
            })
            .cloned()
            .collect();
        variables.push((name, value));
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let (status, log) = Handler::fail(crate::setup::program(), &variables);
        assert_eq!(status.code(), Some(78), "{name}: {log}");
        assert!(
            log.contains("bad_configuration") && log.contains(part),
            "{name}: {log}"
        );
        assert_clean(&log, &[]);
    }
    assert!(azurite.drain(QUEUE).is_empty());
}
