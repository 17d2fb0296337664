//! `send`: words on the command line that do not fit together, and ports that speak something else.

use crate::support::{Place, configured};

#[test]
fn a_header_is_not_for_labelbox() {
    configured()
        .run(&["send", "--event", "label.created", "--header", "X-Token"])
        .failed(2, &["--header", "Labelbox", "signs the body"]);
}

#[test]
fn a_url_that_no_delivery_can_go_to_is_wrong_usage() {
    let place = configured();
    for (url, words) in [
        ("ftp://x.example/labelbox", "neither http:// nor https://"),
        ("http:///labelbox", "--to"),
    ] {
        place.run(&["send", "--to", url]).failed(2, &[words]);
    }
}

#[test]
fn an_event_of_the_other_platform_is_named_as_such() {
    let place = configured();
    let event = "annotation.created";
    place
        .run(&["send", "--provider", "labelbox", "--event", event])
        .failed(2, &["is an event of label-studio, not of labelbox"]);
    place
        .run(&["send", "--source", "labelbox", "--event", event])
        .failed(2, &["source `labelbox` is one of labelbox", "label-studio"]);
}

#[test]
fn a_password_in_the_url_is_not_shown() {
    let place = configured();
    let serving = place.serve(&[]);
    let url = serving
        .url("labelbox")
        .replace("http://", "http://user:hidden@");
    for words in [
        &["send", "--to", &url][..],
        &["send", "--to", &url, "--json"],
    ] {
        let ran = place.run(words);
        ran.good();
        assert!(!format!("{ran:?}").contains("hidden"), "{ran:?}");
        assert!(ran.stderr.contains("are not sent"), "{ran:?}");
    }
    assert_eq!(serving.stop(), 0);
    let ran = place.run(&["send", "--to", &url]);
    ran.failed(1, &["cannot connect", "http://…@127.0.0.1"]);
    assert!(!ran.stderr.contains("hidden"), "{ran:?}");
}

/// Trusts somebody, so that a handshake begins.
fn trusting(place: Place) -> Place {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let authorities = place.write("authorities.pem", own.cert.pem());
    place.with("SSL_CERT_FILE", authorities.to_str().unwrap())
}

#[test]
fn https_to_a_plain_port_is_said_in_words() {
    let place = trusting(configured());
    let serving = place.serve(&[]);
    let url = serving.url("labelbox").replace("http://", "https://");
    place
        .run(&["send", "--to", &url])
        .failed(1, &["write http://"]);
}

#[test]
fn http_to_what_speaks_something_else_is_said_in_words() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // An alert, as a TLS server answers a plain request.
    let served = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().unwrap();
        let mut piece = [0; 1024];
        let _ = stream.read(&mut piece).unwrap();
        stream.write_all(b"\x15\x03\x03\x00\x02\x02\x46").unwrap();
    });
    configured()
        .run(&["send", "--to", &format!("http://{address}/labelbox")])
        .failed(1, &["is not HTTP", "https://"]);
    served.join().unwrap();
}
