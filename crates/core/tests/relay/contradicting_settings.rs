//! Two settings that contradict each other are refused, with both names and a cure.

use crate::test_bench::{Bench, SECRET};
use labelrelay_core::config::{Config, ConfigError};
use labelrelay_core::{Parts, QueueLimits, Relay};
use std::path::PathBuf;

/// Starts with these settings, where all bodies are in memory.
fn start(settings: &str, blobs: bool) -> Result<(), ConfigError> {
    let source =
        "[[source]]\nname = \"ls\"\nprovider = \"label-studio\"\nsecret = \"env:SECRET\"\n";
    let text = format!("{settings}\n{source}");
    let lookup = |name: &str| (name == "SECRET").then(|| SECRET.to_owned());
    let config = Config::from_toml(&text, "test.toml", PathBuf::from("."), &lookup)?;
    let bench = Bench::with(source, QueueLimits::bytes(1 << 30), blobs);
    let parts: Parts = bench.relay.parts().clone();
    let open = |reference: &labelrelay_core::config::SecretRef, end| {
        let here = reference.open(end, &lookup, "test.toml", "secret")?;
        Ok(here.expect("no store is named"))
    };
    Relay::new(&config, parts, &open).map(|_| ())
}

#[test]
fn a_body_that_would_never_find_room_is_refused_before_it_comes() {
    let told = start(
        "max_body_bytes = 8000000\nmax_bytes_in_flight = 8000000",
        false,
    );
    let error = told.expect_err("8 MB have no room for a body of 8 MB and its envelope");
    assert_eq!(error.key, "max_bytes_in_flight");
    assert_eq!(error.origin, "test.toml");
    let said = error.to_string();
    for word in ["max_body_bytes = 8000000", "spool.dir", "blob_store"] {
        assert!(said.contains(word), "no {word:?} in {said}");
    }
    // Either cure works.
    let number = |after: &str| {
        let rest = said.split_once(after).expect(after).1;
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        rest[..end].parse::<u64>().expect("a number")
    };
    let raised = number("raise max_bytes_in_flight to ");
    let lowered = number("lower max_body_bytes to ");
    start(
        &format!("max_body_bytes = 8000000\nmax_bytes_in_flight = {raised}"),
        false,
    )
    .unwrap();
    start(
        &format!("max_body_bytes = {lowered}\nmax_bytes_in_flight = 8000000"),
        false,
    )
    .unwrap();
    assert!(lowered > 3_000_000, "{lowered}");
}

#[test]
fn the_defaults_agree_with_each_other() {
    for blobs in [false, true] {
        start("", blobs).unwrap();
    }
}

#[test]
fn memory_that_nobody_allowed_is_not_taken() {
    let told = start("max_body_bytes = 1000000000", false);
    let said = told.expect_err("a gigabyte in memory").to_string();
    assert!(said.contains("max_bytes_in_flight to 2"), "{said}");
}
