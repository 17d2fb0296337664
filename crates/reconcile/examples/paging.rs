//! Pages through a Label Studio with the client of `reconcile`, and does nothing with what comes: the time
//! below which no reconciliation can be. `paging URL`, the token in `LABEL_STUDIO_API_KEY`.
//! Prints seconds, things and bytes. `cargo xtask bench reconcile` runs it.

use futures_util::StreamExt as _;
use labelrelay_core::{Entropy, Secret};
use labelrelay_reconcile::Platform as _;
use labelrelay_reconcile::http::HttpOptions;
use labelrelay_reconcile::label_studio::LabelStudio;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

/// Nobody else waits for this server.
struct Always;

impl Entropy for Always {
    fn ten_bytes(&self) -> [u8; 10] {
        [0; 10]
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("paging URL")?;
    let token = Secret::new("token", std::env::var("LABEL_STUDIO_API_KEY")?)?;
    let platform = LabelStudio::new(&url, token, Vec::new(), HttpOptions::new(Arc::new(Always)))?;
    let start = Instant::now();
    let (mut entities, mut bytes) = (0, 0);
    for project in platform.projects().await? {
        let mut pages = platform.changed(&project, None, None);
        while let Some(page) = pages.next().await {
            for entity in page?.entities {
                entities += 1;
                bytes += entity.content.map_or(0, |content| content.len());
            }
        }
    }
    println!("{:.3} {entities} {bytes}", start.elapsed().as_secs_f64());
    Ok(())
}
