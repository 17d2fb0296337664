//! Secrets of Secret Manager through the program: from a small server that answers as that service's documents
//! say, as there is no emulator of it.

use crate::service::{SECRET, Service, assert_clean, named, variables};
use labelrelay_tests::client::once;
use labelrelay_tests::sender;
use labelrelay_tests::servers::PubSub;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

const CONFIG: &str = "[[source]]\nname = \"labelbox\"\nprovider = \"labelbox\"\nsecret = \"gcp-secretmanager:projects/p/secrets/webhook\"\n";
const PREVIOUS: &str = "previous0secret0of0forty0characters00000";

/// Answers GETs of these paths with these bodies, until the process ends; whatever else is asked with `refusal`.
fn secret_manager(answers: &'static [(&str, &str)], refusal: u16) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer(&stream, answers, refusal);
        }
    });
    address
}

fn answer(mut stream: &TcpStream, answers: &[(&str, &str)], refusal: u16) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    while lines
        .next()
        .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
    {}
    let path = first.split(' ').nth(1).unwrap_or_default();
    let found = answers
        .iter()
        .find(|(asked, _)| path.split('?').next() == Some(asked));
    let denied = r#"{"error":{"message":"Permission denied on resource"}}"#;
    let (status, body) = found.map_or((refusal, denied), |(_, body)| (200, *body));
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// `SECRET` with the line break of `echo`, and `PREVIOUS`.
const NEWEST: (&str, &str) = (
    "/v1/projects/p/secrets/webhook/versions/7:access",
    r#"{"name":"projects/1/secrets/webhook/versions/7","payload":{"data":"Y2xvdWRydW4wc2VjcmV0MG9mMGZvcnR5MGNoYXJhY3RlcnMwMDAwMAo="}}"#,
);
const BEFORE: (&str, &str) = (
    "/v1/projects/p/secrets/webhook/versions/6:access",
    r#"{"name":"projects/1/secrets/webhook/versions/6","payload":{"data":"cHJldmlvdXMwc2VjcmV0MG9mMGZvcnR5MGNoYXJhY3RlcnMwMDAwMA=="}}"#,
);
const LATEST: (&str, &str) = (
    "/v1/projects/p/secrets/webhook/versions/latest:access",
    NEWEST.1,
);
const LISTED: (&str, &str) = (
    "/v1/projects/p/secrets/webhook/versions",
    r#"{"versions":[{"name":"projects/1/secrets/webhook/versions/7"},{"name":"projects/1/secrets/webhook/versions/6"}]}"#,
);

#[test]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
fn the_newest_two_versions_are_live() {
    let pubsub = PubSub::start();
    let queue = pubsub.topic("secrets");
    for address in [
        secret_manager(&[LISTED, NEWEST, BEFORE], 404),
        // An account that may not list the versions.
        secret_manager(&[LATEST, BEFORE], 403),
    ] {
        let mut variables = variables(&pubsub, &queue);
        variables.extend(named(&[
            ("LABELRELAY_CONFIG_TOML", CONFIG),
            ("SECRET_MANAGER_EMULATOR_HOST", &address.to_string()),
        ]));
        let service = Service::start(&variables);
        for (secret, status) in [
            (SECRET, 200),
            (PREVIOUS, 200),
            ("cloudrun0secret0of0forty0characters00001", 401),
        ] {
            let request = sender::labelbox(secret, "LABEL_CREATED", "d", br#"{"id":1}"#);
            assert_eq!(once(service.address, &request).status, status, "{secret}");
        }
        assert_clean(&service.log(), &[PREVIOUS]);
    }
}

#[test]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
fn a_secret_that_may_not_be_read_stops_the_start() {
    let pubsub = PubSub::start();
    let address = secret_manager(&[], 403);
    let mut variables = variables(&pubsub, &pubsub.topic("denied"));
    variables.extend(named(&[
        ("LABELRELAY_CONFIG_TOML", CONFIG),
        ("SECRET_MANAGER_EMULATOR_HOST", &address.to_string()),
    ]));
    let output = crate::service::command(&variables).output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for word in [
        "projects/p/secrets/webhook",
        "secretmanager.versions.access",
        "roles/secretmanager.secretAccessor",
    ] {
        assert!(said.contains(word), "{said}");
    }
}
