//! Queued events are read by those who consume them, to the same data: a property, run over bodies that are made to
//! break parsers.
//!
//! Bodies go through the real pipeline; the envelopes go to Python's `json`, Node's `JSON`, jq 1.7 and the official
//! CloudEvents SDKs of Python and JavaScript, as batches: read as messages, or as lines.

mod awkward_values;
pub(crate) mod generate;
pub(crate) mod pipeline;
pub(crate) mod process;

use generate::Generator;
use pipeline::Pipeline;
use process::{Batch, ReaderFailure, Readers};
use std::collections::BTreeMap;

/// Events that a consumer takes at once.
const BATCH: u64 = 250;

/// Result of a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) embedded: u64,
    pub base64: u64,
    /// By reader and reason, how often, with the first body that showed it.
    pub(crate) failures: BTreeMap<String, (u64, String)>,
}

/// Sends bodies made of `seed` through the pipeline and its envelopes to the readers.
pub(crate) fn run(seed: u64, bodies: u64, readers: &mut Readers) -> Tally {
    let mut generator = Generator::new(seed);
    let mut tally = Tally::default();
    let batches = bodies.div_ceil(BATCH);
    for number in 0..batches {
        let line_by_line = number % 2 == 0;
        let pipeline = Pipeline::new(line_by_line);
        let events = (0..BATCH.min(bodies - number * BATCH)).map(|_| {
            let delivery = generator.delivery();
            (pipeline.envelope(&delivery), delivery.body)
        });
        let batch = Batch {
            line_by_line,
            events: events.collect(),
        };
        tally.add(&batch, readers.read(&batch));
    }
    tally
}

impl Tally {
    /// Counts a batch that was read.
    pub(crate) fn add(&mut self, batch: &Batch, failures: Vec<ReaderFailure>) {
        for (envelope, _) in &batch.events {
            let is_base64 = envelope
                .windows(16)
                .any(|part| part == b",\"data_base64\":\"");
            *(if is_base64 {
                &mut self.base64
            } else {
                &mut self.embedded
            }) += 1;
        }
        for ReaderFailure { reader, index, why } in failures {
            let kind: String = why
                .chars()
                .filter(|c| !c.is_ascii_digit())
                .take(80)
                .collect();
            let (envelope, _) = &batch.events[index];
            let first = || (0, format!("{why}: {}", shown(envelope)));
            self.failures
                .entry(format!("{reader}: {kind}"))
                .or_insert_with(first)
                .0 += 1;
        }
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .take(1500)
        .flat_map(char::escape_debug)
        .collect()
}
