//! `consume --to`.

use super::receiver::{OK, Post, Receiver, Reply};
use super::{Consuming, assert_one_is_dead, figures, thousand_with_a_poisoned_one, with_labels};
use crate::support::{Place, Ran, deriving_nothing, until};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::collections::HashSet;
use std::net::TcpListener;

const KEY: [u8; 24] = *b"a key of the tests, thus";

/// A file with the key, as the consoles of receivers show one.
fn with_key(place: &Place) -> &'static str {
    place.write("hook.key", format!("whsec_{}\n", STANDARD.encode(KEY)));
    "file:hook.key"
}

/// Asserts what receivers go by, with a check of the test's own.
fn assert_signed(post: &Post) {
    let header = |name: &str| post.headers[name].as_str();
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let mut mac = Hmac::<Sha256>::new_from_slice(&KEY).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(&post.body);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(header("webhook-signature"), expected);
    assert_eq!(header("content-type"), "application/cloudevents+json");
    assert_eq!(post.path, "/hook?a=b");
    let envelope: serde_json::Value = serde_json::from_slice(&post.body).unwrap();
    assert_eq!(envelope["id"], id);
    assert_eq!(envelope["specversion"], "1.0");
}

#[test]
fn a_poisoned_event_takes_no_other_along() {
    let (place, _serving) = thousand_with_a_poisoned_one();
    let receiver = Receiver::start(|post| match post.subject().as_str() {
        "label/cklapoison" => Reply::Answer(422, "", "no use for this one"),
        _ => OK,
    });
    let secret = with_key(&place);
    let url = receiver.url();
    let words = ["consume", "--to", &url, "--secret", secret];
    let ran = place.run(&[&words[..], &["--until-idle", "0s"]].concat());
    assert_one_is_dead(&place, &ran, "answered 422");
    assert!(ran.stderr.contains("no use for this one"), "{}", ran.stderr);
    let posts = receiver.posts();
    assert_eq!(posts.len(), 1000);
    posts.iter().for_each(assert_signed);
    let ids: HashSet<_> = posts
        .iter()
        .map(|post| &post.headers["webhook-id"])
        .collect();
    assert_eq!(ids.len(), 1000);
    // The bytes as they were queued.
    let stored = place.run(&["events", "show", "501", "--envelope"]);
    let poison = posts
        .iter()
        .find(|post| post.subject() == "label/cklapoison");
    assert_eq!(
        String::from_utf8_lossy(&poison.unwrap().body),
        stored.good().trim_end()
    );
}

#[test]
fn a_receiver_that_fails_loses_nothing() {
    let (place, _serving) = with_labels(["error", "hang", "close", "moved", "refused", "fine"]);
    let receiver = Receiver::start(|post| match post.subject().as_str() {
        "label/cklaerror" => Reply::Answer(500, "", "out of order"),
        "label/cklahang" => Reply::Hang,
        "label/cklaclose" => Reply::Close,
        "label/cklamoved" => Reply::Answer(301, "Location: http://127.0.0.1:1/\r\n", ""),
        "label/cklarefused" => Reply::Answer(401, "", ""),
        _ => OK,
    });
    let url = receiver.url();
    let words = ["consume", "--to", &url, "--timeout", "3s"];
    let ran = place.run(&[&words[..], &["--until-idle", "0s"]].concat());
    ran.failed(
        0,
        &[
            "answered 500",
            "out of order",
            "no answer in time",
            "the exchange broke off",
            "redirects are not followed",
            "answered 401",
            "comes again",
        ],
    );
    // Five wait for their time or have it, as fast as the machine is; one is done with, none is a dead letter.
    let [ready, in_flight, done, dead] = figures(&place);
    assert_eq!((ready + in_flight, done, dead), (5, 1, 0));
    // Without --secret nothing is signed.
    assert!(
        receiver
            .posts()
            .iter()
            .all(|post| !post.headers.contains_key("webhook-signature"))
    );
}

