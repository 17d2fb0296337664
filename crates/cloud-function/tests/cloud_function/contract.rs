//! What Cloud Run demands of a service, and what Google's conformance suite for the Functions Framework demands of HTTP
//! functions. A service answers on the port that it is told. It hands the body on as it came. It serves requests at the
//! same time. It is not called for `/robots.txt` and `/favicon.ico`. The suite's parts about loading a function's source,
//! its declared signature and events have no meaning for a compiled service.

use crate::service::{SECRET, Service, assert_clean, named, queued, variables};
use labelrelay_tests::client::{Client, once};
use labelrelay_tests::relay::eventually;
use labelrelay_tests::sender;
use labelrelay_tests::servers::{PubSub, free_ports};

#[test]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
fn it_listens_on_the_port_of_the_environment() {
    let pubsub = PubSub::start();
    let queue = pubsub.topic("port");
    let [port] = free_ports();
    let mut variables: Vec<_> = variables(&pubsub, &queue);
    variables.retain(|(name, _)| name != "LABELRELAY_LISTEN");
    variables.extend(named(&[("PORT", &port.to_string())]));
    let service = Service::start(&variables);
    assert_eq!(service.address, ([0, 0, 0, 0], port).into());
    let body = br#"{"id":"PASS"}"#;
    let request = sender::labelbox(SECRET, "LABEL_CREATED", "d", body);
    let answer = once(([127, 0, 0, 1], port).into(), &request);
    assert_eq!(answer.status, 200);
    assert_eq!(
        queued(&pubsub, "port").into_values().collect::<Vec<_>>(),
        [body.to_vec()]
    );
}

#[test]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
fn crawlers_and_browsers_never_reach_the_relay() {
    let pubsub = PubSub::start();
    let service = Service::start(&variables(&pubsub, &pubsub.topic("crawlers")));
    for path in ["/robots.txt", "/favicon.ico"] {
        for method in ["GET", "POST", "HEAD"] {
            let request =
                format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
            let answer = once(service.address, request.as_bytes());
            assert_eq!(
                (answer.status, answer.body.len()),
                (404, 0),
                "{method} {path}"
            );
        }
    }
    assert!(service.lines("delivery_refused").is_empty());
    let ready = once(
        service.address,
        b"GET /-/ready HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    assert_eq!(ready.status, 200);
}

/// Whoever serves one request at a time would wait here for a body that comes only after the second answer.
#[test]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
fn requests_are_served_at_the_same_time() {
    let pubsub = PubSub::start();
    let service = Service::start(&variables(&pubsub, &pubsub.topic("together")));
    let request = sender::labelbox(SECRET, "LABEL_CREATED", "d", br#"{"id":"first"}"#);
    let mut first = Client::connect(service.address).unwrap();
    first.write(&request[..request.len() - 1]).unwrap();
    assert_eq!(service.labelbox(br#"{"id":"second"}"#).status, 200);
    first.write(b"}").unwrap();
    assert_eq!(first.read().unwrap().status, 200);
    assert_eq!(queued(&pubsub, "together").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
async fn http_2_without_tls() {
    let pubsub = PubSub::start();
    let service = Service::start(&variables(&pubsub, &pubsub.topic("h2c")));
    let client = reqwest_client();
    let bodies: Vec<Vec<u8>> = (0..50).map(|n| sender::label(&format!("{n:04}"))).collect();
    let requests = bodies.iter().map(|body| {
        let request = client
            .post(format!("http://{}/labelbox", service.address))
            .header("x-hub-signature", sender::signature(SECRET, body))
            .body(body.clone());
        async { request.send().await.unwrap() }
    });
    for answer in futures_util::future::join_all(requests).await {
        assert_eq!(
            (answer.status().as_u16(), answer.version()),
            (200, http::Version::HTTP_2)
        );
    }
    let mut got: Vec<_> = queued(&pubsub, "h2c").into_values().collect();
    got.sort();
    assert!(got == bodies);
}

fn reqwest_client() -> reqwest::Client {
    labelrelay_google::provide_tls();
    reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap()
}

#[test]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
fn a_stop_finishes_what_was_accepted() {
    let pubsub = PubSub::start();
    let mut variables = variables(&pubsub, &pubsub.topic("stop"));
    variables.extend(named(&[("LABELRELAY_DEADLINE_MS", "8000")]));
    let mut service = Service::start(&variables);
    let request = sender::labelbox(SECRET, "LABEL_CREATED", "d", br#"{"id":"last"}"#);
    let mut client = Client::connect(service.address).unwrap();
    // An answer to the one before shows that the connection is served.
    let before = sender::labelbox(SECRET, "LABEL_CREATED", "d", br#"{"id":"before"}"#);
    assert_eq!(client.exchange(&before).unwrap().status, 200);
    pubsub.freeze();
    client.write(&request).unwrap();
    // The delivery waits for its answer when the signal comes.
    eventually("the delivery is under way", || {
        (!service.lines("queue_attempt_failed").is_empty()).then_some(())
    });
    service.terminate();
    eventually("the signal was seen", || {
        (!service.lines("stopping").is_empty()).then_some(())
    });
    pubsub.thaw();
    assert_eq!(client.read().unwrap().status, 200);
    assert!(service.wait().success(), "{}", service.log());
    assert_eq!(service.lines("stopped").len(), 1);
    assert_eq!(queued(&pubsub, "stop").len(), 2);
}

#[test]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
fn lines_carry_the_trace_and_the_address_that_google_saw() {
    const ID: &str = "0af7651916cd43dd8448eb211c80319c";
    let pubsub = PubSub::start();
    let mut variables = variables(&pubsub, &pubsub.topic("trace"));
    variables.extend(named(&[("K_SERVICE", "relay")]));
    let service = Service::start(&variables);
    let body = br#"{"id":"traced"}"#;
    for (more, secret) in [
        (
            format!(
                "traceparent: 00-{ID}-b7ad6b7169203331-01\r\nX-Forwarded-For: 35.223.142.181, 203.0.113.9\r\n"
            ),
            SECRET,
        ),
        (
            format!("X-Cloud-Trace-Context: {ID}/1;o=1\r\nX-Forwarded-For: 203.0.113.9\r\n"),
            "another secret",
        ),
    ] {
        let signature = sender::signature(secret, body);
        let head = sender::Head {
            path: "/labelbox",
            event: "LABEL_CREATED",
            delivery: "d",
            signature: &signature,
            more: &more,
        };
        once(service.address, &head.followed_by(body));
    }
    let (accepted, refused) = eventually("both are logged", || {
        let both = (service.lines("delivery"), service.lines("delivery_refused"));
        (!both.0.is_empty() && !both.1.is_empty()).then_some(both)
    });
    for lines in [&accepted, &refused] {
        assert_eq!(lines.len(), 1, "{}", service.log());
        assert_eq!(
            lines[0]["logging.googleapis.com/trace"],
            format!("projects/labelrelay-test/traces/{ID}")
        );
    }
    assert_eq!(
        (&accepted[0]["severity"], &refused[0]["severity"]),
        (&"INFO".into(), &"WARNING".into())
    );
    assert_eq!(refused[0]["client"], "203.0.113.9");
    assert_clean(&service.log(), &["another secret"]);
}
