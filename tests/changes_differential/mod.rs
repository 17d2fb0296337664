//! A differential test: two readers of changes, one in Rust and one in Python, read the same messages, which are changed at
//! random.

mod messages;
mod mutations;
mod python;
mod value_places;

#[path = "../../crates/event/tests/changes/exact.rs"]
mod exact;
#[path = "../../crates/event/tests/changes/json_pointers.rs"]
mod json_pointers;
#[path = "../../crates/event/tests/changes/plain.rs"]
mod plain;

use labelrelay_tests::random::Random;
use python::PythonReader;
use serde_json::Value;

/// Result of a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Messages that became changes.
    pub(crate) changes: u64,
    /// Messages of which both told an error.
    pub(crate) errors: u64,
    /// Messages that the two read otherwise.
    pub(crate) differences: u64,
    /// The first of them, and what each makes of it.
    pub(crate) first: Option<String>,
}

/// Reads the messages that others are made of with both.
pub(crate) fn run_originals() -> Tally {
    compare(&messages::messages())
}

/// Reads messages that are made of `seed` with both.
pub(crate) fn run(seed: u64, count: u64) -> Tally {
    let originals = messages::messages();
    let mut dice = Random::new(seed);
    let made = (0..count).map(|_| mutations::mutated(&originals, &mut dice));
    compare(&made.collect::<Vec<_>>())
}

fn compare(messages: &[Vec<u8>]) -> Tally {
    let mut tally = Tally::default();
    let python = PythonReader::start(messages.to_vec());
    for (message, python) in messages.iter().zip(python.outcomes()) {
        let rust = plain::outcome(message).to_string();
        let [rust, python] = [&rust, &python].map(|text| either_told(exact::exact(text)));
        if rust != python {
            tally.differences += 1;
            let message = message.escape_ascii();
            let shown = || format!("{message}\nRust:   {rust}\nPython: {python}");
            tally.first.get_or_insert_with(shown);
        }
        let is_error = rust.get("error").is_some();
        *(if is_error {
            &mut tally.errors
        } else {
            &mut tally.changes
        }) += 1;
    }
    tally
}

/// Of a body that is no JSON and too deep, either is told.
fn either_told(mut outcome: Value) -> Value {
    if outcome["error"] == "TooDeep" {
        outcome["error"] = "NotJson".into();
    }
    outcome
}