/// However often the receiver says that it is not ready, the event is received once.
#[test]
fn a_receiver_that_is_not_ready_is_waited_for() {
    let (place, _serving) = with_labels(["a"]);
    let left = std::sync::Mutex::new(3);
    let receiver = Receiver::start(move |_| {
        let mut left = left.lock().unwrap();
        if *left == 0 {
            return OK;
        }
        *left -= 1;
        if *left == 1 {
            Reply::Answer(503, "Retry-After: 1\r\n", "")
        } else {
            Reply::Answer(429, "Retry-After: 0\r\n", "")
        }
    });
    let url = receiver.url();
    let words = ["consume", "--to", &url, "--max-receives", "1"];
    let ran = place.run(&[&words[..], &["--until-idle", "0s"]].concat());
    ran.failed(
        0,
        &["the receiver is not ready", "answered 429", "answered 503"],
    );
    // A wait of no time would be a loop that never rests.
    ran.failed(0, &["again_in_ms=1000", "again_in_ms=2000"]);
    assert_eq!(receiver.posts().len(), 4);
    assert_eq!(figures(&place), [0, 0, 1, 0]);
    // A path or a query may be a key.
    assert!(!ran.stderr.contains("a=b"), "{}", ran.stderr);
}

/// As during a deployment behind a proxy. Red if one of these counts against the event.
#[test]
fn an_outage_is_no_events_fault() {
    let names = ["408", "425", "502", "504"];
    let (place, _serving) = with_labels(names);
    let seen = std::sync::Mutex::new(HashSet::new());
    let receiver = Receiver::start(move |post| {
        let subject = post.subject();
        if !seen.lock().unwrap().insert(subject.clone()) {
            return OK;
        }
        let status = subject.trim_start_matches("label/ckla");
        Reply::Answer(status.parse().unwrap(), "", "")
    });
    let url = receiver.url();
    let words = ["consume", "--to", &url, "--max-receives", "1"];
    let ran = place.run(&[&words[..], &["--until-idle", "0s"]].concat());
    ran.good();
    assert_eq!(figures(&place), [0, 0, 4, 0], "{}", ran.stderr);
    assert_eq!(receiver.posts().len(), 8);
}

/// A status is what counts: neither a body that does not end nor one that is long hides it.
#[test]
fn the_beginning_of_an_answer_is_enough() {
    let (place, _serving) = with_labels(["begun", "long"]);
    let long: &str = Box::leak(format!("the reason {}", "x".repeat(100_000)).into_boxed_str());
    let receiver = Receiver::start(move |post| match post.subject().as_str() {
        "label/cklabegun" => Reply::Begin,
        _ => Reply::Answer(422, "", long),
    });
    let url = receiver.url();
    let words = ["consume", "--to", &url, "--timeout", "3s"];
    let ran = place.run(&[&words[..], &["--until-idle", "0s"]].concat());
    ran.failed(0, &["the reason xxx"]);
    assert_eq!(figures(&place), [0, 0, 1, 1]);
    assert_eq!(receiver.posts().len(), 2);
}

/// Red if a job waits for ever for somebody to put it right.
#[test]
fn a_receiver_that_nobody_trusts_ends_the_program() {
    let (place, _serving) = with_labels(["a"]);
    let [own, stranger] =
        [(); 2].map(|()| rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap());
    let (port, _served) = crate::send_tls::server(&stranger);
    let trusted = place.write("authorities.pem", own.cert.pem());
    let url = format!("https://localhost:{port}/hook?key=KEY");
    let mut command = place.command(&["consume", "--to", &url, "--visibility", "1h"]);
    let ran = Ran::from(command.env("SSL_CERT_FILE", trusted).output().unwrap());
    ran.failed(1, &["certificate"]);
    assert!(!ran.stderr.contains("KEY"), "{ran:?}");
    assert_eq!(figures(&place), [1, 0, 0, 0]);
}

