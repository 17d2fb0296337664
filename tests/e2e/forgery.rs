//! Nothing forged gets in, and the previous secret still does.

use labelrelay_tests::client::{self, Client, Response};
use labelrelay_tests::random::Random;
use labelrelay_tests::relay::{PREVIOUS, Relay, SECRET, Site, WRONG_SECRET};
use labelrelay_tests::{fixture, sender};

/// `bytes` with one bit changed.
fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

/// Larger than what the sockets' buffers take while nobody reads.
const LARGE: usize = 64 * 1024;

/// Sends what must not get in; the answer is one that tells the sender that it is to blame.
fn refused(relay: &Relay, what: &str, request: &[u8], statuses: &[u16]) {
    match Client::connect(relay.address).and_then(|mut client| client.exchange(request)) {
        Ok(Response { status, body }) => {
            let body = String::from_utf8_lossy(&body);
            assert!(statuses.contains(&status), "{what}: {status} {body}");
        }
        // A wrong header is refused before the body is read: while that is still being sent, the
        // end of the connection can overtake the answer.
        Err(error) => assert!(request.len() > LARGE, "{what}: {error}"),
    }
}

#[test]
fn signatures_of_labelbox() {
    let mut random = Random::seeded();
    let site = Site::new();
    let relay = site.serve();
    let samples = fixture::labelbox();
    for sample in &samples {
        let (name, body) = (&sample.name, &sample.body);
        let right = sender::signature(SECRET, body);
        for _ in 0..4 {
            let bit = usize::try_from(random.below(body.len() as u64 * 8)).unwrap();
            let changed = sample.request_with(&right, &flipped(body, bit));
            refused(
                &relay,
                &format!("{name}, bit {bit} of the body"),
                &changed,
                &[401],
            );
        }
        for digit in 5..right.len() {
            // The lowest bit: a change of case would be the same digit.
            let changed = String::from_utf8(flipped(right.as_bytes(), digit * 8)).unwrap();
            refused(
                &relay,
                &format!("{name}, {changed}"),
                &sample.request(&changed),
                &[400, 401],
            );
        }
        refused(
            &relay,
            name,
            &sample.request(&sender::signature(WRONG_SECRET, body)),
            &[401],
        );
        refused(
            &relay,
            name,
            &sample.request(&right[..right.len() - 1]),
            &[400],
        );
        refused(
            &relay,
            name,
            &sample.request(&format!("{right}\r\nX-Hub-Signature: {right}")),
            &[400],
        );
        refused(
            &relay,
            name,
            &sample.request_with(&sender::signature(SECRET, b""), b""),
            &[400],
        );
    }
    assert_eq!(site.export().len(), 0, "events from forgeries");
    for sample in &samples {
        let answer = client::once(
            relay.address,
            &sample.request(&sender::signature(PREVIOUS, &sample.body)),
        );
        assert_eq!(
            (answer.status, answer.outcome().as_str()),
            (200, "accepted"),
            "{} with the previous secret",
            sample.name
        );
    }
    assert_eq!(site.export().len(), samples.len());
}

#[test]
fn header_secrets_of_label_studio() {
    let mut random = Random::seeded();
    let site = Site::new();
    let relay = site.serve();
    let fixtures: Vec<_> = fixture::label_studio();
    for recorded in &fixtures {
        let bit = usize::try_from(random.below(SECRET.len() as u64 * 8 - 1)).unwrap();
        // Not the highest bit of a byte: a header of text carries none.
        let changed = String::from_utf8(flipped(
            SECRET.as_bytes(),
            if bit % 8 == 7 { bit - 1 } else { bit },
        ))
        .unwrap();
        let wrong = [
            sender::basic("label-studio", &changed),
            sender::basic("label-studio", WRONG_SECRET),
            format!("Bearer {WRONG_SECRET}"),
            format!("Bearer {}", &SECRET[1..]),
            format!("Bearer {SECRET}0"),
            format!("Bearer {SECRET}\r\nAuthorization: Bearer {SECRET}"),
            format!(
                "X-Hub-Signature: {}",
                sender::signature(SECRET, &recorded.body)
            ),
            String::new(),
        ];
        for authorization in wrong {
            let what = format!("{}, Authorization: {authorization}", recorded.name);
            refused(
                &relay,
                &what,
                &recorded.request(&authorization),
                &[400, 401],
            );
        }
    }
    assert_eq!(site.export().len(), 0, "events from forgeries");
    for recorded in &fixtures {
        let answer = client::once(
            relay.address,
            &recorded.request(&format!("Bearer {PREVIOUS}")),
        );
        assert_eq!(
            answer.status, 200,
            "{} with the previous secret",
            recorded.name
        );
    }
    assert_ne!(site.export().len(), 0);
}
