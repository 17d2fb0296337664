//! Sizes of a body, up to a gibibyte; the large ones go into a directory as claim checks.

use super::step::{Run, Started};
use crate::Outcome;
use crate::bench::deliveries::Deliveries;
use std::sync::Arc;

const STEPS: [u64; 7] = [
    1 << 10,
    10 << 10,
    100 << 10,
    1 << 20,
    10 << 20,
    100 << 20,
    1 << 30,
];

/// Bytes of all bodies that are on their way at once, as far as one is smaller.
const AT_ONCE: u64 = 64 << 20;

pub(super) fn measure(run: &mut Run<'_>) -> Outcome {
    for at in STEPS {
        if !run.has_time(at) {
            continue;
        }
        let deliveries = Arc::new(Deliveries::new(usize::try_from(at)?));
        let connections = usize::try_from((AT_ONCE / at).clamp(1, 64))?;
        run.in_folder(at, |run, folder| {
            let claims = format!("file://{}", folder.join("claims").display());
            let most = (1_u64 << 30).to_string();
            let settings = [
                ("LABELRELAY_BLOB_STORE", claims.as_str()),
                ("LABELRELAY_MAX_BODY_BYTES", most.as_str()),
                ("LABELRELAY_DEADLINE_MS", "60000"),
            ];
            let started = Started::labelrelay(folder, &settings)?;
            let until = run.window();
            run.measure(at, started, connections, &deliveries, until)
        })?;
    }
    Ok(())
}