/// Red if an event waits for ever for a name that nobody knows.
#[test]
fn a_receiver_whose_name_is_not_known_ends_the_program() {
    let (place, _serving) = with_labels(["a"]);
    // Longer than a name may be, so that no name server is asked.
    let host = "x".repeat(64);
    let url = format!("http://{host}/hook?key=KEY");
    let ran = place.run(&["consume", "--to", &url, "--visibility", "1h"]);
    ran.failed(1, &["no address", &host, "--to", "no event was taken"]);
    assert!(!ran.stderr.contains("KEY"), "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    assert_eq!(figures(&place), [1, 0, 0, 0]);
}

#[test]
fn a_receiver_that_is_not_there_is_waited_for() {
    let (place, _serving) = with_labels(["a"]);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    // Bound, so that nobody else gets the address meanwhile, and refusing connections until it listens.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let url = format!("http://{address}/hook?a=b");
    let words = ["--to", &url, "--secret", with_key(&place)];
    let mut consuming = Consuming::start(&place, &[&words[..], &["--max-receives", "1"]].concat());
    consuming.says("cannot connect");
    let listener = runtime.block_on(async { socket.listen(128).unwrap().into_std() });
    let listener: TcpListener = listener.unwrap();
    listener.set_nonblocking(false).unwrap();
    let receiver = Receiver::on(listener, |_| OK);
    until("it is done with", || figures(&place) == [0, 0, 1, 0]);
    receiver.posts().iter().for_each(assert_signed);
    consuming.signal("-TERM");
    assert_eq!(consuming.ended(), Some(0));
}

#[test]
fn a_stop_ends_a_wait_for_the_receiver() {
    let (place, _serving) = with_labels(["a"]);
    let receiver = Receiver::start(|_| Reply::Answer(429, "Retry-After: 600\r\n", ""));
    let mut consuming = Consuming::start(&place, &["--to", &receiver.url()]);
    consuming.says("the receiver is not ready");
    consuming.signal("-TERM");
    assert_eq!(consuming.ended(), Some(0));
    assert_eq!(figures(&place), [1, 0, 0, 0]);
}

/// A post that was under way is waited for.
#[test]
fn a_stop_finishes_a_post() {
    let (place, _serving) = with_labels(["a"]);
    let (go, may_go) = std::sync::mpsc::channel();
    let may_go = std::sync::Mutex::new(may_go);
    let receiver = Receiver::start(move |_| {
        may_go.lock().unwrap().recv().unwrap();
        OK
    });
    let mut consuming = Consuming::start(&place, &["--to", &receiver.url()]);
    until("it is posted", || receiver.posts().len() == 1);
    consuming.signal("-TERM");
    consuming.says("stopping");
    go.send(()).unwrap();
    assert_eq!(consuming.ended(), Some(0));
    assert_eq!(figures(&place), [0, 0, 1, 0]);
}

#[test]
fn a_status_is_a_rejection_only_if_it_is_named() {
    let (place, _serving) = with_labels(["gone", "no"]);
    let receiver = Receiver::start(|post| match post.subject().as_str() {
        "label/cklagone" => Reply::Answer(410, "", ""),
        _ => Reply::Answer(422, "", ""),
    });
    let url = receiver.url();
    let words = ["consume", "--to", &url, "--reject", "410,404"];
    let ran = place.run(&[&words[..], &["--until-idle", "0s"]].concat());
    ran.failed(0, &["answered 410", "answered 422"]);
    assert_eq!(figures(&place), [0, 1, 0, 1]);
    place
        .run(&["consume", "--to", &url, "--reject", "500"])
        .failed(2, &["500"]);
}

#[test]
fn a_url_or_a_key_that_cannot_be_is_refused() {
    let place = deriving_nothing();
    for (url, word) in [
        ("http://x.example/hook", "write https://"),
        ("https://me:password@x.example/", "--secret"),
        ("x.example", "no URL"),
    ] {
        let ran = place.run(&["consume", "--to", url, "--json"]);
        assert_eq!(ran.code, 2);
        let ran = place.run(&["consume", "--to", url]);
        ran.failed(2, &[word]);
        assert!(!ran.stderr.contains("password@"), "{ran:?}");
    }
    place.write("hook.key", "whsec_no base64");
    let words = ["consume", "--to", "https://x.example/", "--secret"];
    place
        .run(&[&words[..], &["file:hook.key"]].concat())
        .failed(78, &["hook.key", "whsec_"]);
    place
        .run(&[&words[..], &["whsec_abc"]].concat())
        .failed(2, &["where the secret is kept"]);
}
