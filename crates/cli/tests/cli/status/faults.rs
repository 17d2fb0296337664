//! Each fault on a delivery's way is named, with what to do. Those of Label Studio are in `connect`.

use crate::support::{CONFIG, Place, Ran, configured};
use labelrelay_core::OutboundMessage;
use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, encode};
use labelrelay_local::QueueFile;
use labelrelay_testkit::clock::FakeClock;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

/// The fault, what makes it, the exit code, and what is said of it.
type Fault = (&'static str, fn(&Place), i32, &'static [&'static str]);

const FAULTS: &[Fault] = &[
    (
        "configuration that cannot be read",
        |place| {
            fs::remove_file(place.path("labelrelay.toml")).unwrap();
            std::os::unix::fs::symlink("gone.toml", place.path("labelrelay.toml")).unwrap();
        },
        78,
        &["labelrelay.toml"],
    ),
    (
        "unknown key",
        |place| with(place, "quue = 'x'\n", ""),
        78,
        &["quue", "correct the spelling"],
    ),
    (
        "secret missing",
        |place| fs::remove_file(place.path("labelbox.secret")).unwrap(),
        78,
        &[
            "source `labelbox`",
            "labelbox.secret",
            "correct the reference",
        ],
    ),
    (
        "secret file that others can read",
        |place| {
            let mode = fs::Permissions::from_mode(0o644);
            fs::set_permissions(place.path("labelbox.secret"), mode).unwrap();
        },
        0,
        &["others can read the secret file", "chmod 600"],
    ),
    (
        "secret with a byte order mark",
        |place| drop(place.write("labelbox.secret", "\u{feff}a secret of Labelbox, 27 bytes")),
        0,
        &["byte order mark", "save it in UTF-8 without one"],
    ),
    (
        "secret with a line break",
        |place| drop(place.write("labelbox.secret", "a secret of\nLabelbox, 27 bytes")),
        0,
        &["holds a line break", "keep one line"],
    ),
    (
        "secret that is short",
        |place| drop(place.write("labelbox.secret", "example_secret")),
        0,
        &["has 14 bytes", "use 16 or more"],
    ),
    (
        "secret that Label Studio cannot send",
        |place| drop(place.write("label-studio.secret", "sixteen-bytes-and-a-\u{20ac}")),
        0,
        &["cannot send in a header", "use letters and digits"],
    ),
    (
        "queue that cannot be written",
        |place| with(place, "", "sqlite:/proc/queue.db"),
        78,
        &["queue", "/proc/queue.db"],
    ),
    (
        "queue file replaced by a directory",
        |place| fs::create_dir(place.path("queue.db")).unwrap(),
        78,
        &["queue", "queue.db", "directory"],
    ),
    (
        "queue file that is damaged",
        |place| {
            drop(place.write(
                "queue.db",
                "no database at all, and long enough".repeat(100),
            ));
        },
        78,
        &["queue.db"],
    ),
    (
        "blob store missing",
        |place| with(place, "blob_store = 'file:/proc/claims'\n", ""),
        78,
        &[
            "`blob_store`",
            "/proc/claims",
            "cannot be made",
            "make it for the user",
        ],
    ),
    (
        "fallback that cannot be written",
        |place| with(place, "fallback = 'file:/proc/fallback'\n", ""),
        78,
        &[
            "`fallback`",
            "/proc/fallback",
            "cannot be made",
            "make it for the user",
        ],
    ),
    (
        "public URL whose name does not resolve",
        |place| with_public_url(place, "https://relay.invalid"),
        0,
        &[
            "`public_url`: https://relay.invalid/-/ready: ",
            "the name relay.invalid does not resolve",
            "DNS record",
        ],
    ),
    (
        "port at which nothing listens",
        |place| with_public_url(place, "http://127.0.0.1:9"),
        0,
        &["`public_url`", "nothing listens there", "labelrelay serve"],
    ),
    (
        "memory that is too little for one body",
        |place| with(place, "max_bytes_in_flight = 1048576\n", ""),
        78,
        &[
            "max_bytes_in_flight",
            "are too few",
            "raise max_bytes_in_flight to ",
        ],
    ),
    (
        "bodies that are larger than the queue takes",
        |place| {
            let sizes = "max_body_bytes = 1073741824\nmax_bytes_in_flight = 17179869184\n";
            with(place, sizes, "");
        },
        0,
        &[
            "bodies up to 1073741824 bytes are allowed",
            "configure `blob_store` or lower `max_body_bytes`",
        ],
    ),
    (
        "answer that comes after Label Studio hung up",
        |place| with(place, "deadline_ms = 5000\n", ""),
        0,
        &[
            "Label Studio hangs up after 1 s unless its WEBHOOK_TIMEOUT is raised",
            "due after 5000 ms",
        ],
    ),
    (
        "consumer that is gone for a day",
        |place| {
            assert_eq!(place.serve(&[]).stop(), 0);
            append_long_ago(place);
        },
        0,
        &[
            "the oldest of 1 ready events has waited for ",
            "no consumer was seen",
            "start the consumer",
        ],
    ),
];

/// A place in which `status` finds nothing.
fn faultless() -> Place {
    let place = configured();
    for secret in ["labelbox.secret", "label-studio.secret"] {
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(place.path(secret), mode).unwrap();
    }
    place
}

/// The configuration with these lines before it, and another queue where one is given.
fn with(place: &Place, lines: &str, queue: &str) {
    let config = if queue.is_empty() {
        CONFIG.to_owned()
    } else {
        CONFIG.replace("sqlite:queue.db", queue)
    };
    place.write("labelrelay.toml", format!("{lines}{config}"));
}

fn with_public_url(place: &Place, url: &str) {
    let serve = format!("[serve]\npublic_url = \"{url}\"\n");
    place.write("labelrelay.toml", format!("{CONFIG}{serve}"));
}

fn append_long_ago(place: &Place) {
    let event_type = EventType::from_static("io.labelstud.annotation.created");
    let digest = Digest::of(b"{}");
    let time = "2026-01-01T00:00:00Z";
    let attributes = Attributes::new("1", "/label-studio", &event_type, &digest, time);
    let envelope = encode(&attributes, DataEncoding::Json, 2, [&b"{}"[..]]);
    let queue = QueueFile::open(place.path("queue.db"), Arc::new(FakeClock::at(time)));
    let message = OutboundMessage::new(attributes, envelope);
    queue.unwrap().append(&[message], 0).unwrap();
}

#[track_caller]
fn shows_no_secret(ran: Ran) -> Ran {
    for secret in ["a secret of", "a-secret-of-label-studio"] {
        assert!(!format!("{ran:?}").contains(secret), "{ran:?}");
    }
    ran
}

#[test]
fn each_is_named_with_what_to_do() {
    for (what, make, code, words) in FAULTS {
        let place = faultless();
        assert_eq!(
            shows_no_secret(place.run(&["status"])).stderr,
            "",
            "{what}: before"
        );
        make(&place);
        let ran = shows_no_secret(place.run(&["status"]));
        assert_eq!(ran.code, *code, "{what}: {ran:?}");
        for word in *words {
            assert!(ran.stderr.contains(word), "{what}: no {word:?} in {ran:?}");
        }
        let told = shows_no_secret(place.run(&["status", "--json"]));
        assert_eq!(told.code, *code, "{what}: {told:?}");
        let said = &told.json()[0];
        assert_eq!(said["ok"], *code == 0, "{what}: {said}");
        let said = format!("{}{}", said["warnings"], said["error"]);
        for word in *words {
            let word = word.replace('"', "\\\"");
            assert!(said.contains(&word), "{what}: no {word:?} in {said}");
        }
    }
}

#[test]
fn a_public_url_that_leads_to_the_relay_is_no_fault_and_one_that_speaks_no_tls_is() {
    let place = faultless();
    let serving = place.serve(&[]);
    with_public_url(&place, &format!("http://{}", serving.address));
    let ran = place.run(&["status"]);
    ran.good();
    assert_eq!(ran.stderr, "");
    with_public_url(&place, &format!("http://{}/elsewhere", serving.address));
    place
        .run(&["status"])
        .failed(0, &["as the relay never does", "what stands before it"]);
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let authorities = place.write("authorities.pem", own.cert.pem());
    let place = place.with("SSL_CERT_FILE", authorities.to_str().unwrap());
    with_public_url(&place, &format!("https://{}", serving.address));
    place
        .run(&["status"])
        .failed(0, &["speak TLS", "write http://"]);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_named() {
    let stranger = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let place = configured();
    let authorities = place.write("authorities.pem", own.cert.pem());
    let place = place.with("SSL_CERT_FILE", authorities.to_str().unwrap());
    let (port, served) = crate::send_tls::server(&stranger);
    with_public_url(&place, &format!("https://localhost:{port}"));
    place
        .run(&["status"])
        .failed(0, &["`public_url`", "certificate", "see the certificate"]);
    assert_eq!(served.join().unwrap(), None);
}
