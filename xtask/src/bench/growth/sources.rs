//! Sources in the configuration, to each of which as much is delivered.

use super::step::{Run, Started};
use crate::Outcome;
use crate::bench::deliveries::Deliveries;
use crate::bench::load::CONNECTIONS;
use std::fmt::Write as _;
use std::sync::Arc;

const STEPS: [u64; 4] = [1, 4, 16, 64];

const BODY: usize = 1024;

pub(super) fn measure(run: &mut Run<'_>) -> Outcome {
    for at in STEPS {
        if !run.has_time(at) {
            continue;
        }
        let deliveries = Arc::new(Deliveries::new(BODY).over_sources(at));
        let configuration = configuration(at);
        run.in_folder(at, |run, folder| {
            let settings = [("LABELRELAY_CONFIG_TOML", configuration.as_str())];
            let started = Started::labelrelay(folder, &settings)?;
            let until = run.window();
            run.measure(at, started, CONNECTIONS, &deliveries, until)
        })?;
    }
    Ok(())
}

fn configuration(sources: u64) -> String {
    let mut text = String::new();
    for number in 0..sources {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "[[source]]\nname = \"s{number}\"\nprovider = \"labelbox\"\nsecret = \"env:LABELBOX_WEBHOOK_SECRET\"\n\n"
        );
    }
    text
}
