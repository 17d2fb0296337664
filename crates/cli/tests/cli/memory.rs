//! Memory of `serve`: its bound follows from the settings, and after a burst it is given back.

use crate::support::{Place, Serving, bytes_of, configured};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

const MIB: u64 = 1024 * 1024;

/// All deliveries together, as configured here.
const IN_FLIGHT: u64 = 200 * MIB;

/// Less than docs/container.md counts, which has 80 MiB for the program: no ledger is kept here. Besides, for each of 816
/// connections.
const BOUND: u64 = 64 * MIB + 816 * 72 * 1024 + IN_FLIGHT;

/// The record of deliveries, beside the embedded queue.
const RECORD: u64 = 32 * MIB;

/// A number of this process's status, in bytes.
fn status(serving: &Serving, name: &str) -> u64 {
    bytes_of(serving.pid(), name)
}

/// Begins a delivery that is no JSON, whose envelope is a third larger than itself. Its last byte is missing.
fn begin(serving: &Serving, bytes: usize) -> TcpStream {
    let mut stream = TcpStream::connect(&serving.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let head = format!(
        "POST /label-studio HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer a-secret-of-label-studio\r\nContent-Length: {bytes}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // A refused connection may close before it has all bytes.
    let _ = stream.write_all(&vec![b'x'; bytes - 1]);
    stream
}

fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_burst_stays_within_the_bound_and_its_memory_goes_back() {
    let place = configured()
        .with("LABELRELAY_QUEUE", "stdout:")
        .with("LABELRELAY_MAX_BODY_BYTES", &MIB.to_string())
        .with("LABELRELAY_MAX_BYTES_IN_FLIGHT", &IN_FLIGHT.to_string());
    let log = fs::File::create(place.path("serve.log")).unwrap();
    let mut serving = place.serve_into(&[], Stdio::piped(), log.into());
    // Nobody reads what the queue writes: everything that is accepted waits, with all that it has.
    let mut queue = serving.stdout();
    let mut deliveries: Vec<_> = (0..190).map(|_| begin(&serving, 1_000_000)).collect();
    for delivery in &mut deliveries {
        let _ = delivery.write_all(b"x");
    }
    for mut delivery in deliveries {
        let _ = delivery.read_to_end(&mut Vec::new());
    }
    let peak = status(&serving, "VmHWM:");
    assert!(
        peak > IN_FLIGHT / 2,
        "{} MiB: the burst has filled nothing",
        peak / MIB
    );
    assert!(peak <= BOUND, "{} of {} MiB", peak / MIB, BOUND / MIB);
    // Now the queue takes everything.
    let reader = std::thread::spawn(move || std::io::copy(&mut queue, &mut std::io::sink()));
    eventually("the memory goes back to the system", || {
        status(&serving, "VmRSS:") < 48 * MIB
    });
    assert_eq!(serving.stop(), 0);
    assert!(reader.join().unwrap().unwrap() > 0);
}

/// The queue that nobody has to configure: what its writer and `SQLite` have in memory is within the bound too.
#[test]
fn a_burst_into_the_embedded_queue_stays_within_the_bound_and_its_memory_goes_back() {
    let place = configured()
        .with("LABELRELAY_MAX_BODY_BYTES", &MIB.to_string())
        .with("LABELRELAY_MAX_BYTES_IN_FLIGHT", &IN_FLIGHT.to_string());
    let serving = place.serve(&[]);
    let mut deliveries: Vec<_> = (0..268).map(|_| begin(&serving, 1_000_000)).collect();
    for delivery in &mut deliveries {
        let _ = delivery.write_all(b"x");
    }
    for mut delivery in deliveries {
        let _ = delivery.read_to_end(&mut Vec::new());
    }
    let peak = status(&serving, "VmHWM:");
    assert!(
        peak > IN_FLIGHT / 4,
        "{} MiB: the burst has filled nothing",
        peak / MIB
    );
    let bound = BOUND + RECORD;
    assert!(peak <= bound, "{} of {} MiB", peak / MIB, bound / MIB);
    eventually("the memory goes back to the system", || {
        status(&serving, "VmRSS:") < 96 * MIB
    });
    assert_eq!(serving.stop(), 0);
}

#[test]
fn settings_that_contradict_each_other_are_bad_configuration() {
    let contradiction = |place: Place| {
        for verb in ["status", "serve"] {
            let cure = [
                "max_bytes_in_flight",
                "max_body_bytes",
                "blob_store",
                "raise",
            ];
            place.run(&[verb]).failed(78, &cure);
        }
    };
    contradiction(configured().with("LABELRELAY_MAX_BYTES_IN_FLIGHT", "100000000"));
    contradiction(configured().with("LABELRELAY_MAX_BODY_BYTES", "400000000"));
}
