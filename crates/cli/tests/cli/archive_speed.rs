//! A search for one label in a month of events. `cargo xtask campaign archive-search` has 1,000,000 of them, and a bound; here
//! are a few.

use crate::support::Place;
use labelrelay_archive::Archive;
use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, encode};
use labelrelay_files::FileObjectStore;
use std::sync::Arc;
use std::time::{Duration, Instant};

const DAYS: u64 = 30;

/// Events of a file at most: about as many as are put together to one.
const OF_A_FILE: u64 = 40_000;

const BOUND: Duration = Duration::from_secs(5);

/// A label with some boxes, about a kilobyte. No two are alike.
fn envelope(number: u64, day: u64) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut data = format!("{{\"id\":\"{number}\",\"project\":{{\"id\":\"cars\"}},\"objects\":[");
    for object in 0..8 {
        let comma = if object == 0 { "" } else { "," };
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % 4000
        };
        let (left, top, width, height) = (next(), next(), next(), next());
        write!(
            data,
            "{comma}{{\"featureId\":\"f{number:08x}{object}\",\"name\":\"car\",\"bbox\":{{\"left\":{left},\"top\":{top},\"width\":{width},\"height\":{height}}}}}"
        )
        .unwrap();
    }
    data.push_str("]}");
    let event_type = EventType::from_static("com.labelbox.label.created");
    let mut attributes = Attributes::new(
        format!("{:016x}", number.wrapping_mul(0xd134_2543_de82_ef95)),
        "/labelbox",
        &event_type,
        &Digest::of(data.as_bytes()),
        format!("2026-11-{:02}T10:00:00Z", day + 1),
    );
    attributes.subject = Some(format!("label/{number}"));
    encode(
        &attributes,
        DataEncoding::Json,
        data.len(),
        [data.as_bytes()],
    )
}

/// Makes an archive of so many events, and looks for one of them; how long that took.
fn search(events: u64) -> Duration {
    let place = Place::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        let store = FileObjectStore::open(place.path("archive")).unwrap();
        let archive = Archive::open_or_create(Arc::new(store), "archive", 1).await;
        let archive = archive.unwrap();
        for day in 0..DAYS {
            let (mut first, end) = (events * day / DAYS, events * (day + 1) / DAYS);
            while first < end {
                let numbers = first..end.min(first + OF_A_FILE);
                let written = numbers.end;
                let envelopes = numbers.map(|number| envelope(number, day));
                let unreadable = archive.append(7, first + 1, 0, envelopes).await.unwrap();
                assert!(unreadable.is_empty());
                first = written;
            }
        }
    });
    let wanted = format!("label/{}", events / 3);
    let words = ["events", "list", "--from", "file:archive", "--json"];
    let begun = Instant::now();
    let found = place.run(&[&words[..], &["--subject", &wanted]].concat());
    let took = begun.elapsed();
    found.good();
    let found = found.json();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["subject"], wanted);
    took
}

#[test]
fn one_label_is_found_in_a_month() {
    search(3_000);
}

#[test]
#[ignore = "a minute: cargo xtask campaign archive-search"]
fn one_label_of_a_million_is_found_in_seconds() {
    let events = std::env::var("LABELRELAY_TEST_ARCHIVE_EVENTS");
    let events = events.map_or(1_000_000, |events| events.parse().unwrap());
    let took = search(events);
    println!("one label of {events}: {:.2} s", took.as_secs_f64());
    assert!(took <= BOUND, "{took:?}");
}
